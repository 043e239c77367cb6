"""Changes the certificates of one node after the other, and sees the new ones in use before the next.

What is changed on a node is a job there, which goes on whatever becomes of the connection.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kubectl_admin.certificates.inventory.components import KUBERNETES
from kubectl_admin.certificates.renewable import ALL, RENEWABLE
from kubectl_admin.certificates.renewal.backups import BACKUPS
from kubectl_admin.certificates.renewal.facts import BEFORE_ROLLBACK, JOB, NAMED, ROTATING
from kubectl_admin.certificates.renewal.look import on_disk
from kubectl_admin.certificates.renewal.plan import Plan, Step
from kubectl_admin.certificates.renewal.use import AGAIN, Use
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.one_at_a_time import Alone
from kubectl_admin.errors import AdminError
from kubectl_admin.node import host, jobs, lease, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.lease import Held
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.workspace import CLEARING, STATE, discard, workspace
from kubectl_admin.signals import sheltered

SAID = re.compile(r"^\S+ kubeadm certs renew (\S+)$", re.MULTILINE)
MADE = re.compile(r"^backup (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Changed:
    """A certificate of one node, before and after.

    served: whether it was seen being served; None for one that nobody serves, or that can't be looked at.
    """

    node: str
    name: str
    before: Certificate | None
    after: Certificate | None
    served: bool | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What was done on a node.

    backup: in which what there was before is kept; "" where nothing is.
    restarted: which processes were started anew.
    """

    node: str
    backup: str
    changed: tuple[Changed, ...]
    restarted: tuple[str, ...]
    seconds: float = 0.0


# Raises AdminError where the run may not go on, since somebody else has taken over.
Check = Callable[[], None]
Work = Callable[[Cluster, Host, Step, Say, Check], Done]
# Is given each node's result as it comes, and the host while it is still open.
Finished = Callable[[Host, Done], None]


def carry_out(  # noqa: PLR0913, PLR0917 - what on which nodes of whose, and how they are reached
    cluster: Cluster,
    plan: Plan,
    work: Work,
    operation: Operation,
    options: Options,
    say: Say,
    finished: Finished,
    *,
    about: str,
    skipped: Sequence[str],
) -> list[Done]:
    """Does what the plan says, node after node; raises AdminError where one does not come to its end.

    work: what is done on one node. about: what that is («renews certificates»), for whoever else would change
    a control plane meanwhile, and is refused. skipped: as in `one_at_a_time.control_plane`.
    """
    nodes = [step.node.node for step in plan.steps]
    own = {(node, JOB) for node in nodes}
    with one_at_a_time.control_plane(
        cluster, operation, about, options, say, own=own, skipped=skipped, take_over=None
    ) as alone:
        for node in (each.node for each in alone.work):
            with host.opened(cluster, node, operation, options, say) as there:
                await_earlier(there, say)
        return [done_on(cluster, step, work, operation, options, say, finished, alone) for step in plan.steps]


def done_on(  # noqa: PLR0913, PLR0917 - as in `carry_out`
    cluster: Cluster,
    step: Step,
    work: Work,
    operation: Operation,
    options: Options,
    say: Say,
    finished: Finished,
    alone: Alone,
) -> Done:
    """One step of the plan."""
    began = time.monotonic()
    held = [alone.held]

    def check() -> None:
        for each in held:
            each.check()

    with ExitStack() as stack:
        if step.node.node not in alone.nodes:
            held.append(stack.enter_context(alone_on(cluster, step.node.node, operation, say)))
        there = stack.enter_context(host.opened(cluster, step.node.node, operation, options, say))
        leftovers.sweep_host(there)
        check()
        # A worker's is a rotation, which ends by itself.
        await_earlier(there, say, None if step.node.node in alone.nodes else ROTATING)
        done = replace(work(cluster, there, step, say, check), seconds=time.monotonic() - began)
        finished(there, done)
        return done


def alone_on(cluster: Cluster, node: str, operation: Operation, say: Say) -> AbstractContextManager[Held]:
    """Inside, nobody else upgrades this worker; AdminError where somebody does."""
    about = f"rotates the certificates of node {node}"
    return lease.held(cluster, lease.of_node(node), operation.owner, about, take_over=None, say=say)


def await_earlier(there: Host, say: Say, limit: float | None = None) -> None:
    """Waits until the job of an earlier run has ended, and clears it away. limit: as in `Job.wait`."""
    if job := jobs.running(there, JOB, f"{STATE}/{JOB}"):
        say(f"node {there.node}: an earlier run was cut off; its work there goes on, and is waited for")
        job.wait(limit=limit)
    discard(there, JOB)


def changed(cluster: Cluster, there: Host, step: Step, say: Say, check: Check) -> Done:
    """A renewal or a rollback on one node. Raises AdminError where it does not come to its end."""
    return Worker(cluster, there, step, say, check).work()


class Worker:
    """The work on one node."""

    def __init__(self, cluster: Cluster, there: Host, step: Step, say: Say, check: Check) -> None:
        self._cluster, self._host, self._step, self._check = cluster, there, step, check
        self._say: Say = lambda text: say(f"node {there.node}: {text}")

    def work(self) -> Done:
        """Changes the files, and sees to it that they are used.

        The job stays there until all of it is over: whoever else comes finds it, and is refused.
        """
        node, backup = self._step.node, self._step.backup
        self._say("renewing" if backup is None else f"bringing back {backup.name}")
        with workspace(self._host):
            folder, words = f"{STATE}/{JOB}", self._words()
            job = jobs.start(self._host, JOB, folder, "certs-change", words, check=self._check)
            # Interrupted in here, it goes on, and is the next run's to wait for.
            ended = job.wait()
            with cleared(self._host, self._say):
                if ended.exit_code:
                    said = ended.log.strip().rpartition("\n")[2]
                    raise AdminError(
                        f"node {node.node}: the certificates were not changed to the end: {said}", AGAIN
                    )
                return self._see_to_it(ended.log)

    def _words(self) -> list[str]:
        """The job's arguments."""
        node, backup = self._step.node, self._step.backup
        new = f"{datetime.now(UTC):{NAMED}}"
        if backup is None:
            return ["renew", STATE, KUBERNETES, node.pki, new, *self._step.words]
        files = [file for name in self._step.names for file in RENEWABLE[name].files]
        new += BEFORE_ROLLBACK
        end = str(int(self._step.end.timestamp())) if self._step.end else "-"
        return ["rollback", STATE, KUBERNETES, node.pki, new, backup.name, end, *files]

    def _see_to_it(self, log: str) -> Done:
        """Sees what the job has changed in use. log: what it has written."""
        node = self._step.node
        backup = MADE.findall(log)[-1]
        after = replace(node, seen=on_disk(self._host, dict(node.parts)))
        names = self._names(log)
        changed = {
            name: Changed(node.node, name, node.certificate(name), after.certificate(name)) for name in names
        }
        self._refuse_unchanged(changed.values())
        use = Use(self._cluster, self._host, self._say, self._check)
        # What an earlier run had changed was perhaps never seen, so all is looked at after one.
        looked_at = names if not self._step.resumes else after.renewable
        seen = {name: use.see_served(after, name) for name in looked_at if RENEWABLE[name].server}
        for component in dict.fromkeys(reader for name in looked_at if (reader := RENEWABLE[name].reader)):
            use.renew_reader(after, component)
        use.see_well(after)
        if self._step.backup is None:
            # Nothing that earlier runs have made is left unseen.
            remove = [
                "find",
                BACKUPS,
                "-maxdepth",
                "2",
                "-name",
                "open",
                "-exec",
                "rm",
                "-f",
                "--",
                "{}",
                "+",
            ]
            self._host.persistently(lambda: self._host.run(remove))
        told = [one for one in changed.values() if differs(one)]
        results = tuple(replace(one, served=seen.get(one.name)) for one in told)
        return Done(node.node, backup, results, tuple(use.restarted))

    def _names(self, log: str) -> tuple[str, ...]:
        """What was changed: for a renewal also what an earlier run had begun."""
        if self._step.backup is not None:
            return self._step.names
        told = set(SAID.findall(log))
        node = self._step.node
        return tuple(name for name in RENEWABLE if (ALL in told and name in node.renewable) or name in told)

    def _refuse_unchanged(self, changed: Iterable[Changed]) -> None:
        """kubeadm passes over what it can't renew, and says so with exit code 0."""
        if self._step.backup is not None:
            return
        left = [one.name for one in changed if one.after is None or not differs(one)]
        if left:
            raise AdminError(
                f"node {self._host.node}: kubeadm has not renewed {', '.join(left)}",
                "see what it says on the node: kubeadm certs renew " + left[0],
            )


@contextmanager
def cleared(there: Host, say: Say) -> Iterator[None]:
    """At the end, however it comes, the job's folder goes, so that the next run may begin."""
    try:
        yield
    finally:
        with sheltered():
            try:
                discard(there, JOB, patience=CLEARING)
            except AdminError as error:
                say(f"{STATE}/{JOB} could not be removed ({error.what}): see «kubectl admin cleanup»")


def differs(one: Changed) -> bool:
    """Whether it is another certificate than before."""
    before = one.before.fingerprint if one.before else None
    return one.after is not None and one.after.fingerprint != before
