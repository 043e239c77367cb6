"""scripts/unit.sh and what builds on it: a systemctl that fails for a moment does not end a job."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fakes.host import Shell
from tests.program import Child

UNIT = "kubectl-admin-a.service"
# A stand-in: the answers of is-active stand in a file, one a line, the last one for ever. «-» is a bus that
# does not answer. What is stopped gives the answers of another file from then on.
SYSTEMCTL = """#!/bin/sh
cd FOLDER || exit 9
echo "$*" >> log
case $1 in
  show)
    bus=$(head -n 1 bus)
    [ "$(wc -l < bus)" -le 1 ] || { sed 1d bus > rest; mv rest bus; }
    [ "$bus" != 0 ] || [ ! -e main ] || echo "MainPID=$(cat main)"
    exit "$bus" ;;
  list-units)
    if [ -e listing ]; then cat listing; fi
    grep -qsx -- - listing && exit 1
    exit 0 ;;
  stop) [ ! -e stopped ] || mv stopped answers; exit 1 ;;
esac
answer=$(head -n 1 answers)
[ "$(wc -l < answers)" -eq 1 ] || { sed 1d answers > rest; mv rest answers; }
[ "$answer" = - ] && { echo "Failed to retrieve unit state: Connection timed out" >&2; exit 1; }
echo "$answer"
[ "$answer" = active ]
"""
SYSTEMD_RUN = "#!/bin/sh\necho run >> FOLDER/log\n. FOLDER/started\n"


@dataclass
class Host:
    """A host whose systemd is a stand-in. state: where the folders of operations are."""

    shell: Shell
    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def says(self, *answers: str, bus: bool = True, stopped: str = "") -> None:
        """What systemctl says from now on; stopped: once the unit was told to stop."""
        (self.folder / "answers").write_text("".join(f"{answer}\n" for answer in answers))
        (self.folder / "bus").write_text("0" if bus else "1")
        if stopped:
            (self.folder / "stopped").write_text(f"{stopped}\n")

    def run(self, script: str, *arguments: str | Path) -> "subprocess.CompletedProcess[bytes]":
        return self.shell.ended(script, *arguments, path=str(self.folder / "bin"), systemd=str(self.folder))

    def asked(self, word: str) -> int:
        """How often systemctl was called with this word."""
        log = self.folder / "log"
        return sum(line.startswith(word) for line in log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def host(shell: Shell, tmp_path: Path) -> Host:
    (tmp_path / "bin").mkdir()
    for name, text in {"systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN}.items():
        (tmp_path / "bin" / name).write_text(text.replace("FOLDER", str(tmp_path)))
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin/sleep").symlink_to("/bin/true")  # nobody waits here
    (tmp_path / "started").write_text("")
    job = tmp_path / "state/a"
    job.mkdir(parents=True)
    (job / "owner").write_text("ann\n")
    (job / "log").write_text("words")
    (job / "run").write_text("RUNNER")
    return Host(shell, tmp_path)


# How systemctl answers, whether its bus works, and what that means.
ANSWERS = [
    *(
        (word, True, "running")
        for word in ("active", "activating", "deactivating", "reloading", "refreshing")
    ),
    ("maintenance", True, "running"),
    *((word, True, "ended") for word in ("inactive", "failed", "unknown")),
    ("unknown", False, "unanswered"),
    ("-", True, "unanswered"),
    ("", True, "unanswered"),
    ("Connection timed out", True, "unanswered"),
]
STATES = pytest.mark.parametrize(("word", "bus", "how"), ANSWERS)


@STATES
def test_only_an_end_that_systemd_tells_loses_a_job(host, word, bus, how):
    host.says(word, bus=bus)
    done = host.run("job-wait", host.state / "a", UNIT, "0", "0")
    told = {"ended": "lost"}.get(how, how)
    assert (done.stdout, done.stderr) == (f"{told}\nwords\n# end\n".encode(), b"")


def test_a_result_that_is_there_counts_whatever_systemd_says(host):
    host.says("-")
    (host.state / "a/result").write_text("0\n")
    assert host.run("job-wait", host.state / "a", UNIT, "0", "0").stdout.startswith(b"ended 0\n")


@STATES
def test_a_folder_is_active_inactive_or_the_host_can_not_be_asked(host, word, bus, how):
    host.says(word, bus=bus)
    done = host.run("leftovers", host.state)
    if how == "unanswered":
        assert done.returncode == 1
        assert (
            done.stderr
            == f"systemd does not report the state of {UNIT}: systemctl is-active {UNIT}\n".encode()
        )
        assert b"# end" not in done.stdout
    else:
        assert done.stdout == f"a {'yes' if how == 'running' else 'no'} ann\n\n# end\n".encode()


@pytest.mark.parametrize(("last", "active"), [("active", b"yes"), ("inactive", b"no")])
def test_systemd_is_asked_again(host, last, active):
    host.says("-", "", "-", last)
    assert host.run("leftovers", host.state).stdout == b"a " + active + b" ann\n\n# end\n"
    assert host.asked("is-active") == 4


@STATES
def test_nothing_is_removed_under_a_unit_that_may_run(host, word, bus, how):
    host.says(word, bus=bus, stopped=word)
    done = host.run("discard", host.state, "a")
    assert (host.state / "a").exists() is (how != "ended")
    assert done.returncode == (how != "ended")
    assert host.asked(f"stop {UNIT}") == (how == "running")
    said = {"running": f"{UNIT} could not be stopped", "unanswered": "systemd does not report", "ended": ""}[
        how
    ]
    assert said in done.stderr.decode()


def test_a_unit_is_seen_to_have_ended_before_its_folder_goes(host):
    host.says("-", "active", stopped="inactive")
    done = host.run("discard", host.state, "a")
    assert (done.returncode, done.stderr) == (0, b"")
    assert not host.state.exists()


@STATES
def test_only_an_ended_job_makes_room(host, word, bus, how, tmp_path):
    host.says(word, bus=bus)
    done = host.run("job-clear", host.state / "a", tmp_path / "journal", UNIT)
    assert (host.state / "a").exists() is (how != "ended")
    assert done.returncode == (how != "ended")


def start(host: Host) -> "subprocess.CompletedProcess[bytes]":
    return host.run("job-start", host.state / "a", UNIT, "ann", "RUNNER", "SCRIPT")


@STATES
def test_a_job_is_started_only_where_none_may_run(host, word, bus, how):
    host.says(word, bus=bus)
    done = start(host)
    assert host.asked("run") == (how == "ended")
    if how == "unanswered":
        assert done.returncode == 1
        assert b"systemd does not report the state of" in done.stderr
    else:
        assert done.stdout == b"started\n# end\n"
    assert (host.state / "a/log").read_text() == ("" if how == "ended" else "words")


@pytest.mark.parametrize(
    ("then", "result", "code"), [("active", "", 0), ("inactive", "0", 0), ("inactive", "", 1)]
)
def test_a_start_whose_answer_was_lost_is_looked_at(host, then, result, code):
    host.says("inactive", "-", then)
    made = f"echo {result} > {host.state}/a/result; " if result else ""
    (host.folder / "started").write_text(f"{made}echo Connection timed out >&2; exit 1")
    done = start(host)
    assert done.returncode == code
    assert (done.stdout == b"started\n# end\n") is (code == 0)


# As systemctl list-units says it: of other versions there is a dot before what has failed.
LISTING = """  kubectl-admin-certs.service loaded {how} {how} kubectl-admin
● kubectl-admin-upgrade.service loaded failed failed kubectl-admin
kubectl-admin-0123456789.service loaded active running kubectl-admin
"""


@pytest.mark.parametrize("how", ["active", "activating", "deactivating", "reloading"])
def test_a_job_that_changes_something_is_not_started_beside_another_one(host, how):
    host.says("inactive")
    (host.folder / "listing").write_text(LISTING.format(how=how))
    (host.state / "a/run").unlink()
    done = start(host)
    assert (done.returncode, done.stdout) == (0, b"busy certs\n# end\n")
    assert host.asked("run") == 0
    assert not (host.state / "a").exists()  # and is nobody's


def test_beside_what_only_reads_or_has_ended_a_job_is_started(host):
    host.says("inactive")
    (host.folder / "listing").write_text(LISTING.format(how="failed"))
    assert start(host).stdout == b"started\n# end\n"
    assert host.asked("run") == 1


def test_what_only_reads_is_started_beside_others(host):
    host.says("inactive")
    (host.folder / "listing").write_text(LISTING.format(how="active"))
    done = host.run("job-start", host.state / "a", "kubectl-admin-0123456789", "ann", "RUNNER", "SCRIPT")
    assert done.stdout == b"started\n# end\n"


def test_a_unit_of_that_name_that_runs_something_else_is_not_taken_for_the_job(host):
    host.says("active")
    (host.folder / "listing").write_text("kubectl-admin-a.service loaded active running x\n")
    (host.state / "a/run").unlink()
    assert start(host).stdout == b"busy a\n# end\n"


def test_the_job_before_that_has_just_written_its_result_is_waited_for(host):
    """A step of an upgrade follows another one under the same name."""
    host.says("active", "deactivating", "inactive")
    (host.state / "a/run").unlink()
    assert start(host).stdout == b"started\n# end\n"
    assert host.asked("run") == 1


@pytest.mark.parametrize("script", ["job-start", "changes"])
def test_where_systemd_does_not_list_its_units_nothing_is_taken_for_free(host, script):
    host.says("inactive")
    (host.folder / "listing").write_text("-")
    done = start(host) if script == "job-start" else host.run("changes", host.state)
    assert (done.returncode, b"does not list the units that run" in done.stderr) == (1, True)
    assert (host.asked("list-units"), host.asked("run")) == (20, 0)


def test_what_goes_on_is_told_with_whose_it_is(host):
    (host.folder / "listing").write_text(LISTING.format(how="active"))
    (host.state / "certs").mkdir()
    (host.state / "certs/owner").write_text("ann@laptop b 1 2\n")
    assert host.run("changes", host.state).stdout == b"change certs ann@laptop b 1 2\n\n# end\n"


def test_where_nothing_goes_on_nothing_is_told(host):
    assert host.run("changes", host.state).stdout == b"\n# end\n"


def test_what_packs_a_growing_file_goes_on_while_systemd_does_not_answer(host):
    folder = host.state / "a"
    (folder / "file.part").write_bytes(b"x" * 10)
    host.says("-", "-", "inactive")
    arguments = [folder, folder / "file", "65536", "0", "none", folder / "result", UNIT]
    done = host.run("pack", *arguments)
    assert (done.returncode, done.stdout) == (1, b"")
    assert f"{UNIT} was stopped before {folder}/file was complete" in done.stderr.decode()
    assert host.asked("is-active") == 3


@pytest.mark.parametrize(("last", "known"), [("active", b"kubelet active\n"), ("failed", b"")])
def test_how_the_kubelet_does_is_asked_again(host, last, known):
    host.says("-", "-", last)
    done = host.run("certs-survey", host.folder / "none", host.folder, "certs")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.replace(b"\n# end\n", b"").endswith(known)
    assert host.asked("is-active kubelet") == 3


@pytest.mark.parametrize("script", ["certs-survey", "certs-restart"])
def test_a_kubelet_of_which_systemd_does_not_tell_is_not_taken_for_one_that_has_ended(host, script):
    host.says("-")
    words = ["none", "none", "certs"] if script == "certs-survey" else ["etcd", "uid", "0", "1"]
    done = host.run(script, *words)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"systemd does not report the state of kubelet" in done.stderr


def test_the_kubelets_flags_are_asked_for_again(host):
    """Without them, its files would be looked for where they are not."""
    (host.folder / "pki").mkdir()
    (host.folder / "pki/kubelet.crt").write_text("x\n")
    with Child(["sh", "-c", "read x", f"--cert-dir={host.folder}/pki"], stdin=-1) as process:
        (host.folder / "main").write_text(f"{process.pid}\n")
        (host.folder / "bus").write_text("1\n1\n0\n")
        shown = host.run("certificates", host.folder / "none")
    assert shown.returncode == 0
    assert f"{host.folder}/pki/kubelet.crt" in shown.stdout.decode()


def test_what_an_upgrade_goes_by_is_asked_for_again(host):
    with Child(["sh", "-c", "read x", "--fail-swap-on=false"], stdin=-1) as process:
        (host.folder / "main").write_text(f"{process.pid}\n")
        (host.folder / "bus").write_text("1\n1\n0\n")
        said = host.run("upgrade-survey", host.folder, "-").stdout.decode().splitlines()
    assert "kubelet-argument --fail-swap-on=false" in said


def test_a_kubelet_whose_flags_are_not_to_be_had_is_not_taken_for_one_without(host):
    (host.folder / "bus").write_text("1")
    shown = host.run("certificates", host.folder / "none")
    assert (shown.returncode, shown.stdout) == (1, b"")
    assert b"systemd does not report the process of kubelet" in shown.stderr


@pytest.mark.parametrize("script", ["leftovers", "discard", "changes"])
def test_where_no_systemd_runs_there_are_no_units(host, script):
    host.says("-")
    words = [host.state, "a"] if script == "discard" else [host.state]
    done = host.shell.ended(script, *words, path=str(host.folder / "bin"), systemd=str(host.folder / "none"))
    assert (done.returncode, done.stderr) == (0, b"")
