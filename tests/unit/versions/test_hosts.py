from datetime import date
from types import SimpleNamespace

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.versions import hosts, upstream
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Reach
from kubectl_admin.versions.hosts import completed, on_disk
from kubectl_admin.versions.judge import judge
from kubectl_admin.versions.version import Version
from tests.unit.versions.samples import cluster, part

CONTROL_PLANE = """kubelet-version v1.37.2
kubelet-server https://10.0.0.11:6443
controller-manager-server https://127.0.0.1:6443
scheduler-server https://lb.example:6443
apiserver-address 10.0.0.11
"""


@pytest.mark.parametrize("missing", [False, True])
def test_one_kubelets_refusal_is_the_gap_of_its_node(missing):
    refused = Forbidden(403, "Forbidden", "no")
    told = {"w1": refused, "w2": hosts.OnDisk(Version(1, 37, 2), {})}
    api = SimpleNamespace(review=lambda *_, **__: {"status": {"allowed": not missing}})
    many = SimpleNamespace(cluster=api, options=Options(), ask=lambda *_, **__: told)
    facts = cluster({"cp1": "1.37.2"}, {"w1": "1.36.3", "w2": "1.36.3"})
    if missing:
        with pytest.raises(AdminError, match=r"may not .*create and get pods/exec in namespace kube-system"):
            hosts.read_hosts(many, facts)
        return
    seen = hosts.read_hosts(many, facts)
    assert [(gap.what, gap.why) for gap in seen.gaps] == [("the disk of node w1", refused.what)]
    assert [part.node for part in seen.of(Component.KUBELET) if part.installed] == ["w2"]


def test_what_a_control_plane_says():
    disk = on_disk(CONTROL_PLANE)
    assert disk.kubelet == Version.parse("1.37.2")
    assert disk.reaches == {
        Component.KUBELET: Reach.LOCAL,
        Component.CONTROLLER_MANAGER: Reach.LOCAL,
        Component.SCHEDULER: Reach.ANY,
    }


@pytest.mark.parametrize("answer", ["", "kubelet-version", "kubelet-version nonsense", "x\ny z"])
def test_what_is_not_said_is_not_known(answer):
    disk = on_disk(answer)
    assert disk.kubelet is None
    assert disk.reaches == {}


def test_a_server_that_makes_no_sense_may_be_any():
    assert on_disk("kubelet-server https://[::1:6443").reaches == {Component.KUBELET: Reach.ANY}


def test_a_kubelet_that_was_upgraded_and_not_restarted_is_found():
    facts = cluster({"cp1": "1.37.2"}, {"w1": "1.36.3", "w2": "1.36.3"})
    disk = on_disk("kubelet-version v1.37.2")
    instances = tuple(completed(each, disk if each.node == "w1" else None) for each in facts.instances)
    table = upstream.load()
    facts = cluster({"cp1": "1.37.2"}, {}, *(each for each in instances if each.node != "cp1"))
    found = {each.rule: each for each in judge(facts, breaches(facts), table, date(2026, 11, 25))}
    assert found["restart-pending"].objects == ("node/w1",)
    assert "1.37.2 is installed" in found["restart-pending"].evidence


def test_whom_a_process_was_seen_to_talk_to_counts_before_its_file():
    disk = on_disk(CONTROL_PLANE)
    seen = part(Component.SCHEDULER, "1.37.2", reach=Reach.LOCAL)
    unseen = part(Component.SCHEDULER, "1.37.2")
    assert completed(seen, disk).reach is Reach.LOCAL
    assert completed(unseen, disk).reach is Reach.ANY
    assert completed(unseen, disk).installed is None
