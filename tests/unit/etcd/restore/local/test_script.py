"""The printed script: one file, whole, for any POSIX shell, with all parts as they are."""

import re
import subprocess

import pytest

from kubectl_admin.etcd.restore.local.script import PARTS, bare, printed
from kubectl_admin.etcd.restore.local.settings import Peer, Settings
from kubectl_admin.etcd.restore.on_nodes import steps
from kubectl_admin.etcd.restore.on_nodes.arm import unit_of
from kubectl_admin.node.script import Script

SETTINGS = Settings("0123456789", "ab" * 32, 7, 5, (Peer("cp-1", "https://10.0.0.1:2380"),))


@pytest.mark.parametrize("text", [printed(SETTINGS, "1.0"), bare()], ids=["printed", "bare"])
def test_a_shell_takes_it_whole(text, shell, tmp_path):
    file = tmp_path / "restore.sh"
    file.write_text(text)
    done = subprocess.run([*shell.argv, "-n", file], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert text.startswith("#!/bin/sh\n")
    assert text.endswith('\nmain "$@"\nexit\n')
    assert not re.search(r"^\s*\. \.", text, re.MULTILINE)  # includes that were not resolved
    assert "{" not in text.splitlines()[3]


def test_each_part_comes_out_as_it_is(shell, tmp_path):
    text = printed(SETTINGS, "1.0")
    head = text[: text.index("# Restores etcd on this control-plane node, by itself: for when")]
    wanted = {f"restore-{name}": Script("etcd", f"restore-{name}").text() for name in PARTS}
    wanted |= {"restore-steps": steps.text(), "restore-unit": unit_of("@PATHS@")}
    file = tmp_path / "head.sh"
    for name, whole in wanted.items():
        file.write_text(f"{head}part {name}\n")
        done = subprocess.run([*shell.argv, file], capture_output=True, check=True)
        assert done.stdout.decode() == whole
    file.write_text(f"{head}settings\n")
    done = subprocess.run([*shell.argv, file], capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == list(SETTINGS.lines())


def test_the_head_says_how_it_is_used():
    lines = printed(SETTINGS, "1.0").splitlines()[:6]
    assert lines[1].endswith("Run it as root on each of: cp-1")
    assert "SNAPSHOT" in lines[2]
    assert "operation 0123456789, revisions raised by 5" in lines[4]
    own = printed(Settings("0123456789", "own", 0, 5, SETTINGS.members), "1.0")
    assert "SNAPSHOT" not in own.splitlines()[2]
