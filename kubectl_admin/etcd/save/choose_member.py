"""Chooses the member that gives a snapshot, and how to reach it from its node's host.

A follower before the leader, which has more to do; never a learner, which may lag behind; and only a member
that the others know: a snapshot of another cluster is whole, too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.cluster.retry import NotReadyError
from kubectl_admin.control_plane import static_pods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import Etcdctl, Listed, Status
from kubectl_admin.etcd.members.facts import LAG
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.members.gather import etcdctl, why, without_api
from kubectl_admin.etcd.members.pods import ApiserverFlags, Etcd, EtcdPod
from kubectl_admin.node.readiness import refuse_unready
from kubectl_admin.pool import ask_all

ALL_MEMBERS_TIMEOUT = 30.0  # seconds for the answers of all members together
OUTSIDE = "-"  # no container: etcd runs outside of Kubernetes
# The rights to choose.
RIGHTS = (
    *static_pods.RIGHTS,
    *(Right(verb, "pods/exec", KUBE_SYSTEM) for verb in ("create", "get")),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A node on which a snapshot can be taken.

    container: the id of the container that runs etcd there; OUTSIDE for an external etcd, which is only
    spoken to from there. data: its data directory, as etcd itself sees it; "" for an external one.
    accesses: how it is spoken to, by the first that answers; files are in the container's root or the host's.
    notes: sentences about what a snapshot from there may lack. cluster_id, member_id: whose snapshot it must
    be; None for an external one, which the API servers know by its certificate.
    """

    node: str
    container: str
    data: str
    accesses: tuple[Access, ...]
    notes: tuple[str, ...] = ()
    cluster_id: int | None = None
    member_id: int | None = None


def choose(
    cluster: Cluster,
    node: str | None,
    *,
    etcdctl: Callable[[Cluster, EtcdPod], Etcdctl] = etcdctl,
) -> Source:
    """Chooses the source for a snapshot: on that node, or else the best.

    etcdctl: gives what asks a member. Raises AdminError where there is no source.
    """
    try:
        etcd = pods.find(cluster)
    except AdminError as error:
        raise without_api(error) from error
    elsewhere = tuple(left_out(etcd.apiservers))
    if etcd.external:
        if node and not any(node in flags.nodes for flags in etcd.apiservers):
            read_node(cluster, node)  # raises where there is none
        chosen = external_source(etcd.apiservers, node or first_ready_node(cluster, etcd.apiservers))
        return replace(chosen, notes=elsewhere)
    members = [pod for pod in etcd.members if node in (None, pod.node)]
    if not members:
        if node:
            read_node(cluster, node)  # raises where there is none
        raise AdminError(why_no_member(etcd, node), "kubectl admin etcd-status shows what there is")
    # All are asked, even where one is named: the others know whether a member is one of the cluster.
    talkers = {pod: etcdctl(cluster, pod) for pod in etcd.members if pod.access}
    statuses = ask_all({pod: ctl.status for pod, ctl in talkers.items()}, deadline=ALL_MEMBERS_TIMEOUT)
    for answer in statuses.values():
        if isinstance(answer, Forbidden):
            raise answer
    answered = {pod: status for pod, status in statuses.items() if isinstance(status, Status)}
    refuse_divided(answered)
    lists = ask_all({pod: talkers[pod].members for pod in answered}, deadline=ALL_MEMBERS_TIMEOUT)
    known = {pod: found for pod, found in lists.items() if not isinstance(found, AdminError)}
    against = {pod: why(error) for pod, error in statuses.items() if isinstance(error, AdminError)}
    against |= {pod: "its flags are in a file" for pod in etcd.members if pod not in talkers}
    against |= {pod: doubt for pod, status in answered.items() if (doubt := why_unfit(pod, status, known))}
    found = best({pod: status for pod, status in answered.items() if pod in members and pod not in against})
    if found is None or found.access is None:
        reasons = "; ".join(
            f"{pod.node}: {against.get(pod, 'its container does not run')}" for pod in members
        )
        raise AdminError(f"no etcd member can give a snapshot: {reasons}")
    status = answered[found]
    return Source(
        found.node,
        found.container_id,
        found.flags.data_dir,
        (found.access,),
        (
            *(f"node {found.node}: its member {doubt}" for doubt in doubts_about(status, answered.values())),
            *elsewhere,
        ),
        status.cluster_id,
        status.member_id,
    )


def refuse_divided(statuses: Mapping[EtcdPod, Status]) -> None:
    """Raises AdminError where members belong to different clusters: which is right, a person decides."""
    sides: dict[int, list[str]] = {}
    for pod, status in statuses.items():
        sides.setdefault(status.cluster_id, []).append(pod.node)
    if len(sides) > 1:
        found = "; ".join(f"{cluster:x}: {', '.join(nodes)}" for cluster, nodes in sides.items())
        raise AdminError(
            f"etcd's members belong to different clusters ({found}): a snapshot of the wrong one is not a "
            "backup",
            "kubectl admin etcd-status; to save one of them all the same: etcdctl snapshot save on its node",
        )


def why_unfit(pod: EtcdPod, status: Status, lists: Mapping[EtcdPod, Sequence[Listed]]) -> str:
    """Why a member that answered is not a source, by the lists that members gave; "" where it is one.

    The others' lists count; its own where it is the only one to give any. The list takes a quorum.
    """
    others = [listed for one, listed in lists.items() if one != pod] or list(lists.values())
    if not others:
        return "no member gave the list of members, which takes a quorum"
    entries = [next((one for one in listed if one.id == status.member_id), None) for listed in others]
    if None in entries:
        return f"its member {status.member_id:x} is not in the cluster's list of members"
    learner = status.learner or any(one.learner for one in entries if one)
    return "it is a learner" if learner else ""


def best(statuses: Mapping[EtcdPod, Status]) -> EtcdPod | None:
    """The member to take a snapshot from, of those that answered.

    One without doubts, then a follower, then the one that has applied the most.
    """
    voters = {pod: status for pod, status in statuses.items() if not status.learner and pod.container_id}

    def rank(pod: EtcdPod) -> tuple[int, bool, int]:
        status = voters[pod]
        doubts = doubts_about(status, voters.values())
        return -len(doubts), status.leader != status.member_id, status.applied

    return max(voters, key=rank, default=None)


def doubts_about(status: Status, all_of_them: Iterable[Status]) -> list[str]:
    """The doubts about a snapshot from a member: that it lacks what others have, or is damaged."""
    behind = max(other.applied for other in all_of_them) - status.applied
    raised = f"memberID:{status.member_id} "  # Source: etcd api/etcdserverpb, AlarmMember.String
    doubts = {
        "knows no leader, so it may lack what the others have": not status.leader,
        f"is {behind} raft entries behind": behind > LAG,
        "has raised the alarm that its data is corrupt": any(
            error.startswith(raised) and "CORRUPT" in error for error in status.errors
        ),
    }
    return [doubt for doubt, so in doubts.items() if so]


def left_out(apiservers: Iterable[ApiserverFlags]) -> Iterator[str]:
    """Resources that API servers keep in other etcds than the snapshot's."""
    for override in dict.fromkeys(override for flags in apiservers for override in flags.overrides):
        resource, _, servers = override.partition("#")
        yield f"{resource.lstrip('/')} is kept in another etcd ({servers}) and not in this snapshot"


def first_ready_node(cluster: Cluster, apiservers: Iterable[ApiserverFlags]) -> str | None:
    """The first node with an API server whose kubelet can start a debug pod; None where there is none."""
    for name in (node for flags in apiservers for node in flags.nodes):
        try:
            refuse_unready(read_node(cluster, name))
        except NotReadyError:
            continue
        return name
    return None


def external_source(apiservers: Sequence[ApiserverFlags], node: str | None) -> Source:
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


def why_no_member(etcd: Etcd, node: str | None) -> str:
    """Why there is nothing to choose from."""
    looks = [
        f"pod {one.pod} looks like one, but {one.why}" for one in etcd.impostors if node in (None, one.node)
    ]
    if node and etcd.members:
        known = f"nodes that do: {', '.join(pod.node for pod in etcd.members)}"
        return f"node {node} does not run an etcd member; {'; '.join([*looks, known])}"
    nothing = "found no static pod of etcd or of an API server"
    return f"{nothing}: {'; '.join(looks) or 'is the control plane a managed one?'}"
