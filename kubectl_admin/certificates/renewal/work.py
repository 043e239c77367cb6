"""Changes the certificates of one node after the other; verifies that they are used before the next.

The change of a node is a job there, which runs on whatever becomes of the connection.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from kubectl_admin.certificates.renewal.facts import JOB, ROTATION_TIMEOUT
from kubectl_admin.certificates.renewal.plan import NodeStep
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.wait import looks
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.one_at_a_time import Alone
from kubectl_admin.errors import AdminError
from kubectl_admin.node import jobs, lease, leftovers
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.lease import Held
from kubectl_admin.node.workspace import DISCARD_TIMEOUT, STATE, discard
from kubectl_admin.plan import Plan, carry_out
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

    @property
    def is_new(self) -> bool:
        """Whether it is another certificate than before."""
        before = self.before.fingerprint if self.before else None
        return self.after is not None and self.after.fingerprint != before


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome on a node.

    backup: the one with the former certificates; "" for none.
    restarted: which processes were restarted.
    """

    node: str
    backup: str
    changed: tuple[Changed, ...]
    restarted: tuple[str, ...]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Site:
    """One node while it is worked on.

    say: is given sentences.
    check: called right before each change; raises AdminError where somebody else has taken over.
    """

    host: Host
    say: Say
    check: Callable[[], None]

    def tell(self, text: str) -> None:
        """Says a sentence about the node."""
        self.say(f"node {self.host.node}: {text}")

    def poll(self, seconds: float) -> Iterator[bool]:
        """Looks for so many seconds, as `wait.looks` does."""
        return looks(seconds, POLL_INTERVAL, clock=self.host.clock)

    @contextmanager
    def job_cleared(self) -> Iterator[None]:
        """At the end, however it comes, removes the job's directory, so that the next run may begin."""
        with sheltered() as shelter:
            try:
                with shelter.exposed():
                    yield
            finally:
                try:
                    discard(self.host, JOB, patience=DISCARD_TIMEOUT)
                except AdminError as error:
                    what = f"{STATE}/{JOB} could not be removed ({error.what})"
                    self.tell(f"{what}: see «kubectl admin cleanup»")


# The work on one node.
Work = Callable[[Cluster, Site, NodeStep], Done]


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries a plan out, node after node, while nobody else changes a control plane.

    work: on one node.
    about: the same in words («renews certificates»), for another run that is refused meanwhile.
    finished: is given each node's result as it comes, and the host while it is still open.
    skipped: as in `one_at_a_time.control_plane`.
    exclude: inside, nobody else changes a control plane. hold: the same for one worker's upgrade.
    """

    hosts: Hosts
    work: Work
    about: str
    finished: Callable[[Host, Done], None]
    skipped: Sequence[str] = ()
    exclude: Callable[..., AbstractContextManager[Alone]] = one_at_a_time.control_plane
    hold: Callable[..., AbstractContextManager[Held]] = lease.held

    def run(self, planned: Plan[NodeStep]) -> list[Done]:
        """Raises AdminError where a node does not come to its end, and where somebody else is at work."""
        own = {(step.node, JOB) for step in planned.steps}
        with self.exclude(self.hosts, self.about, own=own, skipped=self.skipped, take_over=None) as alone:
            return self.carry_out(planned, alone)

    def carry_out(self, planned: Plan[NodeStep], alone: Alone) -> list[Done]:
        """The same, once nobody else may change a control plane."""
        for node in (each.node for each in alone.work):
            with self.hosts.open(node) as there:
                self._await_earlier(there)
        return [taken.result for taken in carry_out(planned.steps, partial(self._work_on, alone))]

    def _work_on(self, alone: Alone, step: NodeStep) -> Done:
        """One step of the plan."""
        began, node = time.monotonic(), step.node
        held = [alone.held]

        def check() -> None:
            for each in held:
                each.check()

        with ExitStack() as stack:
            if node not in alone.nodes:
                held.append(stack.enter_context(self._hold_worker(node)))
            there = stack.enter_context(self.hosts.open(node))
            leftovers.sweep_host(there)
            check()
            # A worker's job is a rotation, which ends by itself.
            self._await_earlier(there, None if node in alone.nodes else ROTATION_TIMEOUT)
            done = self.work(self.hosts.cluster, Site(there, self.hosts.say, check), step)
            done = replace(done, seconds=time.monotonic() - began)
            self.finished(there, done)
            return done

    def _hold_worker(self, node: str) -> AbstractContextManager[Held]:
        """Inside, nobody else upgrades this worker; AdminError where somebody does."""
        hosts, about = self.hosts, f"rotates the certificates of node {node}"
        name, owner = lease.of_node(node), hosts.operation.owner
        return self.hold(hosts.cluster, name, owner, about, take_over=None, say=hosts.say)

    def _await_earlier(self, there: Host, limit: float | None = None) -> None:
        """Waits until the job of an earlier run has ended, and clears it away. limit: as in `Job.wait`."""
        if job := jobs.running(there, JOB, f"{STATE}/{JOB}"):
            self.hosts.say(f"node {there.node}: the work of an interrupted run still runs; waiting for it")
            job.wait(limit=limit)
        discard(there, JOB)
