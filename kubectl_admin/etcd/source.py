"""From which member a snapshot is taken, and how it is spoken to from its node's host.

A follower before the leader, which has more to do; never a learner, which may lag behind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd import pods
from kubectl_admin.etcd.etcdctl import Status
from kubectl_admin.etcd.pods import Access, ApiserverFlags, Etcd, EtcdPod
from kubectl_admin.etcd.status import etcdctl, why
from kubectl_admin.pool import ask_all

ASKING = 30.0  # seconds for the answers of all members together
OUTSIDE = "-"  # no container: etcd runs outside of Kubernetes
# What it takes to choose.
RIGHTS = (
    Right("list", "pods", pods.NAMESPACE),
    *(Right(verb, "pods/exec", pods.NAMESPACE) for verb in ("create", "get")),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A node on which a snapshot can be taken.

    container: the id of the container that runs etcd there; OUTSIDE for an external etcd, which is only
    spoken to from there. data: its data folder, as etcd itself sees it; "" for an external one.
    accesses: how it is spoken to, by the first that answers; files are in the container's root or the host's.
    """

    node: str
    container: str
    data: str
    accesses: tuple[Access, ...]


def choose(cluster: Cluster, node: str | None) -> Source:
    """The source for a snapshot: on that node, or else the best. Raises AdminError where there is none."""
    etcd = pods.find(cluster)
    if etcd.external:
        return external(etcd.apiservers, node)
    members = [pod for pod in etcd.members if node in (None, pod.node)]
    if not members:
        raise AdminError(no_member(etcd, node), "kubectl admin etcd-status shows what there is")
    able = [pod for pod in members if pod.access]
    statuses = ask_all({pod: etcdctl(cluster, pod).status for pod in able}, deadline=ASKING)
    for answer in statuses.values():
        if isinstance(answer, Forbidden):
            raise answer
    found = best({pod: status for pod, status in statuses.items() if isinstance(status, Status)})
    if found is None or found.access is None:
        said = [
            f"{pod.node}: {why(error)}" for pod, error in statuses.items() if isinstance(error, AdminError)
        ]
        said += [f"{pod.node}: its flags are in a file" for pod in members if pod not in able]
        said += [
            f"{pod.node}: it is a learner" for pod, status in statuses.items() if isinstance(status, Status)
        ]
        raise AdminError(f"no etcd member can give a snapshot: {'; '.join(said)}")
    return Source(found.node, found.container_id, found.flags.data_dir, (found.access,))


def best(statuses: Mapping[EtcdPod, Status]) -> EtcdPod | None:
    """The member to take a snapshot from, of those that answered: a follower that has applied the most."""
    voters = {pod: status for pod, status in statuses.items() if not status.learner and pod.container_id}
    return max(
        voters,
        key=lambda pod: (voters[pod].leader != voters[pod].member_id, voters[pod].applied),
        default=None,
    )


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
    if node and etcd.members:
        return f"node {node} runs no etcd member; {', '.join(pod.node for pod in etcd.members)} do"
    return "no static pod of etcd or of an API server is to be seen: is the control plane a managed one?"
