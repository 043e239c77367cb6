"""Whose work something is, and whether that process still runs."""

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubectl_admin.node import operation
from kubectl_admin.node.operation import UNKNOWN, Operation, Owner
from tests.program import Child

STAT = "{pid} ({name}) {state} 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 {started} 20 21\n"


@pytest.fixture
def proc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A /proc with nothing in it but this system's names; no process lives that has no entry there."""
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("b007\n")
    (tmp_path / f"{os.getpid()}/ns").mkdir(parents=True)
    (tmp_path / f"{os.getpid()}/ns/pid").symlink_to("pid:[4026531836]")
    (tmp_path / "self").symlink_to(str(os.getpid()))

    def kill(pid: int, number: int) -> None:
        assert number == 0
        if not (tmp_path / str(pid)).exists():
            raise ProcessLookupError

    monkeypatch.setattr(operation, "PROC", tmp_path)
    monkeypatch.setattr(os, "kill", kill)
    return tmp_path


def put(proc: Path, pid: int, started: str, name: str = "python3", state: str = "S") -> None:
    """A process with this entry in /proc."""
    (proc / str(pid)).mkdir(exist_ok=True)
    text = STAT.format(pid=pid, name=name, state=state, started=started)
    (proc / str(pid) / "stat").write_bytes(text.encode("latin-1"))


def owner(pid: int = 42, started: str = "777", place: str = "b007/pid:[4026531836]") -> Owner:
    return Owner("ann@laptop", place, pid, started)


def test_this_process_is_alive_and_has_not_ended():
    mine = Operation.begin().owner
    assert mine.is_alive()
    assert not mine.has_ended()
    assert mine.pid == os.getpid()


def test_a_process_that_was_waited_for_has_ended():
    with Child([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        other = Owner("ann@laptop", operation.place(), process.pid, operation.started(process.pid))
        assert other.is_alive()
    assert other.has_ended()
    assert not other.is_alive()


def test_a_process_of_which_only_its_exit_code_is_left_has_ended():
    with Child([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        other = Owner("ann@laptop", operation.place(), process.pid, operation.started(process.pid))
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert other.has_ended()


@pytest.mark.parametrize("name", ["python3", "a b", ") R 1 2 (", "caf\xe9"])
def test_the_start_is_read_behind_any_name(proc, name):
    put(proc, 42, "777", name)
    assert operation.started(42) == "777"
    assert owner().is_alive()


def test_a_number_that_came_again_is_another_process(proc):
    put(proc, 42, "9999")
    assert owner().has_ended()
    assert not owner().is_alive()


def test_a_process_that_is_not_there_has_ended(proc):
    assert proc
    assert owner().has_ended()


@pytest.mark.parametrize("answer", [None, PermissionError()])
def test_a_process_that_is_hidden_in_proc_has_not_ended(proc, monkeypatch, answer):
    def kill(_pid: int, _number: int) -> None:
        if answer:
            raise answer

    monkeypatch.setattr(os, "kill", kill)
    assert not (proc / "42").exists()
    assert not owner().has_ended()
    assert owner().is_alive()


def test_a_hidden_process_that_is_gone_has_ended(proc):
    assert not (proc / "42").exists()
    assert owner(started=UNKNOWN).has_ended()


def test_a_process_that_could_not_read_its_own_start_is_told_by_its_number(proc):
    put(proc, 42, "777")
    assert not owner(started=UNKNOWN).has_ended()


def test_of_a_number_that_no_system_has_nothing_is_known():
    assert not owner(pid=9_999_999_999, place=operation.place()).has_ended()


def test_a_proc_of_another_process_namespace_tells_of_nobody(proc):
    (proc / "self").unlink()
    (proc / "77777777").symlink_to(str(os.getpid()))
    (proc / "self").symlink_to("77777777")
    assert operation.place() == UNKNOWN
    assert not owner().has_ended()


@pytest.mark.parametrize("state", ["Z", "X"])
def test_a_zombie_has_ended(proc, state):
    put(proc, 42, "777", state=state)
    assert owner().has_ended()


@pytest.mark.parametrize("place", ["0ther/pid:[4026531836]", "b007/pid:[4026532999]", UNKNOWN])
@pytest.mark.parametrize("there", [True, False])
def test_of_another_machine_boot_or_container_nothing_is_known(proc, place, there):
    if there:
        put(proc, 42, "777")
    assert not owner(place=place).has_ended()
    assert not owner(place=place).is_alive()


def test_a_system_that_tells_nothing_of_itself_knows_of_nobody(monkeypatch, tmp_path):
    monkeypatch.setattr(operation, "PROC", tmp_path)
    assert operation.place() == UNKNOWN
    assert not owner(place=UNKNOWN, started=UNKNOWN).has_ended()
    assert not owner(place=UNKNOWN, started=UNKNOWN).is_alive()


def test_an_owner_is_read_as_it_was_written():
    mine = Operation.begin().owner
    assert Owner.parse(str(mine)) == mine
    assert Owner.parse(f"{mine}\n") == mine


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "ann place 1",
        "ann place x 1",
        "ann place -1 1",
        "a b 1 2 3",
        "a b ² 2",
        "a b ١ 2",
        "a b 12345678901 2",
        f"x y {'9' * 5000} z",
        f"{'x' * 5000} y 1 z",
    ],
)
def test_anything_else_is_no_owner(text):
    assert Owner.parse(text) is None


def test_a_user_without_a_name_is_a_number(monkeypatch):
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert Owner.of_process().person.startswith(f"{os.getuid()}@")


def test_a_name_with_spaces_is_one_word(monkeypatch):
    monkeypatch.setattr(getpass, "getuser", lambda: "Ann  of\tCleves")
    mine = Owner.of_process()
    assert mine.person.startswith("Ann_of_Cleves@")
    assert Owner.parse(str(mine)) == mine


def test_operations_have_names_of_their_own():
    names = {Operation.begin().id for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 10 and int(name, 16) >= 0 for name in names)
