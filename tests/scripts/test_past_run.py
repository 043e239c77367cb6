"""scripts/past-run.sh: the programs of an opened snapshot run, and nothing of them is left."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.host import Shell

WAIT_TIMEOUT = 60  # seconds; nothing here takes so long
UTL = "echo 'made of' \"$@\"; [ ! -e fail ]"
# The socket's name is the one that etcd makes.
BIND = "import socket; socket.socket(1).bind('clients.sock:0')"
ETCD = f'mkfifo s; python3 -c "{BIND}"; read _ < s'
SERVER = "mkfifo k; read _ < k"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory of an opening, with stand-ins for its programs."""
    path = tmp_path / "0123456789"
    path.mkdir()
    for name, text in (("etcdutl", UTL), ("etcd", ETCD), ("kube-apiserver", SERVER)):
        program = path / name
        program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        program.chmod(0o700)
        (path / f"{name}.words").write_text(f"--a={name}\na word\n$(b)\n", encoding="utf-8")
    (path / "snapshot.db").write_bytes(b"x")
    (path / "go").touch()
    return path


@pytest.fixture
def started() -> Iterator["list[subprocess.Popen[bytes]]"]:
    """Runs that are ended with the test, and all that they have started."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        if process.stdin:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(WAIT_TIMEOUT)


def start(
    shell: Shell, directory: Path, silence: int, started: "list[subprocess.Popen[bytes]]"
) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        shell.command("past-run", str(directory), str(silence)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**shell.env(), "PATH": f"{shell.path}:{os.environ['PATH']}"},
        start_new_session=True,
        cwd="/",
    )
    started.append(process)
    return process


def wait_for(script: str, *arguments: object) -> None:
    """Waits until a shell finds it so."""
    loop = f"until {script}; do sleep 0.02; done"
    subprocess.run(["sh", "-c", loop, "wait", *map(str, arguments)], check=True, timeout=WAIT_TIMEOUT)


def wait_until_open(directory: Path) -> list[int]:
    """The processes of etcd and the API server, once they run."""
    wait_for('[ -s "$1/kube-apiserver.pid" ]', directory)
    return [int((directory / f"{name}.pid").read_text()) for name in ("etcd", "kube-apiserver")]


def wait_until_gone(directory: Path, pids: list[int]) -> None:
    wait_for('[ ! -e "$1" ]', directory)
    for pid in pids:
        wait_for('! kill -0 "$1" 2> /dev/null', pid)


def test_all_three_run_with_their_words_and_end_with_standard_input(shell, directory, started):
    process = start(shell, directory, 0, started)
    pids = wait_until_open(directory)
    assert (directory / "etcdutl.log").read_text() == "made of --a=etcdutl a word $(b)\n"
    assert not (directory / "snapshot.db").exists()
    process.stdin.close()
    wait_until_gone(directory, pids)
    process.wait(WAIT_TIMEOUT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_terminals_signals_do_not_end_it(shell, directory, started, number):
    process = start(shell, directory, 0, started)
    pids = wait_until_open(directory)
    process.send_signal(number)
    process.stdin.close()
    wait_until_gone(directory, pids)


def test_it_ends_when_the_last_word_is_too_long_ago(shell, directory, started):
    """The word is of the machine's start, and that is the limit for a second to come, at most."""
    uptime = int(float(Path("/proc/uptime").read_text(encoding="ascii").split()[0]))
    (directory / "alive").write_text("0\n", encoding="ascii")
    start(shell, directory, uptime + 3, started)
    wait_until_gone(directory, [])


def test_without_any_word_it_ends_at_once(shell, directory, started):
    start(shell, directory, 1, started)
    wait_until_gone(directory, [])


def test_it_stays_open_while_words_come(shell, directory, started):
    (directory / "alive").write_text("0\n", encoding="ascii")
    process = start(shell, directory, 1 << 40, started)
    process.stdin.close()
    wait_until_open(directory)
    assert process.poll() is None


def test_the_end_of_a_program_is_noted(shell, directory, started):
    start(shell, directory, 0, started)
    pids = wait_until_open(directory)
    os.kill(pids[0], signal.SIGKILL)
    wait_for('[ "$(cat "$1/etcd.ended" 2> /dev/null)" = 137 ]', directory)


def test_nothing_starts_without_a_database(shell, directory, started):
    (directory / "fail").touch()
    process = start(shell, directory, 0, started)
    wait_for('[ "$(cat "$1/etcdutl.ended" 2> /dev/null)" = 1 ]', directory)
    assert not (directory / "etcd.pid").exists()
    process.stdin.close()
    wait_until_gone(directory, [])


def test_nothing_runs_before_the_word_to_go(shell, directory, started):
    """A run that sends the snapshot may be killed: all is gone then as well."""
    (directory / "go").unlink()
    process = start(shell, directory, 0, started)
    wait_for('[ -s "$1/bound" ]', directory)
    assert int((directory / "bound").read_text()) == process.pid
    assert not (directory / "etcdutl.pid").exists()
    (directory / "go").touch()
    pids = wait_until_open(directory)
    process.stdin.close()
    wait_until_gone(directory, pids)


def test_without_any_word_it_ends_while_it_still_waits(shell, directory, started):
    (directory / "go").unlink()
    start(shell, directory, 1, started)
    wait_until_gone(directory, [])
