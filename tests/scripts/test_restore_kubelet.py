"""scripts/restore-kubelet.sh, with a stand-in for systemd and processes that stand for kubelets."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kubectl_admin.etcd.restore.afterwards.kubelets import parsed
from kubectl_admin.node.script import END
from tests.fakes.host import Shell

# Starts another process for a kubelet, unless it is told that none starts; asked twice, it is the same one.
SYSTEMCTL = """#!/bin/sh
folder={folder}
case $1 in
  show) echo "MainPID=$(cat "$folder/pid")" ;;
  is-active) if [ "$(cat "$folder/pid")" = 0 ]; then echo failed; else echo active; fi ;;
  restart)
    [ "$*" = "restart --no-block kubelet" ] || exit 9
    echo restart >> "$folder/calls"
    if [ -e "$folder/dead" ]; then echo 0 > "$folder/pid"; exit; fi
    sleep 300 > /dev/null 2>&1 < /dev/null &
    echo $! > "$folder/pid"
    echo $! >> "$folder/pids" ;;
  *) exit 9 ;;
esac
"""
UID = "0f0f0f0f-1111-2222-3333-444444444444"
DAY = 86400  # seconds
INNER = "bbbbbbbb-1111-2222-3333-444444444444"
FROM_SYSTEMD = UID.replace("-", "_").replace("0f0f0f0f", "aaaaaaaa")


class Node:
    """A node's kubelet, processes and logs in a temporary directory."""

    def __init__(self, folder: Path, shell: Shell) -> None:
        self.folder, self.shell = folder, shell
        self.started: list[subprocess.Popen[bytes]] = []
        for name in ("bin", "proc", "logs"):
            (folder / name).mkdir()
        systemctl = folder / "bin/systemctl"
        systemctl.write_text(SYSTEMCTL.format(folder=folder))
        systemctl.chmod(0o755)
        (folder / "pids").touch()
        (folder / "pid").write_text("0\n")

    def start(self) -> None:
        """A kubelet that begins now."""
        kubelet = subprocess.Popen(["sleep", "300"])
        self.started.append(kubelet)
        (self.folder / "pid").write_text(f"{kubelet.pid}\n")

    def process(self, number: int, cgroup: str) -> None:
        there = self.folder / "proc" / str(number)
        there.mkdir()
        (there / "cgroup").write_text(cgroup)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        command = self.shell.command("restore-kubelet", *arguments)
        text = str(command[2]).replace("/proc/[0-9]*/cgroup", f"{self.folder}/proc/[0-9]*/cgroup")
        text = text.replace("/var/log/pods", f"{self.folder}/logs").replace("patience=60", "patience=1")
        command[2] = text
        env = self.shell.env(str(self.folder / "bin"))
        return subprocess.run(command, check=False, capture_output=True, env=env, cwd="/", timeout=60)

    def answer(self, *arguments: str) -> tuple[float | None, dict[str, str]]:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.endswith(END)
        return parsed(done.stdout.removesuffix(END))

    @property
    def restarts(self) -> int:
        path = self.folder / "calls"
        return len(path.read_text().split()) if path.exists() else 0


@pytest.fixture
def node(tmp_path: Path, shell: Shell) -> Iterator[Node]:
    there = Node(tmp_path, shell)
    yield there
    for kubelet in there.started:
        kubelet.kill()
        kubelet.wait()
    for number in (tmp_path / "pids").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(number), signal.SIGKILL)


def test_a_kubelet_that_is_older_than_the_api_is_restarted(node):
    node.start()
    age, pods = node.answer("restart", "0")
    assert age is not None
    assert (pods, node.restarts) == ({}, 1)


def test_one_that_is_younger_is_left_alone(node):
    """A day is longer than a test takes, and than this machine's kubelet is old."""
    node.start()
    age, _ = node.answer("restart", "8640000")
    assert age is not None
    assert age < DAY
    assert node.restarts == 0


def test_the_next_try_finds_the_one_that_the_last_has_started(node):
    node.start()
    node.answer("restart", "0")
    age, _ = node.answer("restart", "8640000")
    assert age is not None
    assert age < DAY
    assert node.restarts == 1


def test_one_that_does_not_start_again_is_said(node):
    node.start()
    (node.folder / "dead").touch()
    done = node.run("restart", "0")
    assert done.returncode == 1
    assert b"does not start again" in done.stderr
    assert END not in done.stdout


def test_a_host_without_a_kubelet_is_said(node):
    done = node.run("restart", "0")
    assert (done.returncode, node.restarts) == (1, 0)
    assert b"the kubelet is not running" in done.stderr


def test_pods_are_known_by_their_processes(node):
    kubepods = "/kubepods.slice/kubepods-besteffort.slice"
    node.process(1, "0::/init.scope\n")
    node.process(2, f"0::/kubepods/besteffort/pod{UID}/abc\n")
    node.process(3, f"0::/kubepods/besteffort/pod{UID}/def\n")
    node.process(4, f"0::{kubepods}/kubepods-besteffort-pod{FROM_SYSTEMD}.slice/cri-containerd-1.scope\n")
    # A static pod's; a pod within a pod; the old hierarchy; a name of somebody's own.
    node.process(5, f"0::/kubepods/burstable/pod{'0' * 32}/abc\n")
    node.process(6, f"0::/kubepods/pod{UID}/abc/kubepods/pod{INNER}/x\n")
    node.process(7, f"12:cpu:/kubepods/pod{UID}/abc\n11:memory:/kubepods/pod{UID}/abc\n")
    node.process(8, "0::/system.slice/podman@1000.service\n")
    (node.folder / f"logs/ns_web-1_{UID}").mkdir()
    assert node.answer("pods") == (None, {UID: "ns/web-1", FROM_SYSTEMD.replace("_", "-"): ""})


def test_pods_are_told_beside_the_restart(node):
    node.start()
    node.process(2, f"0::/kubepods/pod{UID}\n")
    assert node.answer("restart", "8640000")[1] == {UID: ""}


def test_a_node_without_a_pod_has_none(node):
    assert node.answer("pods") == (None, {})
