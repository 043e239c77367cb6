"""One change of the control plane at a time, also where the work of an earlier run still runs without it.

A Lease ends with the process that holds it; a unit that it has started on a host does not. So the holder of
the Lease asks every control-plane host which work runs there, and changes nothing beside it. A host that
can't be asked counts as busy.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.cluster.retry import NotReadyError, is_transient
from kubectl_admin.control_plane import static_pods
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node import lease
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.lease import Held
from kubectl_admin.node.operation import Operation, Owner
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE
from kubectl_admin.signals import sheltered

CHANGES = Script("control_plane", "changes")
PREFIX = "kubectl-admin-"  # of the names of units
# Beside what debug pods take.
RIGHTS = (Right("list", "nodes"), *lease.RIGHTS)
SKIPPING = (Right("list", "nodes"), Right("get", "nodes"))  # what --skip-host takes


@dataclass(frozen=True, slots=True)
class Work:
    """Work that changes something on a host. name: of its unit, without «kubectl-admin-»."""

    node: str
    name: str
    owner: Owner | None

    def __str__(self) -> str:
        by = f" (started by {self.owner.person})" if self.owner else ""
        return f"kubectl-admin-{self.name} is running on node {self.node}{by}"


@dataclass(frozen=True, slots=True)
class Alone:
    """That nobody else changes the control plane. nodes: its nodes. work: this run's own, that still runs."""

    held: Held
    nodes: tuple[str, ...]
    work: tuple[Work, ...]


@contextmanager
def control_plane(
    hosts: Hosts,
    about: str,
    *,
    own: Collection[tuple[str, str]],
    skipped: Sequence[str],
    take_over: bool | None,
) -> Iterator[Alone]:
    """Inside, nobody else changes a control plane, and of earlier runs only `own` work runs on its hosts.

    own: nodes and names of the work that this run takes up itself. skipped: control-plane nodes whose hosts
    are not asked. about, take_over: as in `lease.held`.
    Raises AdminError where somebody else is at work, their work still runs, or a host can't be asked.
    """
    operation = hosts.operation
    with (
        lease.held(
            hosts.cluster, lease.CONTROL_PLANE, operation.owner, about, take_over=take_over, say=hosts.say
        ) as held,
        sheltered() as shelter,
    ):
        try:
            with shelter.exposed():
                nodes = sorted(node.name for node in static_pods.control_plane_nodes(hosts.cluster))
                # Where the control plane is none of the cluster's nodes, the nodes to be changed are asked.
                asked = nodes or sorted({node for node, _ in own})
                found = find_work(hosts, asked, skipped)
                others = [work for work in found if (work.node, work.name) not in own]
                if others:
                    with sheltered():
                        held.leave("; ".join(map(str, others)))
                    raise refusal(others[0])
                yield Alone(held, tuple(nodes), tuple(found))
        finally:
            if operation.work:
                leave(held, operation, hosts.say)


def leave(held: Held, operation: Operation, say: Say) -> None:
    """Leaves the Lease to the run that sees the end of what still runs."""
    left = (Work(node, unit.removeprefix(PREFIX), None) for node, unit in operation.work.items())
    what = "; ".join(map(str, left))
    try:
        held.leave(what)
    except AdminError as error:
        say(f"{what}, but the lease does not say so: {error}")


def refusal(work: Work) -> AdminError:
    """That nothing is changed beside this work."""
    return AdminError(
        f"{work}: only one run at a time changes the control plane",
        "wait for its end, then run this command again; see its state with: "
        f"kubectl admin node-exec {work.node} -- systemctl status kubectl-admin-{work.name}",
    )


def check_skipped(cluster: Cluster, skipped: Sequence[str]) -> None:
    """Raises as `refuse_misplaced` does; for verbs, before they look at anything else."""
    if skipped:
        names = [node.name for node in static_pods.control_plane_nodes(cluster)]
        refuse_misplaced(cluster, skipped, names)


def refuse_misplaced(cluster: Cluster, skipped: Sequence[str], nodes: Sequence[str]) -> None:
    """Raises `unknown_node` for a name that no node has, UsageError for a node that is not among `nodes`."""
    for name in skipped:
        if name not in nodes:
            read_node(cluster, name)  # raises where there is none
            raise UsageError(f"--skip-host {name}: not a control-plane node ({', '.join(nodes) or 'none'})")


def find_work(hosts: Hosts, nodes: Sequence[str], skipped: Sequence[str]) -> list[Work]:
    """The work that runs on the hosts of the control plane, which are these nodes.

    Raises AdminError where one of them can't be asked, and as `refuse_misplaced` does.
    """
    refuse_misplaced(hosts.cluster, skipped, nodes)
    own = replace(hosts, operation=Operation.begin())  # whose pods all go at the end
    answers = own.ask([name for name in nodes if name not in skipped], on_host)
    found: list[Work] = []
    for name, answer in answers.items():
        if isinstance(answer, AdminError):
            # An API server that is being restarted says nothing about a host: who waits asks again.
            if is_transient(answer) and not isinstance(answer, NotReadyError):
                raise answer
            raise AdminError(
                f"node {name}: can't see whether work is running there: {answer.what}",
                f"bring it back; or, if it is down and nothing can run there, add --skip-host {name}",
            ) from answer
        found += answer
    return found


def on_host(there: Host) -> list[Work]:
    """The work that runs on a host and changes something."""
    found = []
    for line in there.script(CHANGES, STATE).decode("utf-8", "replace").splitlines():
        match line.split(" ", 2):
            case ["change", name, owner]:
                found.append(Work(there.node, name, Owner.parse(owner)))
    return found
