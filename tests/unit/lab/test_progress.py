"""A step that fails says which, why, and where its log is."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.progress import Progress
from tests.program import ROOT, Child

# Says, through a named pipe, the number of a command of its own that would go on for a minute.
PARENT = """
import sys
from pathlib import Path
from tests.lab.progress import Progress

with Progress("lab x", Path(sys.argv[1]), quiet=True).step("sleep", "sleep") as step:
    step.run(["sh", "-c", 'echo $$ > "$0"; exec sleep 60', sys.argv[2]], tied=True)
"""


def test_a_step_that_fails_is_named_with_its_last_words_and_its_log(tmp_path):
    progress = Progress("lab x", tmp_path / "logs", quiet=True)
    with pytest.raises(LabError) as caught, progress.step("cp-1: kubeadm init", "cp-1-kubeadm") as step:
        step.run(["sh", "-c", "echo fine; echo no such thing >&2; exit 3"])
    log = tmp_path / "logs/cp-1-kubeadm.log"
    assert str(caught.value) == (
        "cp-1: kubeadm init: «sh -c echo fine; echo no such thing >&2; exit 3» ended with 3: no such thing\n"
        f"       log: {log}"
    )
    assert log.read_text().splitlines()[1:] == ["no such thing", "fine"]


def test_a_program_that_is_not_there_is_said(tmp_path):
    progress = Progress("lab x", tmp_path, quiet=True)
    with pytest.raises(LabError, match="no-such-program is not on this machine"):  # noqa: SIM117
        with progress.step("make", "make") as step:
            step.run(["no-such-program"])


def test_a_failed_up_says_the_step_and_where_its_log_is(tmp_path):
    """Everything that it would need of this machine is a stand-in; its Go can't download anything."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in {
        "dpkg-query": 'printf "install ok installed"',
        "go": 'echo "module lookup disabled" >&2; exit 1',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "tests.lab", "up", "broken"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={"PATH": str(programs), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    error, log = ended.stderr.splitlines()[-2:]
    assert error.startswith("error: build kubernetes 1.36.3 (about 9 minutes on two cores): «")
    assert error.endswith("ended with 1: module lookup disabled")
    path = log.removeprefix("       log: ")
    assert "module lookup disabled" in Path(path).read_text()
    assert not (tmp_path / "cache/kubectl-admin-lab/bin/kubernetes-1.36.3").exists()


def test_a_tied_command_ends_with_the_process_that_runs_it_however_that_ends(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with Child([sys.executable, "-c", PARENT, tmp_path, pipe], cwd=ROOT) as parent:
        child = int(pipe.read_text())
        parent.send_signal(signal.SIGKILL)
    assert ends(child)


def ends(process: int) -> bool:
    """Whether a process that is no child of this one has ended, or does before a deadline."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 30)[0])
    finally:
        os.close(descriptor)
