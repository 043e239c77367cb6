"""Changes the certificates of one node after the other, and sees the new ones in use before the next.

What is changed on a node is a job there, which goes on whatever becomes of the connection.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace

from kubectl_admin.certificates.renewal.facts import JOB, ROTATING
from kubectl_admin.certificates.renewal.plan import Plan, Step
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
from kubectl_admin.node.workspace import DISCARD_TIMEOUT, STATE, discard
from kubectl_admin.signals import sheltered

POLL_INTERVAL = 0.5  # seconds between two looks


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


@contextmanager
def cleared(there: Host, say: Say) -> Iterator[None]:
    """At the end, however it comes, the job's folder goes, so that the next run may begin."""
    with sheltered() as shelter:
        try:
            with shelter.exposed():
                yield
        finally:
            try:
                discard(there, JOB, patience=DISCARD_TIMEOUT)
            except AdminError as error:
                say(f"{STATE}/{JOB} could not be removed ({error.what}): see «kubectl admin cleanup»")


def differs(one: Changed) -> bool:
    """Whether it is another certificate than before."""
    before = one.before.fingerprint if one.before else None
    return one.after is not None and one.after.fingerprint != before
