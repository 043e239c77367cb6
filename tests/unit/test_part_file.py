"""A file is there whole or not at all, whatever ends the program that writes it."""

import errno
import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from kubectl_admin import part_file
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.part_file import PartFile, Spool
from tests.program import ROOT

SECRET = b"every Secret of the cluster"


def names(folder: Path) -> list[str]:
    """What is in the folder; the random middle of a part's name is left out."""
    return sorted(re.sub(r"\.[0-9a-f]{16}\.part$", ".part", each.name) for each in folder.iterdir())


def dead_part(target: Path, content: bytes = b"x" * 10_000) -> Path:
    """A part of this target that a run of this machine has left."""
    stale = target.with_name(f"{target.name}.{part_file.machine()}00000000.part")
    stale.write_bytes(content)
    return stale


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def keep(target: Path, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Writes the target as it is meant; something happens before it has its name."""
    with PartFile(target) as part:
        part.write(SECRET)
        meanwhile()
        part.publish()


def fail(error: BaseException) -> None:
    raise error


def child(code: str, *arguments: object, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """How a process ends that runs this code on a PartFile. limit: bytes that a file of it may have."""
    preamble = """
        import os, resource, signal, sys
        from pathlib import Path
        from kubectl_admin.errors import AdminError
        from kubectl_admin.part_file import PartFile, Spool
        target = Path(sys.argv[1])
        if sys.argv[2] != "-":
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    """
    text = textwrap.dedent(preamble) + textwrap.dedent(code)
    return subprocess.run(
        [sys.executable, "-c", text, str(arguments[0]), "-" if limit is None else str(limit)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
    )


def test_what_was_left_out_is_written_later(tmp_path):
    with PartFile(tmp_path / "a") as part:
        part.write(b"....")
        part.write(b"end")
        part.write_at(1, b"HE")
        part.write(b"!")
        assert part.read_at(0, 100) == b".HE.end!"
        assert part.read_at(4, 3) == b"end"
        assert part.read_at(8, 3) == b""
        part.publish()
    assert (tmp_path / "a").read_bytes() == b".HE.end!"


def test_a_disk_that_gives_nothing_back_is_an_error(tmp_path):
    with PartFile(tmp_path / "a") as part, pytest.raises(AdminError, match="a can't be read: Invalid"):
        part.read_at(-1, 3)


def test_a_file_gets_its_name_when_it_is_whole(tmp_path):
    target = tmp_path / "snapshot.db"
    with PartFile(target) as part:
        part.write(SECRET)
        part.write(SECRET)
        assert names(tmp_path) == ["snapshot.db.part"]
        part.settle()
        assert part.path.read_bytes() == SECRET * 2
        part.publish()
        assert names(tmp_path) == ["snapshot.db"]
    assert target.read_bytes() == SECRET * 2
    assert names(tmp_path) == ["snapshot.db"]


def test_what_is_not_published_is_gone(tmp_path):
    with PartFile(tmp_path / "snapshot.db") as part:
        part.write(SECRET)
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [AdminError("no"), KeyboardInterrupt(), SystemExit()])
def test_an_error_leaves_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        keep(tmp_path / "snapshot.db", lambda: fail(error))
    assert names(tmp_path) == []


def test_it_is_its_owners_alone_from_the_first_moment_on_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        with PartFile(tmp_path / "snapshot.db") as part:
            assert mode(part.path) == 0o600
            part.publish()
    finally:
        os.umask(before)
    assert mode(tmp_path / "snapshot.db") == 0o600


def test_the_part_of_a_run_that_is_dead_is_replaced_and_not_written_into(tmp_path):
    stale = dead_part(tmp_path / "snapshot.db")
    stale.chmod(0o644)
    with stale.open("rb") as reader:  # who could read the old one reads nothing of the new one
        with PartFile(tmp_path / "snapshot.db") as part:
            part.write(SECRET)
            assert mode(part.path) == 0o600
            part.publish()
        assert SECRET not in reader.read()
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET
    assert names(tmp_path) == ["snapshot.db"]


def test_a_killed_process_leaves_a_part_that_the_next_one_replaces(tmp_path):
    target = tmp_path / "snapshot.db"
    ended = child(
        """
        with PartFile(target) as part:
            part.write(b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        target,
    )
    assert ended.returncode == -signal.SIGKILL
    assert names(tmp_path) == ["snapshot.db.part"]
    with PartFile(target) as part:
        part.write(SECRET)
        part.publish()
    assert names(tmp_path) == ["snapshot.db"]


def test_a_part_that_another_process_writes_is_left_alone(tmp_path):
    target = tmp_path / "snapshot.db"
    with PartFile(target) as part:
        part.write(SECRET)
        ended = child(
            """
            try:
                with PartFile(target):
                    pass
            except AdminError as error:
                print(error.what, error.hint, sep="|")
            """,
            target,
        )
        assert ended.stdout == f"{target} is being written by another run|wait until that run has ended\n"
        part.publish()
    assert target.read_bytes() == SECRET


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
def test_what_another_user_has_put_there_stops_nobody(tmp_path):
    """In a shared folder anybody may make a file whose name begins like our parts', and lock it."""
    target = tmp_path / "snapshot.db"
    theirs = tmp_path / f"{target.name}.{part_file.machine()}theirs.part"
    theirs.write_bytes(b"x")
    os.chown(theirs, 65534, 65534)
    with theirs.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with PartFile(target) as part:
            part.write(SECRET)
            part.publish()
    assert target.read_bytes() == SECRET
    assert theirs.exists()


def test_a_part_that_can_not_be_removed_does_not_make_a_failure_of_what_is_whole(tmp_path, monkeypatch):
    """As in a folder that files may only be added to."""
    target = tmp_path / "snapshot.db"
    with PartFile(target) as part:
        part.write(SECRET)
        monkeypatch.setattr(Path, "unlink", refuse)
        part.publish()
        monkeypatch.undo()
    assert target.read_bytes() == SECRET


def refuse(*_: object, **__: object) -> None:
    raise PermissionError(errno.EPERM, "Operation not permitted")


def test_two_in_one_process_do_not_write_the_same_part(tmp_path):
    with PartFile(tmp_path / "snapshot.db") as part:
        part.write(SECRET)
        with pytest.raises(AdminError, match="another run"), PartFile(tmp_path / "snapshot.db"):
            pass
        assert part.path.read_bytes() == SECRET


def test_a_part_that_is_taken_for_a_dead_one_before_it_is_locked_is_begun_anew(tmp_path, monkeypatch):
    lock, taken = fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        """Another run has removed the first part of this one before that was locked."""
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].unlink()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    keep(tmp_path / "snapshot.db")
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET
    assert names(tmp_path) == ["snapshot.db"]


@pytest.mark.parametrize("force", [False, True])
def test_two_runs_whose_locks_do_not_reach_each_other_do_not_take_each_others_part(
    tmp_path, monkeypatch, force
):
    """As on a file system that several machines share: each has its own locks, and its own name."""
    target = tmp_path / "snapshot.db"
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    with PartFile(target, force=force) as first:
        first.write(SECRET)
        monkeypatch.setattr(part_file, "machine", lambda: "another1")
        with PartFile(target, force=force) as second:
            second.write(b"half")
            first.publish()
            assert target.read_bytes() == SECRET
            if not force:
                with pytest.raises(UsageError, match="already exists"):
                    second.publish()
    assert target.read_bytes() == SECRET
    assert names(tmp_path) == ["snapshot.db"]


def test_a_part_that_nobody_can_lock_is_not_removed(tmp_path, monkeypatch):
    stale = dead_part(tmp_path / "snapshot.db")
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(OSError(errno.ENOLCK, "No locks available")))
    keep(tmp_path / "snapshot.db")
    assert stale.exists()
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET


def test_a_part_of_another_machine_is_not_removed(tmp_path, monkeypatch):
    stale = dead_part(tmp_path / "snapshot.db")
    monkeypatch.setattr(part_file, "machine", lambda: "another1")
    keep(tmp_path / "snapshot.db")
    assert stale.exists()


@pytest.mark.parametrize("force", [False, True])
def test_what_was_put_in_the_place_of_the_part_never_gets_the_name(tmp_path, force):
    target = tmp_path / "snapshot.db"
    with PartFile(target, force=force) as part:
        part.write(SECRET)
        part.path.unlink()
        part.path.write_bytes(b"another's")
        assert part.content.read_bytes() == SECRET
        with pytest.raises(AdminError, match="was removed or replaced while it was written"):
            part.publish()
    assert names(tmp_path) == ["snapshot.db.part"]


@pytest.mark.parametrize("force", [False, True])
def test_what_is_exchanged_while_it_gets_its_name_is_told(tmp_path, monkeypatch, force):
    target = tmp_path / "snapshot.db"
    with PartFile(target, force=force) as part:
        part.write(SECRET)
        link, rename = os.link, Path.rename

        def exchange() -> None:
            part.path.unlink()
            part.path.write_bytes(b"another's")

        monkeypatch.setattr(os, "link", lambda *names, **how: exchange() or link(*names, **how))
        monkeypatch.setattr(Path, "rename", lambda *names: exchange() or rename(*names))
        with pytest.raises(AdminError, match=r"snapshot.db is not the file that was written"):
            part.publish()


def test_a_file_that_comes_while_the_name_is_given_is_not_replaced(tmp_path, monkeypatch):
    target = tmp_path / "snapshot.db"
    link = os.link

    def late(*names: Path, **how: bool) -> None:
        target.write_bytes(b"somebody else's")
        link(*names, **how)

    monkeypatch.setattr(part_file.os, "link", late)
    with pytest.raises(UsageError, match="already exists"):
        keep(target)
    assert target.read_bytes() == b"somebody else's"
    assert names(tmp_path) == ["snapshot.db"]


def test_a_file_system_without_links_renames(tmp_path, monkeypatch):
    error = OSError(errno.EPERM, "Operation not permitted")
    monkeypatch.setattr(part_file.os, "link", lambda *_, **__: fail(error))
    keep(tmp_path / "snapshot.db")
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET
    assert names(tmp_path) == ["snapshot.db"]


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path):
    target = tmp_path / "snapshot.db"
    target.write_bytes(b"older")
    target.chmod(0o644)
    with pytest.raises(UsageError, match="already exists") as refused, PartFile(target):
        pass
    assert "--force" in str(refused.value.hint)
    assert names(tmp_path) == ["snapshot.db"]
    with PartFile(target, force=True) as part:
        part.write(SECRET)
        assert target.read_bytes() == b"older"
        part.publish()
    assert target.read_bytes() == SECRET
    assert mode(target) == 0o600


@pytest.mark.parametrize(
    ("refused", "kept"),
    [("", 0o664), ("owner", 0o664), ("owner, group", 0o604)],
    ids=["root", "member", "other"],
)
def test_it_takes_after_another_file_as_far_as_it_may(tmp_path, monkeypatch, refused, kept):
    """A group that is not the other file's gets nothing by the mode that was meant for that one."""
    other, target, given = tmp_path / "other", tmp_path / "config", {}
    other.touch()
    other.chmod(0o664)

    def change(_descriptor: int, owner: int, group: int) -> None:
        what, whose = ("group", group) if owner == -1 else ("owner", owner)
        if what in refused:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        given[what] = whose

    monkeypatch.setattr(part_file.os, "fchown", change)
    with PartFile(target) as part:
        part.take_after(other.stat())
        part.write(SECRET)
        part.publish()
    everything = {"owner": other.stat().st_uid, "group": other.stat().st_gid}
    assert given == {what: whose for what, whose in everything.items() if what not in refused}
    assert mode(target) == kept


def test_a_mode_that_can_not_be_given_is_an_error_and_nothing_stays(tmp_path, monkeypatch):
    error = OSError(errno.EPERM, "Operation not permitted")
    monkeypatch.setattr(part_file.os, "fchmod", lambda *_: fail(error))
    denied = pytest.raises(AdminError, match="can't be written: Operation not permitted")
    with denied, PartFile(tmp_path / "config") as part:
        part.take_after(tmp_path.stat())
    assert names(tmp_path) == []


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "snapshot.db"
    with pytest.raises(UsageError, match="already exists"):
        keep(target, lambda: target.write_bytes(b"somebody else's"))
    assert target.read_bytes() == b"somebody else's"
    assert names(tmp_path) == ["snapshot.db"]


def test_a_folder_that_is_not_there(tmp_path):
    target = tmp_path / "none" / "snapshot.db"
    with pytest.raises(UsageError) as refused, PartFile(target):
        pass
    assert refused.value.what == f"{target} can't be written: No such file or directory"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Not a directory"), PartFile(tmp_path / "file" / "snapshot.db"):
        pass


def test_a_target_that_is_a_folder(tmp_path):
    with pytest.raises(UsageError, match="is a directory"), PartFile(tmp_path, force=True):
        pass


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(UsageError, match="File name too long"), PartFile(tmp_path / ("n" * 300)):
        pass


def test_a_folder_that_can_not_be_written_to(tmp_path, monkeypatch):
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(part_file.os, "open", refuse)  # tests may run as root, whom no mode stops
    with pytest.raises(UsageError, match=r"snapshot.db can't be written: Permission denied"):
        PartFile(tmp_path / "snapshot.db").__enter__()


@pytest.mark.parametrize("what", ["folder", "pipe", "link"])
def test_what_is_no_file_in_the_place_of_a_dead_part_is_left_alone(tmp_path, what):
    """Whoever may write to the folder (/tmp, say) could have the part written over any file."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    stale = dead_part(tmp_path / "snapshot.db")
    stale.unlink()
    match what:
        case "folder":
            stale.mkdir()
        case "pipe":
            os.mkfifo(stale)
        case "link":
            stale.symlink_to(precious)
    keep(tmp_path / "snapshot.db")
    assert precious.read_bytes() == b"precious"
    assert names(tmp_path) == ["precious", "snapshot.db", "snapshot.db.part"]


@pytest.mark.parametrize("force", [False, True])
def test_a_device_is_never_replaced(tmp_path, force):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for target in (tmp_path / "pipe", tmp_path / "link", Path("/dev/null")):
        with (
            pytest.raises(UsageError, match="is not a regular file") as refused,
            PartFile(target, force=force),
        ):
            pass
        assert refused.value.hint == "name a file, or - for stdout"
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_link_stays_and_the_file_behind_it_is_replaced_as_with_cp(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real.db", tmp_path / "latest.db"
    real.write_bytes(b"older")
    link.symlink_to(Path("elsewhere", "real.db"))
    with pytest.raises(UsageError, match="already exists"), PartFile(link):
        pass
    with PartFile(link, force=True) as part:
        part.write(SECRET)
        assert names(tmp_path / "elsewhere") == ["real.db", "real.db.part"]
        part.publish()
    assert link.is_symlink()
    assert real.read_bytes() == SECRET
    assert names(tmp_path) == ["elsewhere", "latest.db"]


@pytest.mark.parametrize("force", [False, True])
def test_the_name_of_stdout_is_no_file(force):
    near, far = os.pipe()
    with (
        pytest.raises(UsageError, match="is not a regular file"),
        PartFile(Path(f"/dev/fd/{far}"), force=force),
    ):
        pass
    os.close(near)
    os.close(far)


@pytest.mark.parametrize("force", [False, True])
def test_a_link_that_leads_nowhere_is_refused_as_by_cp(tmp_path, force):
    (tmp_path / "latest.db").symlink_to(tmp_path / "none.db")
    with pytest.raises(UsageError, match=r"latest.db is a link to .*none.db, which does not exist"):
        PartFile(tmp_path / "latest.db", force=force)


def test_a_full_disk_is_an_error_and_nothing_stays(tmp_path):
    """The limit on a file's length is met by write(2) as a full disk is: in part, then with an error."""
    ended = child(
        """
        try:
            with PartFile(target) as part:
                for _ in range(100):
                    part.write(bytes(1000))
        except AdminError as error:
            print(error.what, error.hint, sep="|")
        """,
        tmp_path / "snapshot.db",
        limit=10_500,
    )
    told = f"{tmp_path}/snapshot.db can't be written: File too large|nothing was kept\n"
    assert (ended.stdout, ended.stderr, ended.returncode) == (told, "", 0)
    assert names(tmp_path) == []


def test_what_a_write_takes_only_in_part_is_written_all_the_same(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(part_file.os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    with PartFile(tmp_path / "snapshot.db") as part:
        part.write(SECRET)
        part.publish()
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET


def test_a_disk_that_can_not_keep_what_was_written(tmp_path, monkeypatch):
    error = OSError(errno.EIO, "Input/output error")
    monkeypatch.setattr(part_file.os, "fsync", lambda _: fail(error))
    with pytest.raises(AdminError, match="Input/output error"):
        keep(tmp_path / "snapshot.db")
    assert names(tmp_path) == []


def test_a_name_that_can_not_be_given(tmp_path, monkeypatch):
    error = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(part_file.os, "link", lambda *_, **__: fail(error))
    monkeypatch.setattr(Path, "rename", lambda *_: fail(error))
    with pytest.raises(AdminError) as failed:
        keep(tmp_path / "snapshot.db")
    assert failed.value.what == f"{tmp_path}/snapshot.db can't be written: Read-only file system"
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_a_file_system_that_can_not_settle_a_folder_is_no_error(tmp_path, monkeypatch, number):
    fsync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(part_file.os, "fsync", only_files)
    keep(tmp_path / "snapshot.db")
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET


def test_a_folder_that_can_not_be_settled_is_told_and_the_file_stays(tmp_path, monkeypatch):
    fsync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(part_file.os, "fsync", only_files)
    with pytest.raises(AdminError, match="is whole, but its directory"):
        keep(tmp_path / "s.db")
    assert names(tmp_path) == ["s.db"]


def test_what_can_not_be_removed_does_not_hide_what_went_wrong(tmp_path, monkeypatch):
    error = OSError(errno.EROFS, "Read-only file system")
    monkeypatch.setattr(Path, "unlink", lambda _: fail(error))
    with pytest.raises(AdminError, match="the first"):
        keep(tmp_path / "snapshot.db", lambda: fail(AdminError("the first")))


def test_without_locks_of_the_file_system_it_goes_on(tmp_path, monkeypatch):
    error = OSError(errno.ENOTSUP, "Operation not supported")
    monkeypatch.setattr(fcntl, "flock", lambda *_: fail(error))
    keep(tmp_path / "snapshot.db")
    assert (tmp_path / "snapshot.db").read_bytes() == SECRET


def test_room_is_asked_for_beforehand(tmp_path):
    with PartFile(tmp_path / "snapshot.db") as part:
        part.room(0)
        part.room(1)
        with pytest.raises(AdminError, match=r"MiB are free, and the file will have 1099511627776 MiB"):
            part.room(1 << 60)


def test_a_spool_has_no_name_and_can_be_read_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(part_file.tempfile, "tempdir", str(tmp_path))
    with Spool() as spool:
        spool.write(SECRET)
        spool.settle()
        assert names(tmp_path) == []
        assert spool.content.read_bytes() == SECRET
        with pytest.raises(AdminError) as full:
            spool.room(1 << 60)
        assert (full.value.what.startswith(f"{tmp_path}: "), "TMPDIR" in str(full.value.hint)) == (True, True)
    assert not spool.content.exists()


def test_a_spool_without_a_folder_for_temporary_files(monkeypatch):
    error = FileNotFoundError(errno.ENOENT, "No usable temporary directory found")
    monkeypatch.setattr(part_file.tempfile, "gettempdir", lambda: fail(error))
    with pytest.raises(UsageError, match="No usable temporary directory found"):
        Spool()


def test_all_of_a_draft_goes_to_a_stream(tmp_path):
    content = SECRET * 200_000  # several blocks
    out = tmp_path / "out"
    with Spool() as spool, out.open("wb", buffering=0) as stream:
        spool.write(content)
        spool.copy_to(stream.fileno(), "stdout")
    assert out.read_bytes() == content


def test_a_reader_that_has_gone_is_an_error():
    """Unlike with `| head`: a program that died while it read a backup must not pass for a success."""
    near, far = os.pipe()
    os.close(near)
    with Spool() as spool:
        spool.write(SECRET)
        with pytest.raises(AdminError) as failed:
            spool.copy_to(far, "stdout")
    os.close(far)
    assert failed.value.what == "stdout can't be written: Broken pipe"


def test_a_stream_that_is_full_is_an_error():
    with Path("/dev/full").open("wb", buffering=0) as full, Spool() as spool:
        spool.write(SECRET)
        with pytest.raises(AdminError, match="stdout can't be written: No space left on device"):
            spool.copy_to(full.fileno(), "stdout")
