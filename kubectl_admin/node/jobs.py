"""Work on a node's host that outlives the connection: a systemd unit, with its log and its result in files.

It keeps running while pod, kubelet, container runtime and API server restart, and is found again by its
name. One name is one job at a time: a second one is refused with the first one's owner.
"""

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.decode import whole_number
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.node.operation import Owner
from kubectl_admin.node.script import Script
from kubectl_admin.report.text import duration

START, WAIT, CLEAR, LOGS, RUN = (
    Script("node", name) for name in ("job-start", "job-wait", "job-clear", "job-logs", "job")
)
POLL_INTERVAL = 3  # seconds that one question waits for an end; a job's words are seen that late
LOG_LIMIT = 1 << 20  # bytes of a job's log that are kept here


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended. log: what it wrote, its end if that is very long."""

    exit_code: int
    log: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job on a host. directory: where its files are. unit: its name for systemctl and journalctl."""

    host: Host
    directory: str
    unit: str

    def runs(self) -> bool:
        """Whether it is at work; a job whose state systemd does not report may be."""
        state = self.host.script(WAIT, self.directory, self.unit, "0", "0").partition(b"\n")[0]
        return state in (b"running", b"unanswered")

    def wait(
        self,
        *,
        wrote: Callable[[str], None] | None = None,
        limit: float | None = None,
    ) -> Ended:
        """Waits until it has ended, however long that is and however often the way to the node is cut.

        wrote: is given what it writes, as it comes. limit: seconds after which it is not waited for where it
        still runs, for one that ends by itself long before; a node that was taken over might say so for ever.
        Raises AdminError then, and where it is lost: the host was restarted, or somebody has killed it.
        """
        end = None if limit is None else Deadline.after(limit, self.host.clock)
        log, length, silent = b"", 0, False
        work = self.host.operation.work
        work[self.host.node] = self.unit
        text = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            answer = self.host.script(WAIT, self.directory, self.unit, str(length), str(POLL_INTERVAL))
            state, _, new = answer.partition(b"\n")
            log, length = (log + new)[-LOG_LIMIT:], length + len(new)
            if new and wrote:
                wrote(text.decode(new))
            match state.decode("ascii", "replace").split():
                case [word, *_] if end and end.left < 0 and is_busy(word, length):
                    raise AdminError(
                        f"node {self.host.node}: {self.unit} is not done after {duration(limit or 0.0)}",
                        f"it is still running there: see systemctl status {self.unit}; run the command "
                        "again when it has ended",
                    )
                case ["running"]:
                    silent = False
                case ["unanswered"]:
                    if not silent:
                        what = f"systemd does not report the state of {self.unit}; asking again"
                        self.host.say(f"node {self.host.node}: {what}")
                    silent = True
                case ["ended" | "lost", *_] if new:
                    pass  # there may be more of it
                case ["ended", code] if (status := whole_number(code)) is not None:
                    work.pop(self.host.node, None)
                    return Ended(status, log.decode("utf-8", "replace"))
                case ["lost"]:
                    work.pop(self.host.node, None)
                    raise AdminError(
                        f"node {self.host.node}: {self.unit} stopped before it was done",
                        "was the node restarted, the unit stopped, or its disk full? run the command again",
                    )
                case _:
                    said = f"unexpected answer about the state of {self.unit}: {state[:80]!r}"
                    raise AdminError(f"node {self.host.node}: {said}")


def is_busy(state: str, length: int) -> bool:
    """Whether a job is at work, or has written more than is kept: its log may have no end.

    One that has ended is not, however late that is seen: the way to its node may have been cut.
    """
    return state in ("running", "unanswered") or length > LOG_LIMIT


def running(host: Host, name: str, directory: str) -> Job | None:
    """The job `name` while it runs, of any run; None where its directory has none, or it has ended."""
    job = Job(host, directory, f"kubectl-admin-{name}")
    there = host.persistently(lambda: host.run(["test", "-e", f"{directory}/log"], check=False))
    if there.exit_code:
        return None
    return job if job.runs() else None


def logs(host: Host, directory: str) -> str:
    """All that jobs whose directories are in this one have written, earlier runs first, or ""."""
    return host.script(LOGS, directory).decode("utf-8", "replace")


def restart(
    host: Host,
    name: str,
    directory: str,
    script: Script,
    arguments: Sequence[str],
    *,
    check: Callable[[], None],
) -> Job:
    """Starts the job again where it has ended before; its former log is kept in `journal` beside its
    directory, where `logs` finds it.

    check: as in `start`. Raises AdminError where it is still at work.
    """
    journal = f"{directory.rpartition('/')[0]}/journal"
    host.script(CLEAR, directory, journal, f"kubectl-admin-{name}", before=check)
    return start(host, name, directory, script, arguments, check=check)


def start(
    host: Host,
    name: str,
    directory: str,
    script: Script,
    arguments: Sequence[str],
    *,
    check: Callable[[], None] = lambda: None,
) -> Job:
    """Starts a script as the job `name`, or finds it started; its files are in `directory`.

    check: called right before every attempt, since this machine may have slept since the last; raises
    AdminError where the run must stop. Raises AdminError where another operation's job of that name is there,
    where other work runs that changes something, or where the host has no systemd.
    """
    for argument in arguments:
        if "\n" in argument:
            raise AdminError(f"node {host.node}: {argument!r} can't be handed to a job: it has several lines")
    job = Job(host, directory, f"kubectl-admin-{name}")
    texts = RUN.text(), script.text()
    owner_ = str(host.operation.owner)
    answer = host.script(START, directory, job.unit, owner_, *texts, *arguments, before=check)
    word, _, whose = answer.decode("utf-8", "replace").strip().partition(" ")
    match word:
        case "started":
            host.operation.work[host.node] = job.unit
            return job
        case "taken":
            owner = Owner.parse(whose)
            by = f" by {owner.person} (process {owner.pid})" if owner else ""
            raise AdminError(
                f"node {host.node}: {job.unit} was started already{by}",
                f"wait until it is done, or look at it on the node: systemctl status {job.unit}",
            )
        case "busy":
            raise AdminError(
                f"node {host.node}: other work is running there: kubectl-admin-{whose}",
                "nothing was changed there; wait until it has ended: "
                f"kubectl admin node-exec {host.node} -- systemctl status kubectl-admin-{whose}",
            )
    raise BrokenStream(f"node {host.node}: unexpected answer to the start of {job.unit}: {word!r}")
