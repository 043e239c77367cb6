"""Jobs on a host that is this machine, by its own scripts, with a stand-in for systemd."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs
from kubectl_admin.node.jobs import Ended, Job
from kubectl_admin.node.operation import Operation, Owner
from tests.fakes.clock import Clock
from tests.fakes.host import OPERATION, OWNER, Cut, Machine, Shell, host_of, inline

SYSTEMD_RUN = """#!/bin/sh
for word in "$@"; do
  case $word in --unit=*) unit=${word#--unit=} ;; --*) ;; *) break ;; esac
  shift
done
mkdir "UNITS/$unit.starting" 2> /dev/null || { echo "Unit $unit was already loaded" >&2; exit 1; }
trap 'rmdir "UNITS/$unit.starting"' EXIT
if [ "$(systemctl is-active "$unit")" = active ]; then echo "Unit $unit was already loaded" >&2; exit 1; fi
echo "$unit" >> UNITS/started
setsid sh -c 'echo "$$" > "$0"; exec "$@"' "UNITS/$unit.new" "$@" < /dev/null > /dev/null 2>&1 &
while [ ! -s "UNITS/$unit.new" ]; do sleep 0.01; done
mv "UNITS/$unit.new" "UNITS/$unit"
"""
SYSTEMCTL = """#!/bin/sh
# is-active UNIT. What has ended and was not waited for is not active.
if [ -e UNITS/mute ]; then echo "Failed to retrieve unit state: Connection timed out" >&2; exit 1; fi
if [ "$1" = list-units ]; then
  for unit in UNITS/kubectl-admin-*; do
    case $unit in *.new | *.starting | *'*') continue ;; esac
    how=$("$0" is-active "${unit##*/}") || :
    echo "${unit##*/}.service loaded $how running kubectl-admin"
  done
  exit
fi
inactive() { echo inactive; exit 3; }
read -r pid 2> /dev/null < "UNITS/$2" || inactive
state=$(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2> /dev/null) || inactive
case $state in Z | '') inactive ;; esac
echo active
"""
SCRIPTS = {
    "count": 'for word in "$@"; do printf "<%s>" "$word"; done; echo " $#"; echo err >&2; exit 7',
    "wait": 'while [ ! -e "$1" ]; do sleep 0.05; done; echo done',
    "much": 'i=0; while [ $i -lt 3000 ]; do echo "$i éééééééééééééééééééééééééééééé"; i=$((i+1)); done',
    "pwd": "pwd; ls; cat",
}
COUNT = inline(SCRIPTS["count"])


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """What the stand-in for systemd keeps: a file a unit, which holds the number of its process."""
    folder = tmp_path / "units"
    (folder / "bin").mkdir(parents=True)
    for name, text in {"systemd-run": SYSTEMD_RUN, "systemctl": SYSTEMCTL}.items():
        (folder / "bin" / name).write_text(text.replace("UNITS", str(folder)))
        (folder / "bin" / name).chmod(0o755)
    return folder


@pytest.fixture(params=["dash", "busybox"])
def machine(request: pytest.FixtureRequest, units: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A host with systemd, of either kind."""
    shell: Shell = request.getfixturevalue(request.param)
    monkeypatch.setattr(jobs, "POLL_INTERVAL", 1)
    return Machine(f"{units}/bin:{shell.path}", systemd=str(units))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where the job's files will be, with a name of the nasty kind."""
    (tmp_path / "state $(x) %n").mkdir()
    return str(tmp_path / "state $(x) %n/job")


def start(
    machine: Machine, folder: str, script: str, *arguments: str, operation: Operation = OPERATION
) -> Job:
    return jobs.start(
        host_of(machine, operation=operation), "test", folder, inline(SCRIPTS[script]), arguments
    )


def test_a_job_says_how_it_ended_and_what_it_wrote(machine, folder):
    assert start(machine, folder, "count", "a").wait() == Ended(7, "<a> 1\nerr\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["", "", ""],
        ["a b", " led", "trailing ", "\ttab"],
        ["$HOME", "$(id)", "`id`", "%n", "%%", "\\n", "\\", "'", '"', "*", "-n", "--", "é", "#"],
    ],
)
def test_its_arguments_are_what_was_given(machine, folder, arguments):
    ended = start(machine, folder, "count", *arguments).wait()
    assert ended.log == "".join(f"<{word}>" for word in arguments) + f" {len(arguments)}\nerr\n"


def test_an_argument_of_several_lines_is_refused_before_anything_begins(machine, folder):
    with pytest.raises(AdminError, match="several lines"):
        start(machine, folder, "count", "a\nb")
    assert machine.commands == []


def test_whether_it_may_be_started_is_asked_before_every_attempt(machine, folder):
    def check():
        checks.append(len(machine.commands))
        if len(checks) == 2:
            raise AdminError("somebody else has taken over")

    checks = []
    machine.cuts = [Cut(0)]
    with pytest.raises(AdminError, match="somebody else has taken over"):
        jobs.start(host_of(machine), "test", folder, COUNT, [], check=check)
    assert checks == [0, 1]


def test_its_files_are_for_root_alone(machine, folder):
    start(machine, folder, "pwd").wait()
    assert Path(folder).stat().st_mode & 0o777 == 0o700
    for path in Path(folder).iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_it_reads_nothing_and_stands_in_its_folder(machine, folder):
    assert start(machine, folder, "pwd").wait().log.startswith(f"{folder}\narguments\nlog\nowner\n")


def test_what_it_writes_is_handed_on_whole_even_where_a_letter_is_cut(machine, folder):
    wrote: list[str] = []
    ended = start(machine, folder, "much").wait(wrote=wrote.append)
    assert "".join(wrote) == ended.log
    assert ended.log.splitlines()[-1].startswith("2999 ééé")
    assert "\ufffd" not in ended.log
    assert len(ended.log.encode()) > 65536


def test_of_a_very_long_log_the_end_is_kept(machine, folder, monkeypatch):
    monkeypatch.setattr(jobs, "LOG_LIMIT", 1000)
    ended = start(machine, folder, "much").wait()
    assert len(ended.log.encode()) <= 1002
    assert ended.log.splitlines()[-1].startswith("2999 ")


def test_streams_that_are_cut_start_it_once_and_lose_nothing(machine, folder, units):
    machine.cuts = [Cut(0), Cut(3, loud=False), None, Cut(0), Cut(9, loud=False), Cut(12), None]
    assert start(machine, folder, "count", "a").wait() == Ended(7, "<a> 1\nerr\n")
    assert (units / "started").read_text() == "kubectl-admin-test\n"


def test_it_goes_on_while_nobody_asks_and_is_found_again(machine, folder, units, tmp_path):
    start(machine, folder, "wait", str(tmp_path / "go"))
    again = start(machine, folder, "wait", str(tmp_path / "go"))
    (tmp_path / "go").touch()
    assert again.wait() == Ended(0, "done\n")
    assert (units / "started").read_text() == "kubectl-admin-test\n"
    assert start(machine, folder, "wait", str(tmp_path / "go")).wait() == Ended(0, "done\n")
    assert (units / "started").read_text() == "kubectl-admin-test\n"


def test_a_turn_of_waiting_ends_and_another_one_begins(machine, folder, tmp_path):
    job = start(machine, folder, "wait", str(tmp_path / "go"))
    asked = []

    class Asking(type(job.host)):  # type: ignore[misc]
        def script(self, *arguments: str, **others: object) -> bytes:
            answer = super().script(*arguments, **others)
            asked.append(answer.split()[0])
            (tmp_path / "go").touch()
            return answer

    job.host.__class__ = Asking
    assert job.wait().exit_code == 0
    assert asked[0] == b"running"


def test_a_second_one_is_refused_with_the_firsts_owner(machine, folder, tmp_path):
    start(machine, folder, "wait", str(tmp_path / "go"))
    other = replace(OPERATION, id="9876543210", owner=Owner("bob@desk", "elsewhere", 99, "1"))
    with pytest.raises(
        AdminError, match=r"kubectl-admin-test was started already by ann@laptop \(process 4711\)"
    ):
        start(machine, folder, "count", operation=other)
    (tmp_path / "go").touch()
    assert start(machine, folder, "wait", str(tmp_path / "go")).wait() == Ended(0, "done\n")


def test_a_folder_without_an_owner_is_taken_by_one(machine, folder):
    """Whoever made it was killed before it could say who it was."""
    Path(folder).mkdir()
    assert start(machine, folder, "count").wait().exit_code == 7


def test_a_job_that_somebody_has_stopped_is_lost(machine, folder, units, tmp_path):
    job = start(machine, folder, "wait", str(tmp_path / "never"))
    wrote: list[str] = []
    os.killpg(int((units / "kubectl-admin-test").read_text()), signal.SIGKILL)
    with pytest.raises(AdminError, match="kubectl-admin-test stopped before it was done") as raised:
        job.wait(wrote=wrote.append)
    assert "run the command again" in raised.value.hint


def test_a_job_of_which_systemd_does_not_tell_is_waited_for(machine, folder, units, tmp_path):
    said: list[str] = []
    host = host_of(machine, said)
    job = jobs.start(host, "test", folder, inline(SCRIPTS["wait"]), [str(tmp_path / "go")])
    (units / "mute").touch()
    real, states = host.script, []

    def script(*arguments: str) -> bytes:
        answer = real(*arguments)
        states.append(answer.split()[0])
        if len(states) == 2:
            (tmp_path / "go").touch()
        return answer

    host.script = script  # type: ignore[method-assign, assignment]
    assert job.wait() == Ended(0, "done\n")
    assert states[:2] == [b"unanswered", b"unanswered"]
    assert said == ["node cp-1: systemd does not report the state of kubectl-admin-test; asking again"]


def test_a_job_of_which_systemd_does_not_tell_may_run(machine, folder, units, tmp_path):
    job = start(machine, folder, "wait", str(tmp_path / "go"))
    (units / "mute").touch()
    assert jobs.running(job.host, "test", folder) == job
    (tmp_path / "go").touch()
    assert job.wait().exit_code == 0
    assert jobs.running(job.host, "test", folder) is None


def test_a_job_that_is_at_work_is_not_restarted(machine, folder, tmp_path):
    job = start(machine, folder, "wait", str(tmp_path / "go"))
    with pytest.raises(AdminError, match="kubectl-admin-test is still at work"):
        jobs.restart(job.host, "test", folder, COUNT, [], check=lambda: None)
    (tmp_path / "go").touch()
    assert job.wait() == Ended(0, "done\n")
    again = jobs.restart(job.host, "test", folder, COUNT, [], check=lambda: None)
    assert again.wait() == Ended(7, " 0\nerr\n")
    assert (Path(folder).parent / "journal").read_text() == "=== job: ended with 0\ndone\n"


def test_what_goes_on_is_known_until_its_end_was_seen(machine, folder, tmp_path):
    mine = Operation("0123456789", OWNER)
    job = start(machine, folder, "wait", str(tmp_path / "go"), operation=mine)
    assert mine.work == {"cp-1": "kubectl-admin-test"}
    (tmp_path / "go").touch()
    job.wait()
    assert mine.work == {}


def test_what_is_waited_for_goes_on_until_its_end_was_seen(machine, folder, tmp_path):
    start(machine, folder, "wait", str(tmp_path / "go"))
    mine = Operation("fedcba9876", OWNER)
    job = jobs.running(host_of(machine, operation=mine), "test", folder)
    assert job

    def interrupted(*_arguments: str) -> bytes:
        raise KeyboardInterrupt

    job.host.script = interrupted  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        job.wait()
    assert mine.work == {"cp-1": "kubectl-admin-test"}
    (tmp_path / "go").touch()


def test_a_job_is_refused_beside_another_one_and_leaves_nothing(machine, folder, tmp_path):
    start(machine, folder, "wait", str(tmp_path / "go"))
    other = str(tmp_path / "state $(x) %n/other")
    with pytest.raises(AdminError) as refused:
        jobs.start(host_of(machine), "upgrade", other, COUNT, [])
    assert refused.value.what == "node cp-1: other work is running there: kubectl-admin-test"
    assert "node-exec cp-1 -- systemctl status kubectl-admin-test" in refused.value.hint
    assert not Path(other).exists()
    (tmp_path / "go").touch()


def test_a_job_whose_folder_is_gone_is_said(machine, folder):
    job = start(machine, folder, "count")
    job.wait()
    Path(folder).rename(f"{folder}.away")
    with pytest.raises(AdminError, match="there is no job in"):
        job.wait()


def test_an_end_that_is_not_understood_is_said():
    host = SimpleNamespace(
        node="cp-1", operation=Operation.begin(), script=lambda *_: b"ended " + b"9" * 5000 + b"\n"
    )
    with pytest.raises(AdminError, match="unexpected answer about the state of test"):
        Job(host, "/x", "test").wait()


def test_a_host_without_systemd_refuses_clearly(machine, folder, tmp_path):
    machine.systemd = str(tmp_path / "none")
    with pytest.raises(AdminError, match="node cp-1: this host does not run systemd"):
        start(machine, folder, "count")
    assert not Path(folder).exists()


def test_a_host_with_systemd_but_without_systemd_run_refuses_likewise(machine, folder, units):
    (units / "bin/systemd-run").unlink()
    machine.path = f"{units}/bin"
    with pytest.raises(AdminError, match="this host does not run systemd"):
        start(machine, folder, "count")


@pytest.mark.parametrize("answer", [b"", b"ended\n", b"ended x\n", b"asleep\n", b"\xff\n"])
def test_an_answer_that_makes_no_sense_ends_the_waiting(answer):
    class Nonsense:
        node = "cp-1"
        operation = Operation("0123456789", OWNER)

        def script(self, *_arguments: str, **_others: object) -> bytes:
            return answer

    with pytest.raises(AdminError, match="unexpected answer about the state of kubectl-admin-x"):
        Job(Nonsense(), "/x", "kubectl-admin-x").wait()


class Answering:
    """A host that says how a job does, the last answer again and again; each look takes a minute."""

    node = "w1"

    def __init__(self, *answers: bytes) -> None:
        self.answers, self.clock = list(answers), Clock()
        self.operation, self.said = Operation.begin(), []
        self.say = self.said.append

    def script(self, *_arguments: str) -> bytes:
        self.clock.now += 60
        assert self.clock.now < 86400, "it is waited for without end"
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize("answer", [b"running\n", b"unanswered\n", b"ended 0\n" + b"x" * 65536])
def test_one_that_is_never_over_is_not_waited_for_for_ever(answer):
    job = Job(Answering(answer), "/f", "kubectl-admin-certs")
    with pytest.raises(AdminError, match=r"^node w1: kubectl-admin-certs is not done after 10m0s$"):
        job.wait(limit=600.0)
    assert job.host.operation.work == {"w1": "kubectl-admin-certs"}


def test_one_that_has_ended_while_the_way_was_cut_is_told_to_its_end():
    host_ = Answering(b"running\n", b"ended 0\nfirst ", b"ended 0\nsecond", b"ended 0\n")
    assert Job(host_, "/f", "u").wait(limit=61.0) == Ended(0, "first second")


def test_one_without_a_limit_takes_as_long_as_it_takes():
    host_ = Answering(*[b"running\n"] * 1000, b"ended 0\n")
    assert Job(host_, "/f", "u").wait() == Ended(0, "")
