"""What is made once: whole or not at all, by one process at a time, whatever ends the others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab import cache
from tests.program import END_TIMEOUT, ROOT, Child

# Says when it makes, goes on when told to, and says where the result is. A child outlives its death.
MAKER = """
import subprocess, sys
from pathlib import Path
from tests.lab import cache

def make(folder):
    (folder / "part").write_text("of the first")
    if sys.argv[2:] == ["by-child"]:
        child = subprocess.Popen(["sh", "-c", 'echo making; read word; echo late > "$0/late"', folder])
        child.wait()
    else:
        print("making", flush=True)
        sys.stdin.readline()
    (folder / "whole").touch()

print(cache.once(Path(sys.argv[1]), make), flush=True)
"""


def maker(path: Path, *how: str) -> Child[str]:
    """Another process that wants the folder at `path`."""
    return Child(
        [sys.executable, "-c", MAKER, path, *how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def making(path: Path, *how: str) -> Child[str]:
    """The same, and it is in the middle of making it."""
    process = maker(path, *how)
    assert process.stdout is not None
    assert process.stdout.readline() == "making\n"
    return process


def write_one_file(folder: Path) -> None:
    """Makes a folder with a single file."""
    (folder / "part").write_text("of the second")


def content(folder: Path) -> list[str]:
    """The names of everything in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def wait_until_blocked(process: Child[str]) -> None:
    """Return when the process waits for a lock; fail when it has ended or does not come to that in time."""
    end = time.monotonic() + 30
    while not any("->" in line and f" {process.pid} " in line for line in locks()):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)


def locks() -> list[str]:
    """The kernel's list of locks and of who waits for one («->»)."""
    return Path("/proc/locks").read_text().splitlines()


def test_a_killed_make_leaves_nothing_that_looks_finished_and_the_next_completes(tmp_path):
    path = tmp_path / "thing-1"
    with making(path) as process:
        process.send_signal(signal.SIGKILL)
    assert not path.exists()
    assert cache.once(path, write_one_file) == path
    assert (path / "part").read_text() == "of the second"
    assert content(path) == ["part"]
    assert content(tmp_path) == [".thing-1.lock", "thing-1"]


def test_what_a_killed_make_had_started_writes_into_nobody_elses_folder(tmp_path):
    path = tmp_path / "thing-1"
    with making(path, "by-child") as process:
        process.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        def make(folder: Path) -> None:
            write_one_file(folder)
            process.communicate("go on\n", timeout=END_TIMEOUT)  # returns when the orphan has ended

        cache.once(path, make)
    assert content(path) == ["part"]


def test_a_make_that_fails_leaves_nothing_that_looks_finished(tmp_path):
    path = tmp_path / "thing-1"

    def fail(folder: Path) -> None:
        write_one_file(folder)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.once(path, fail)
    assert not path.exists()
    assert content(cache.once(path, write_one_file)) == ["part"]


def test_two_that_want_the_same_wait_for_each_other_and_make_it_once(tmp_path):
    path = tmp_path / "thing-1"
    with making(path) as first, maker(path) as second:
        wait_until_blocked(second)
        told, _ = first.communicate("go on\n", timeout=END_TIMEOUT)
        assert told == f"{path}\n"
        told, _ = second.communicate(timeout=END_TIMEOUT)
        assert told == f"{path}\n"  # it never said that it makes anything
    assert content(path) == ["part", "whole"]


def test_one_who_waits_makes_it_when_the_other_is_killed(tmp_path):
    path = tmp_path / "thing-1"
    with making(path) as first, maker(path) as second:
        wait_until_blocked(second)
        first.send_signal(signal.SIGKILL)
        told, _ = second.communicate("go on\n", timeout=END_TIMEOUT)
        assert told == f"making\n{path}\n"
    assert content(path) == ["part", "whole"]


def test_what_is_there_is_not_made_again(tmp_path):
    path = tmp_path / "thing-1"
    cache.once(path, write_one_file)
    assert cache.once(path, lambda _folder: pytest.fail("made again")) == path


def test_only_the_newest_recipe_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    old, new = made_after_each_other("images/1.36.3-aaaa", "images/1.36.3-9999")
    other = cache.once(cache.root() / "images/1.37.2-aaaa", write_one_file)
    cache.prune()
    assert [old.exists(), new.exists(), other.exists()] == [False, True, True]


def test_nothing_is_pruned_while_a_lab_is_being_made(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    old, new = made_after_each_other("images/1.36.3-aaaa", "images/1.36.3-9999")
    with cache.in_use():
        cache.prune()
    assert [old.exists(), new.exists()] == [True, True]


def test_nothing_is_pruned_while_a_lab_is_up_that_serves_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    old, new = made_after_each_other("repositories/1.36.3-aaaa", "repositories/1.36.3-9999")
    record = cache.root() / "labs/test/lab.json"
    record.parent.mkdir(parents=True)
    record.touch()
    cache.prune()
    assert [old.exists(), new.exists()] == [True, True]
    record.unlink()
    cache.prune()
    assert [old.exists(), new.exists()] == [False, True]


def made_after_each_other(first: str, second: str) -> tuple[Path, Path]:
    """Two things of the cache, the second one later by the file system's clock, which may be a coarse one."""
    old, new = cache.root() / first, cache.root() / second
    cache.once(old, write_one_file)
    cache.once(new, write_one_file)
    while new.stat().st_ctime_ns <= old.stat().st_ctime_ns:
        new.chmod(0o755)
    return old, new


def test_a_fingerprint_changes_with_texts_names_contents_and_modes(tmp_path):
    file = tmp_path / "recipe/file"
    file.parent.mkdir()
    file.write_text("text")
    seen = {cache.fingerprint("1", file.parent)}
    seen.add(cache.fingerprint("2", file.parent))
    file.write_text("other")
    seen.add(cache.fingerprint("2", file.parent))
    file.chmod(0o755)
    seen.add(cache.fingerprint("2", file.parent))
    file.rename(file.with_name("named"))
    seen.add(cache.fingerprint("2", file.parent))
    assert len(seen) == 5
    assert cache.fingerprint("2", file.parent) in seen
