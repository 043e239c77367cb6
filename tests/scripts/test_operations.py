"""scripts/workspace.sh, leftovers.sh, discard.sh and etcd-survey.sh."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

SYSTEMCTL = """#!/bin/sh
# A stand-in: units are files in $UNITS, which hold their state.
units={units}
case $1 in
  is-active) shift; [ "$1" != --quiet ] || shift; cat "$units/$1" 2> /dev/null || echo inactive
    [ "$(cat "$units/$1" 2> /dev/null)" = active ] ;;
  stop) echo "stop $2" >> "$units/log"; rm "$units/$2" ;;
esac
"""


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The folder of a stand-in for systemctl: a file a unit, which holds its state, and a log."""
    folder = tmp_path / "units"
    (folder / "bin").mkdir(parents=True)
    program = folder / "bin/systemctl"
    program.write_text(SYSTEMCTL.format(units=folder))
    program.chmod(0o755)
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the folders of operations are."""
    return tmp_path / "var/lib/kubectl-admin"


def make(state: Path, name: str, owner: str = "ann@laptop b 1 2") -> Path:
    folder = state / name
    folder.mkdir(parents=True)
    (folder / "owner").write_text(f"{owner}\n")
    return folder


def test_a_workspace_is_for_root_alone_and_says_whose_it_is(shell, state):
    shell.run("workspace", state / "0123456789", "ann@laptop b/pid:[1] 1 2")
    assert stat.S_IMODE((state / "0123456789").stat().st_mode) == 0o700
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert (state / "0123456789/owner").read_text() == "ann@laptop b/pid:[1] 1 2\n"
    assert [path.name for path in (state / "0123456789").iterdir()] == ["owner"]


def test_made_twice_it_is_the_same(shell, state):
    shell.run("workspace", state / "a", "first")
    (state / "a/file").write_text("x")
    shell.run("workspace", state / "a", "first")
    assert sorted(path.name for path in (state / "a").iterdir()) == ["file", "owner"]


def test_folders_are_listed_with_their_owners(shell, state):
    make(state, "0123456789", "ann@laptop b 1 2")
    make(state, "upgrade", "bob@desk c 3 4")
    (state / "nobodys").mkdir()
    (state / "a file").write_text("x")
    (state / "file").write_text("x")
    assert shell.run("leftovers", state).decode() == (
        "0123456789 no ann@laptop b 1 2\nnobodys no \nupgrade no bob@desk c 3 4\n"
    )


def test_a_unit_of_the_folders_name_makes_it_active(shell, state, units):
    for name in ("a", "b", "c", "d"):
        make(state, name, "o")
    for name, how in {"a": "active", "b": "deactivating", "c": "failed"}.items():
        (units / f"kubectl-admin-{name}.service").write_text(how)
    done = shell.ended("leftovers", state, path=str(units / "bin"))
    assert done.stdout.decode().split("\n")[:4] == ["a yes o", "b yes o", "c no o", "d no o"]


def test_a_folder_that_is_of_no_use_without_its_unit_is_over_with_it(shell, state, units):
    """As an opened snapshot's after a restart of the host."""
    for name in ("a", "b"):
        (make(state, name, "o") / "bound").write_text("4711\n")
    (units / "kubectl-admin-a.service").write_text("active")
    done = shell.ended("leftovers", state, path=str(units / "bin"))
    assert done.stdout.decode().split("\n")[:2] == ["a yes o", "b over o"]


@pytest.mark.parametrize("name", ["a b", "x\n.. no -", "-x$(y)", "é", "*"])
def test_a_folder_with_another_kind_of_name_was_not_made_here(shell, state, name):
    make(state, "mine", "o")
    (state / name).mkdir()
    assert shell.run("leftovers", state) == b"mine no o\n"


def test_a_link_is_no_folder(shell, state, tmp_path):
    make(state, "mine", "o")
    (state / "link").symlink_to(tmp_path)
    assert shell.run("leftovers", state) == b"mine no o\n"


def test_where_nothing_was_ever_made_nothing_is_left(shell, state):
    assert shell.run("leftovers", state) == b""


def test_an_owner_of_several_lines_is_one_line(shell, state):
    make(state, "a", "o\nb yes p")
    assert shell.run("leftovers", state) == b"a no o\n"


def test_what_is_aside_beside_etcds_data_is_listed(shell, state, tmp_path):
    make(state, "a", "o")
    data = tmp_path / "etcd"
    for name in (
        "member",
        ".kubectl-admin-0123456789-old",
        ".kubectl-admin-abcdef0123-new",
        ".kubectl-admin-no-old",
    ):
        (data / name).mkdir(parents=True)
    (data / ".kubectl-admin-1123456789-old").symlink_to(data / "member")
    (data / ".kubectl-admin-2123456789-old").write_text("x")
    aside = "a no o\naside .kubectl-admin-0123456789-old\naside .kubectl-admin-abcdef0123-new\n"
    assert shell.run("leftovers", state, data).decode() == aside
    for none in ("", tmp_path / "gone", "etcd"):
        assert shell.run("leftovers", state, none) == b"a no o\n"


def test_a_folder_is_removed_and_the_last_one_with_its_parent(shell, state):
    (make(state, "a") / "deep/er").mkdir(parents=True)
    make(state, "b")
    shell.run("discard", state, "a")
    assert [path.name for path in state.iterdir()] == ["b"]
    shell.run("discard", state, "b")
    assert not state.exists()
    assert state.parent.exists()


def test_what_is_gone_already_is_no_failure(shell, state):
    shell.run("discard", state, "a")


def test_a_unit_that_ends_before_it_is_stopped_is_no_failure(shell, state, tmp_path):
    make(state, "a")
    program = tmp_path / "bin/systemctl"
    program.parent.mkdir()
    gone = tmp_path / "gone"
    program.write_text(
        f"#!/bin/sh\n[ $1 = stop ] || {{ [ -e {gone} ] && echo inactive || echo active; exit; }}\n"
        f"touch {gone}\necho not loaded >&2\nexit 5\n"
    )
    program.chmod(0o755)
    done = shell.ended("discard", state, "a", path=str(program.parent))
    assert (done.returncode, done.stderr) == (0, b"")
    assert not state.exists()


RM = """#!/bin/sh
echo >> {calls}
[ "$(wc -l < {calls})" -gt {fails} ] || {{ echo "rm: Directory not empty" >&2; exit 1; }}
exec {rm} "$@"
"""


@pytest.mark.parametrize(("fails", "code"), [(2, 0), (1000, 1)])
def test_what_is_still_being_written_there_is_removed_when_that_is_over(shell, state, tmp_path, fails, code):
    make(state, "a")
    program = tmp_path / "bin/rm"
    program.parent.mkdir()
    program.write_text(RM.format(calls=tmp_path / "calls", fails=fails, rm=shutil.which("rm")))
    program.chmod(0o755)
    (program.parent / "sleep").symlink_to("/bin/true")
    done = shell.ended("discard", state, "a", path=str(program.parent))
    assert done.returncode == code
    assert (state / "a").exists() is (code == 1)
    assert done.stderr == (b"rm: Directory not empty\n" if code else b"")


def test_a_link_is_removed_and_not_what_it_leads_to(shell, state, tmp_path):
    state.mkdir(parents=True)
    (tmp_path / "precious").write_text("x")
    (state / "a").symlink_to(tmp_path)
    make(state, "b")
    (state / "b/link").symlink_to(tmp_path)
    shell.run("discard", state, "a")
    shell.run("discard", state, "b")
    assert (tmp_path / "precious").read_text() == "x"


def test_a_restore_of_etcd_is_never_discarded(shell, state):
    make(state, "restore")
    done = shell.ended("discard", state, "restore")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"only kubectl admin etcd-restore removes it" in done.stderr
    assert (state / "restore/owner").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/../..", "/", "a/b"])
def test_nothing_outside_is_ever_removed(shell, state, name):
    make(state, "a")
    (state.parent / "other").mkdir()
    done = shell.ended("discard", state, name)
    assert done.returncode == 1
    assert b"is not the name of an operation" in done.stderr
    assert (state / "a/owner").exists()
    assert (state.parent / "other").exists()


@pytest.mark.parametrize(
    ("how", "stopped"), [("active", True), ("activating", True), ("deactivating", True), ("failed", False)]
)
def test_its_unit_is_ended_before(shell, state, units, how, stopped):
    make(state, "a")
    (units / "kubectl-admin-a.service").write_text(how)
    (units / "kubectl-admin-b.service").write_text("active")
    done = shell.ended("discard", state, "a", path=str(units / "bin"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert (units / "log").exists() is stopped
    if stopped:
        assert (units / "log").read_text() == "stop kubectl-admin-a.service\n"
    assert not (state / "a").exists()


def facts(answer: bytes) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in answer.decode().splitlines():
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    return found


def test_the_survey_says_what_there_is_to_work_with(shell, tmp_path):
    found = facts(shell.run("etcd-survey", "-", "/var/lib/etcd", tmp_path / "not there $(x)/yet"))
    about = os.statvfs(tmp_path)
    assert int(found["free"][0]) == pytest.approx(about.f_bavail * about.f_frsize, rel=0.2)
    assert "gzip" in found["tool"]


def test_the_survey_finds_etcdctl_where_etcd_is_no_container(shell, tmp_path):
    program = tmp_path / "bin/etcdctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    done = shell.ended("etcd-survey", "-", "-", tmp_path, path=str(program.parent))
    found = facts(done.stdout)
    assert found["etcdctl"] == [str(program)]
    assert "database" not in found


def test_the_survey_has_no_line_for_what_is_not_to_be_had(shell, tmp_path):
    found = facts(shell.run("etcd-survey", "f" * 64, tmp_path / "none", tmp_path))
    assert found.keys().isdisjoint({"root", "etcdctl", "database"})
    assert int(found["free"][0]) > 0


def test_backups_of_certificates_are_no_leftovers(shell, state):
    make(state, "mine", "o")
    (state / "certificates/20261125T120000Z/pki").mkdir(parents=True)
    assert shell.run("leftovers", state) == b"mine no o\n"


def test_a_folder_from_which_a_file_is_sent_is_active(shell, state):
    ended = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    (make(state, "a", "o") / f"packing.{os.getpid()}").mkdir()
    (make(state, "b", "o") / f"packing.{ended}").mkdir()
    (make(state, "c", "o") / "packing").write_text(f"{os.getpid()}\n")
    assert shell.run("leftovers", state) == b"a yes o\nb no o\nc no o\n"
