"""From which member a snapshot is taken, and how it is spoken to from its node's host.

A follower before the leader, which has more to do; never a learner, which may lag behind.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.retry import NotReadyError
from kubectl_admin.control_plane import static_pods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import Status
from kubectl_admin.etcd.members.pods import Access, ApiserverFlags, Etcd, EtcdPod
from kubectl_admin.etcd.members.state import LAG
from kubectl_admin.etcd.members.status import etcdctl, why, without_api
from kubectl_admin.node.debug_pod import refuse_unready, seen
from kubectl_admin.pool import ask_all

ASKING = 30.0  # seconds for the answers of all members together
OUTSIDE = "-"  # no container: etcd runs outside of Kubernetes
# What it takes to choose.
RIGHTS = (
    *static_pods.RIGHTS,
    *(Right(verb, "pods/exec", pods.NAMESPACE) for verb in ("create", "get")),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A node on which a snapshot can be taken.

    container: the id of the container that runs etcd there; OUTSIDE for an external etcd, which is only
    spoken to from there. data: its data folder, as etcd itself sees it; "" for an external one.
    accesses: how it is spoken to, by the first that answers; files are in the container's root or the host's.
    notes: sentences about what a snapshot from there may lack.
    """

    node: str
    container: str
    data: str
    accesses: tuple[Access, ...]
    notes: tuple[str, ...] = ()


def choose(cluster: Cluster, node: str | None) -> Source:
    """The source for a snapshot: on that node, or else the best. Raises AdminError where there is none."""
    try:
        etcd = pods.find(cluster)
    except AdminError as error:
        raise without_api(error) from error
    elsewhere = tuple(left_out(etcd.apiservers))
    if etcd.external:
        chosen = external(etcd.apiservers, node or ready(cluster, etcd.apiservers))
        return replace(chosen, notes=elsewhere)
    members = [pod for pod in etcd.members if node in (None, pod.node)]
    if not members:
        raise AdminError(no_member(etcd, node), "kubectl admin etcd-status shows what there is")
    able = [pod for pod in members if pod.access]
    statuses = ask_all({pod: etcdctl(cluster, pod).status for pod in able}, deadline=ASKING)
    for answer in statuses.values():
        if isinstance(answer, Forbidden):
            raise answer
    answered = {pod: status for pod, status in statuses.items() if isinstance(status, Status)}
    found = best(answered)
    if found is None or found.access is None:
        said = [
            f"{pod.node}: {why(error)}" for pod, error in statuses.items() if isinstance(error, AdminError)
        ]
        said += [f"{pod.node}: its flags are in a file" for pod in members if pod not in able]
        said += [
            f"{pod.node}: it is a learner" for pod, status in statuses.items() if isinstance(status, Status)
        ]
        raise AdminError(f"no etcd member can give a snapshot: {'; '.join(said)}")
    doubts = doubts_about(answered[found], answered.values())
    notes = (*(f"node {found.node}: its member {doubt}" for doubt in doubts), *elsewhere)
    return Source(found.node, found.container_id, found.flags.data_dir, (found.access,), notes)


def best(statuses: Mapping[EtcdPod, Status]) -> EtcdPod | None:
    """The member to take a snapshot from, of those that answered.

    One that nothing is to be said against, then a follower, then what has applied the most.
    """
    voters = {pod: status for pod, status in statuses.items() if not status.learner and pod.container_id}

    def rank(pod: EtcdPod) -> tuple[int, bool, int]:
        status = voters[pod]
        doubts = doubts_about(status, voters.values())
        return -len(doubts), status.leader != status.member_id, status.applied

    return max(voters, key=rank, default=None)


def doubts_about(status: Status, all_of_them: Iterable[Status]) -> list[str]:
    """What is to be said against a snapshot from a member: that it lacks what others have, or is damaged."""
    behind = max(other.applied for other in all_of_them) - status.applied
    raised = f"memberID:{status.member_id} "  # Source: etcd api/etcdserverpb, AlarmMember.String
    said = {
        "knows no leader, so it may lack what the others have": not status.leader,
        f"is {behind} raft entries behind": behind > LAG,
        "has raised the alarm that its data is corrupt": any(
            error.startswith(raised) and "CORRUPT" in error for error in status.errors
        ),
    }
    return [doubt for doubt, so in said.items() if so]


def left_out(apiservers: Iterable[ApiserverFlags]) -> Iterator[str]:
    """What API servers keep in other etcds than the one that the snapshot is of."""
    for override in dict.fromkeys(override for flags in apiservers for override in flags.overrides):
        resource, _, servers = override.partition("#")
        yield f"{resource.lstrip('/')} is kept in another etcd ({servers}) and not in this snapshot"


def ready(cluster: Cluster, apiservers: Iterable[ApiserverFlags]) -> str | None:
    """The first node with an API server whose kubelet can start a debug pod; None where there is none."""
    for name in (node for flags in apiservers for node in flags.nodes):
        try:
            refuse_unready(seen(cluster, name))
        except NotReadyError:
            continue
        return name
    return None


def external(apiservers: Sequence[ApiserverFlags], node: str | None) -> Source:
    """The source where API servers use an etcd outside of the cluster: spoken to from one of their nodes."""
    for flags in apiservers:
        if node is None or node in flags.nodes:
            accesses = [
                Access(url, url.startswith("https:"), flags.ca, flags.cert, flags.key)
                for url in flags.servers
            ]
            return Source(node or flags.nodes[0], OUTSIDE, "", tuple(accesses))
    nodes = ", ".join(name for flags in apiservers for name in flags.nodes)
    raise AdminError(
        f"node {node} runs no API server, whose certificates for etcd are needed", f"there are {nodes}"
    )


def no_member(etcd: Etcd, node: str | None) -> str:
    """Why there is nothing to choose from."""
    looks = [
        f"pod {one.pod} looks like one, but {one.why}" for one in etcd.impostors if node in (None, one.node)
    ]
    if node and etcd.members:
        known = f"{', '.join(pod.node for pod in etcd.members)} do"
        return f"node {node} runs no etcd member; {'; '.join([*looks, known])}"
    nothing = "no static pod of etcd or of an API server is to be seen"
    return f"{nothing}: {'; '.join(looks) or 'is the control plane a managed one?'}"
