"""Changes the certificates of one node after the other, and sees the new ones in use before the next.

What is changed on a node is a job there, which goes on whatever becomes of the connection. Everything after
it only looks, but for processes that don't read their files again: those are started anew, one at a time.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kubectl_admin.certificates import components, served
from kubectl_admin.certificates.components import APISERVER, CONFIGS, ETCD, KUBERNETES, Port
from kubectl_admin.certificates.renewal.facts import BEFORE_ROLLBACK, JOB, ControlPlane
from kubectl_admin.certificates.renewal.look import etcd_of, on_disk
from kubectl_admin.certificates.renewal.names import ALL, RENEWABLE
from kubectl_admin.certificates.renewal.plan import Plan, Step
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.node import host, jobs, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.workspace import CLEARING, STATE, discard, workspace
from kubectl_admin.shelter import sheltered

SETTLING = 15.0  # seconds in which a server must have read its files by itself; 1.37's take three
COMING = 360.0  # seconds until a process that was ended must serve again: kubelets wait up to 300
TURN = 0.5  # seconds between two looks
BACKUPS = f"{STATE}/certificates"
SAID = re.compile(r"^\S+ kubeadm certs renew (\S+)$", re.MULTILINE)
MADE = re.compile(r"^backup (\S+)$", re.MULTILINE)
AGAIN = "what is done is done: run it again and it goes on; kubectl admin certs rollback brings back what was"


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

    backup: in which what there was before is kept. restarted: which processes were started anew.
    """

    node: str
    backup: str
    changed: tuple[Changed, ...]
    restarted: tuple[str, ...]
    seconds: float = 0.0


# Is given each node's result as it comes, and the host while it is still open.
Finished = Callable[[Host, Done], None]


def carry_out(
    cluster: Cluster,
    plan: Plan,
    operation: Operation,
    options: Options,
    say: Say,
    finished: Finished,
) -> list[Done]:
    """Does what the plan says, node after node; raises AdminError where one does not come to its end."""
    done = []
    for step in plan.steps:
        began = time.monotonic()
        with host.opened(cluster, step.node.node, operation, options, say) as there:
            leftovers.sweep_host(there)
            take_over(there, step.node, say)
            result = Worker(cluster, there, step, say).work()
            result = replace(result, seconds=time.monotonic() - began)
            finished(there, result)
            done.append(result)
    return done


def take_over(there: Host, node: ControlPlane, say: Say) -> None:
    """Waits until the job of a run that was killed has ended, and clears it away."""
    if node.survey.job is None:
        return
    if node.survey.job.active:
        say(f"node {there.node}: an earlier run was killed; its work there goes on, and is waited for")
        jobs.Job(there, f"{STATE}/{JOB}", f"kubectl-admin-{JOB}").wait()
    discard(there, JOB)


class Worker:
    """The work on one node."""

    def __init__(self, cluster: Cluster, there: Host, step: Step, say: Say) -> None:
        self._cluster, self._host, self._step = cluster, there, step
        self._say: Say = lambda text: say(f"node {there.node}: {text}")
        self._restarted: list[str] = []

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
        # What an earlier run had changed was perhaps never seen, so all is looked at after one.
        looked_at = names if not self._step.resumes else tuple(filter(after.has, RENEWABLE))
        seen = {name: self._see_served(after, name) for name in looked_at if RENEWABLE[name].server}
        for component in dict.fromkeys(reader for name in looked_at if (reader := RENEWABLE[name].reader)):
            self._renew_reader(after, component)
        if self._step.backup is None:
            path = f"{BACKUPS}/{backup}/open"
            self._host.persistently(lambda: self._host.run(["rm", "-f", "--", path]))
        told = [one for one in changed.values() if differs(one)]
        results = tuple(replace(one, served=seen.get(one.name)) for one in told)
        return Done(node.node, backup, results, tuple(self._restarted))

    def _names(self, log: str) -> tuple[str, ...]:
        """What was changed: for a renewal also what an earlier run had begun."""
        if self._step.backup is not None:
            return self._step.names
        told = set(SAID.findall(log))
        node = self._step.node
        return tuple(name for name in RENEWABLE if (ALL in told and node.has(name)) or name in told)

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

    def _see_served(self, node: ControlPlane, name: str) -> bool | None:
        """Sees what is on the disk being served, by its server as it is or started anew.

        None where nobody can look. Raises AdminError where it does not come to be.
        """
        component, found = RENEWABLE[name].server, node.certificate(name)
        ports = node.ports(name)
        if found is None or not ports:
            return None
        shown = [self._until_served(node, port, found, SETTLING) for port in ports]
        if None in shown:
            return None
        if all(shown):
            return True
        self._refuse_changed(node, name)
        self._say(f"{component} does not serve its new certificate by itself")
        self._start_anew(node, component, name)
        if not all(self._until_served(node, port, found, COMING) for port in ports):
            raise AdminError(
                f"node {node.node}: {component} does not serve the certificate {name} on its disk",
                AGAIN,
            )
        return True

    def _refuse_changed(self, node: ControlPlane, name: str) -> None:
        """What somebody else has written meanwhile is no reason to start anything anew."""
        now = replace(node, seen=on_disk(self._host, dict(node.parts)))
        if now.certificate(name) != node.certificate(name):
            raise AdminError(
                f"node {node.node}: somebody else has changed the certificate {name} meanwhile",
                "find out who; nothing was started anew",
            )

    def _renew_reader(self, node: ControlPlane, component: str) -> None:
        """Has a process started anew that has read its kubeconfig before it was changed; sees it serve."""
        if component not in node.parts:
            return
        self._start_anew(node, component, CONFIGS[component])
        for port in components.ports(node.parts[component]):
            if not port.host and not self._answers(node, port, COMING):
                raise AdminError(
                    f"node {node.node}: {component} does not answer on port {port.number}", AGAIN
                )

    def _start_anew(self, node: ControlPlane, component: str, name: str) -> None:
        """Has the kubelet start a process again, unless it is younger than the file of that name."""
        if component == ETCD:
            members, spare, _ = etcd_of(self._cluster)
            if members > 1 and spare < 1:
                raise AdminError(
                    f"node {node.node}: etcd is to be started anew, and can't spare a member now",
                    "bring its members back first: kubectl admin etcd-status",
                )
        found = node.on_disk(name)
        since = int(found.changed.timestamp()) if found and found.changed else 0
        answer = self._host.script(
            "certs-restart",
            component,
            node.uids[component],
            str(since),
            str(int(COMING)),
            timeout=COMING + 30,
        )
        if answer.strip() == b"restarted":
            self._say(f"{component} was started anew")
            self._restarted.append(component)
        if component == ETCD:
            self._until_members_are_up()

    def _until_members_are_up(self) -> None:
        """Waits until etcd's members are as many as before."""
        for _ in looks(COMING):
            try:
                members, spare, _ = etcd_of(self._cluster)
            except AdminError:
                continue  # an API server whose etcd restarts
            if members <= 1 or spare >= 1:
                return
        raise AdminError(
            f"node {self._host.node}: etcd's member is not back", "see kubectl admin etcd-status"
        )

    def _until_served(
        self, node: ControlPlane, port: Port, wanted: Certificate, seconds: float
    ) -> bool | None:
        """Whether the port comes to serve this certificate; None where nothing can look at it."""
        for _ in looks(seconds):
            try:
                if self._shown(node, port).fingerprint == wanted.fingerprint:
                    return True
            except AdminError as error:
                if "neither openssl nor curl" in error.what:
                    self._say(f"what is served on port {port.number} can't be seen: {error.what}")
                    return None
        return False

    def _answers(self, node: ControlPlane, port: Port, seconds: float) -> bool:
        """Whether the port comes to serve any certificate."""
        for _ in looks(seconds):
            try:
                self._shown(node, port)
            except AdminError:
                continue
            return True
        return False

    def _shown(self, node: ControlPlane, port: Port) -> Certificate:
        """What a port of the node shows just now."""
        if port.host:
            return served.through_host(self._host.script, port.host)
        return served.certificate(self._cluster, node.parts[APISERVER].name, port.number)


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


def looks(seconds: float) -> Iterator[int]:
    """A turn now, and one after the other until so many seconds have passed."""
    end, turn = time.monotonic() + seconds, 0
    while True:
        yield turn
        turn += 1
        if time.monotonic() + TURN > end:
            return
        time.sleep(TURN)
