"""A snapshot opened on this machine."""

import os
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import certificates, local
from kubectl_admin.etcd.past.local import Local, environ_without_etcd
from tests.unit.etcd.past.samples import PAST

WAIT_TIMEOUT = 60  # seconds; nothing here takes so long
UTL = 'cat "$3" > made'
# The socket's name is the one that etcd makes.
BIND = "import socket; socket.socket(1).bind('clients.sock:0')"
PROGRAMS = {
    "etcdutl": UTL,
    "etcd": f'mkfifo s; python3 -c "{BIND}"; read _ < s',
    "kube-apiserver": "mkfifo k; read _ < k",
}


def test_the_settings_of_a_live_member_are_none_of_this_one():
    environ = {"PATH": "/bin", "ETCD_CONFIG_FILE": "/etc/etcd.yaml", "ETCDCTL_API": "3", "HOME": "/h"}
    assert environ_without_etcd(environ) == {"PATH": "/bin", "HOME": "/h"}


def wait_for(script, *arguments):
    loop = f"until {script}; do sleep 0.02; done"
    subprocess.run(["sh", "-c", loop, "wait", *map(str, arguments)], check=True, timeout=WAIT_TIMEOUT)


@pytest.fixture
def running(tmp_path, monkeypatch):
    """Opens a file of this name by stand-ins; gives the directory once they run, and the check."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    there = {}
    for name, text in PROGRAMS.items():
        there[name] = tmp_path / name
        there[name].write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        there[name].chmod(0o700)

    def start(name):
        path = tmp_path / name
        path.write_bytes(b"content")
        own = Local(None, None, "", os.environ)
        return local.running(replace(PAST, path=path), own, there, certificates.make())

    return start


def opened_directory():
    (directory,) = Path(tempfile.gettempdir()).iterdir()
    wait_for('[ -s "$1/kube-apiserver.pid" ]', directory)
    return directory


def pids_in(directory):
    return [int((directory / f"{name}.pid").read_text()) for name in ("etcd", "kube-apiserver")]


@pytest.mark.parametrize("name", ["a.db", "a b\n--data-dir=x\n.db", "-.db"])
def test_a_file_may_have_any_name(running, name):
    with running(name) as (_, check):
        directory = opened_directory()
        assert (directory / "made").read_bytes() == b"content"
        check()
    assert not directory.exists()


def test_programs_that_the_shell_has_left_are_ended_with_its_group(running):
    with running("a.db") as (_, check):
        directory = opened_directory()
        pids = pids_in(directory)
        runner = int((directory / "bound").read_text())
        os.kill(runner, signal.SIGKILL)
        wait_for("grep -qs '^State:.Z' /proc/$1/status", runner)
        with pytest.raises(AdminError, match=r"^the shell that runs etcd and kube-apiserver was killed$"):
            check()
    for pid in pids:
        wait_for('! kill -0 "$1" 2> /dev/null', pid)
    assert not directory.exists()
