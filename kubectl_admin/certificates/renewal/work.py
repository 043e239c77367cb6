"""Changes the certificates of one node after the other, and sees the new ones in use before the next.

What is changed on a node is a job there, which goes on whatever becomes of the connection.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kubectl_admin.certificates.components import KUBERNETES
from kubectl_admin.certificates.renewable import ALL, RENEWABLE
from kubectl_admin.certificates.renewal.facts import BEFORE_ROLLBACK, JOB, Node
from kubectl_admin.certificates.renewal.look import on_disk
from kubectl_admin.certificates.renewal.plan import Plan, Step
from kubectl_admin.certificates.renewal.use import AGAIN, Use
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.node import host, jobs, lease, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.lease import Held
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.workspace import CLEARING, STATE, discard, workspace
from kubectl_admin.shelter import sheltered

BACKUPS = f"{STATE}/certificates"
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


Work = Callable[[Cluster, Host, Step, Say], Done]
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
    alone: str = "",
) -> list[Done]:
    """Does what the plan says, node after node; raises AdminError where one does not come to its end.

    work: what is done on one node. alone: what it is («renews certificates») where nobody else may change
    control planes meanwhile.
    """
    with ExitStack() as stack:
        held = stack.enter_context(only_one(cluster, operation, alone, say)) if alone else None
        return [done_on(cluster, step, work, operation, options, say, finished, held) for step in plan.steps]


def only_one(cluster: Cluster, operation: Operation, about: str, say: Say) -> AbstractContextManager[Held]:
    """Inside, nobody else renews, rolls back, or upgrades a control plane; AdminError where somebody does."""
    return lease.held(cluster, lease.CONTROL_PLANE, operation.owner, about, take_over=None, say=say)


def done_on(  # noqa: PLR0913, PLR0917 - as in `carry_out`
    cluster: Cluster,
    step: Step,
    work: Work,
    operation: Operation,
    options: Options,
    say: Say,
    finished: Finished,
    held: Held | None,
) -> Done:
    """One step of the plan."""
    began = time.monotonic()
    with host.opened(cluster, step.node.node, operation, options, say) as there:
        leftovers.sweep_host(there)
        if held:
            held.check()
        take_over(there, step.node, say)
        done = replace(work(cluster, there, step, say), seconds=time.monotonic() - began)
        finished(there, done)
        return done


def take_over(there: Host, node: Node, say: Say) -> None:
    """Waits until the job of a run that was killed has ended, and clears it away."""
    if node.survey.job is None:
        return
    if node.survey.job.active:
        say(f"node {there.node}: an earlier run was killed; its work there goes on, and is waited for")
        jobs.Job(there, f"{STATE}/{JOB}", f"kubectl-admin-{JOB}").wait()
    discard(there, JOB)


def changed(cluster: Cluster, there: Host, step: Step, say: Say) -> Done:
    """A renewal or a rollback on one node. Raises AdminError where it does not come to its end."""
    return Worker(cluster, there, step, say).work()


class Worker:
    """The work on one node."""

    def __init__(self, cluster: Cluster, there: Host, step: Step, say: Say) -> None:
        self._cluster, self._host, self._step = cluster, there, step
        self._say: Say = lambda text: say(f"node {there.node}: {text}")

    def work(self) -> Done:
        """Changes the files, and sees to it that they are used.

        The job stays there until all of it is over: whoever else comes finds it, and is refused.
        """
        node, backup = self._step.node, self._step.backup
        self._say("renewing" if backup is None else f"bringing back {backup.name}")
        with workspace(self._host):
            job = jobs.start(self._host, JOB, f"{STATE}/{JOB}", "certs-change", self._words())
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
        new = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        if backup is None:
            return ["renew", STATE, KUBERNETES, node.pki, new, *self._step.words]
        files = [file for name in self._step.names for file in RENEWABLE[name].files]
        new += BEFORE_ROLLBACK
        return ["rollback", STATE, KUBERNETES, node.pki, new, backup.name, *files]

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
        use = Use(self._cluster, self._host, self._say)
        # What an earlier run had changed was perhaps never seen, so all is looked at after one.
        looked_at = names if not self._step.resumes else after.renewable
        seen = {name: use.see_served(after, name) for name in looked_at if RENEWABLE[name].server}
        for component in dict.fromkeys(reader for name in looked_at if (reader := RENEWABLE[name].reader)):
            use.renew_reader(after, component)
        if self._step.backup is None:
            path = f"{BACKUPS}/{backup}/open"
            self._host.persistently(lambda: self._host.run(["rm", "-f", "--", path]))
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
