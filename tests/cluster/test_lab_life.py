"""Labs come up beside each other, also after one that was cut off, and go without a trace."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cluster import labs
from tests.cluster.footprint import Footprint, images_and_volumes
from tests.lab.errors import LabError
from tests.lab.nodes import cluster
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab
from tests.program import ROOT

pytestmark = pytest.mark.lab

SECOND = "test-second"
GONE = "test-gone"


@dataclass(frozen=True)
class Second:
    """A small lab beside the shared one, and what was said when it came up."""

    lab: Lab
    said: str


def killed_while(name: str, at: str) -> None:
    """Kills an `up` of one control plane with SIGKILL when it says that it is at a step."""
    up = [sys.executable, "-m", "tests.lab", "up", name, "--workers", "0"]
    with subprocess.Popen(
        up, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if re.search(rf"\] {at}$", line):
                process.kill()
                return
    pytest.fail(f"it never came to «{at}»: {said}")


@pytest.fixture(scope="module")
def second() -> Iterator[Second]:
    """A lab of one node; the first `up` of it was killed in the middle of kubeadm."""
    killed_while(SECOND, "cp-1: kubeadm init")
    half_made = all_labs.get(SECOND)
    assert not half_made.complete
    assert re.search(rf"^{SECOND} +1\+0 of \S+ +half-made ", labs.lab_command("list").stdout, re.MULTILINE)
    ended = labs.lab_command("up", SECOND, "--workers", "0")
    assert ended.returncode == 0, ended.stderr
    yield Second(all_labs.get(SECOND), ended.stderr)
    cluster.down(SECOND)


def test_an_up_that_was_killed_is_removed_by_the_next_which_completes(second):
    assert "what was left of it was not whole and has been removed" in second.said
    assert second.lab.complete
    assert cluster.whole(second.lab)
    labs.wait_until_whole(second.lab)


def test_an_up_of_what_is_there_changes_nothing(second):
    ended = labs.lab_command("up", SECOND, "--workers", "0")
    assert (ended.returncode, ended.stdout) == (0, f"{second.lab.kubeconfig}\n")
    assert "is already up as 1+0 of " in ended.stderr


def test_two_labs_stand_side_by_side_and_neither_sees_the_other(lab, second):
    for each, nodes in ((lab, [each.name for each in lab.nodes]), (second.lab, ["cp-1"])):
        shown = each.kubectl("get", "nodes", "--output=jsonpath={.items[*].metadata.name}").split()
        assert shown == nodes
    assert not lab.network.subnet.overlaps(second.lab.network.subnet)
    elsewhere = second.lab.control_planes[0].address
    answer = lab.exec(
        "cp-1", ["curl", "--insecure", "--max-time", "3", f"https://{elsewhere}:6443"], check=False
    )
    assert answer.returncode in (7, 28)  # no way there: refused, or no answer
    with pytest.raises(LabError, match=r"certificate signed by unknown authority"):
        lab.kubectl("get", "nodes", f"--server=https://{elsewhere}:6443")


def test_down_leaves_no_trace_even_of_a_lab_with_faults(lab, second):
    kept = images_and_volumes()
    gone = second.lab
    gone.faults.network("cp-1", delay_ms=1).begin()
    gone.faults.disk("cp-1", "/srv/data", size_mib=16).begin()
    footprint = Footprint.of(gone)
    # The lab makes no firewall rules; all else is seen where it is there.
    assert [kind for kind, found in footprint.left().items() if not found] == ["firewall rules"]
    assert cluster.down(gone.name)
    assert {kind: found for kind, found in footprint.left().items() if found} == {}
    assert images_and_volumes() <= kept
    assert all_labs.find(gone.name) is None
    assert cluster.whole(lab)


@pytest.mark.parametrize("step", ["cp-1: start", "cp-1: kubeadm init"])
def test_down_takes_away_what_a_killed_up_has_left(step):
    killed_while(GONE, step)
    footprint = Footprint.of(all_labs.get(GONE))
    assert cluster.down(GONE)
    assert {kind: found for kind, found in footprint.left().items() if found} == {}
    assert not cluster.down(GONE)
