"""The kubelets of workers after a restore: restarted while their pods run on, seen at work, and their pods.

A kubelet keeps what it has read until its watch begins anew. Its pods are known by the cgroups of the node's
processes, which no object of the API can hide.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping, whole_number
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.cluster.objects import find_condition, is_ready
from kubectl_admin.cluster.wait import NotYetError, looks, wait_until
from kubectl_admin.control_plane.static_pods import UID
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.finding import Finding
from kubectl_admin.node import debug_pod
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.script import Script
from kubectl_admin.report.text import some_of

KUBELET = Script("etcd", "restore-kubelet")
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
RESTART_TIMEOUT = 120.0  # seconds for the script, which waits 60 for the kubelet
READY_TIMEOUT = 90.0  # seconds in which the node must be seen Ready again; kubelets report every ten
READY_INTERVAL = 1.0  # seconds between two looks
# Seconds in which a kubelet has ended the pods that the API does not have: it gives them 30 by default.
PHANTOM_TIMEOUT = 75.0
PHANTOM_INTERVAL = 5.0  # seconds between two looks


def rights(namespace: str) -> tuple[Right, ...]:
    """The rights that it needs. namespace: of debug pods."""
    return (
        Right("get", "nodes"),
        Right("list", "pods"),
        Right("get", "leases", "kube-node-lease", "coordination.k8s.io"),
        *debug_pod.rights(namespace),
    )


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When a kubelet was last heard of. lease: version of its Lease. status: time of its node's state."""

    lease: str
    status: str


def settle(
    hosts: Hosts,
    nodes: Collection[str],
    since: float,
    *,
    started: Collection[str] = (),
    answered: Callable[[int], None] | None = None,
    now: Callable[[], float] = time.time,
) -> Mapping[str, Done | AdminError]:
    """Restarts the kubelets of these nodes, sees each at work, and names pods that only the node has.

    since: when the restored API was first seen; a kubelet that has started after that is left alone. started:
    nodes whose kubelets have started without an API, and are left alone as well. now: the clock that `since`
    is by, in seconds since 1970. answered: as in Hosts.ask.
    """
    cluster = hosts.cluster

    def question(host: Host) -> Done:
        return look_at(cluster, host) if host.node in started else restart(cluster, host, since, now)

    return hosts.ask(nodes, question, answered=answered)


def look_at(cluster: Cluster, host: Host) -> Done:
    """Sees the kubelet of one host at work. Raises AdminError where it was not seen so."""
    before = heartbeat(cluster, host.node)
    _, running = parsed(host.script(KUBELET, "pods"))
    wait_until_ready(cluster, host.node, before, restarted=False)
    return Done(f"node {host.node} is Ready", tuple(phantoms(cluster, host, running)))


def restart(cluster: Cluster, host: Host, since: float, now: Callable[[], float]) -> Done:
    """The work on one host. Raises AdminError for what was not seen."""
    before, began = heartbeat(cluster, host.node), now()

    def attempt() -> bytes:
        # Counted again for each try: the kubelet that the last one has restarted is left alone.
        past = max(int((now() - since) * 100), 0)
        return host.answer(KUBELET, "restart", str(past), timeout=RESTART_TIMEOUT)

    age, running = parsed(host.persistently(attempt))
    if age is None:
        raise AdminError(f"node {host.node}: unexpected answer of the host about its kubelet")
    # The try that has restarted it was cut off by that: its age tells.
    restarted = age < now() - began
    wait_until_ready(cluster, host.node, before, restarted=restarted)
    words = "its kubelet was restarted" if restarted else "its kubelet has been restarted already"
    return Done(f"node {host.node}: {words}, and it is Ready", tuple(phantoms(cluster, host, running)))


def parsed(answer: bytes) -> tuple[float | None, dict[str, str]]:
    """The script's answer: for how many seconds the kubelet runs, None where that is not said, and the pods
    that run, their names by their UIDs.
    """
    age, pods = None, {}
    for line in answer.decode("utf-8", "replace").splitlines():
        match line.split(" "):
            case ["kubelet", said]:
                hundredths = whole_number(said)
                age = None if hundredths is None else hundredths / 100
            case ["pod", uid, name]:
                pods[uid] = "" if name == "-" else name.replace("_", "/", 1)
    return age, pods


def heartbeat(cluster: Cluster, node: str) -> Heartbeat:
    """When the kubelet of a node was last heard of; one that has just registered has no Lease yet."""
    try:
        lease = cluster.get(f"{LEASES}/{node}")["metadata"]
    except NotFound:
        lease = {}
    ready = find_condition(cluster.get(f"/api/v1/nodes/{node}"), "Ready")
    return Heartbeat(str(lease.get("resourceVersion")), str(ready.get("lastHeartbeatTime")))


def wait_until_ready(cluster: Cluster, node: str, before: Heartbeat, *, restarted: bool) -> None:
    """Waits until the kubelet has been heard of again, and says that its node is Ready.

    before: as it was before. restarted: whether it must have reported its node's state anew, too, as every
    kubelet does that has just started. Raises AdminError where that does not come.
    """

    def heard() -> bool:
        item = cluster.get(f"/api/v1/nodes/{node}")
        lease = cluster.get(f"{LEASES}/{node}")["metadata"]
        if str(lease.get("resourceVersion")) == before.lease:
            raise NotYetError("its kubelet has not renewed its Lease")
        if restarted and str(find_condition(item, "Ready").get("lastHeartbeatTime")) == before.status:
            raise NotYetError("its kubelet has not reported its state")
        if not is_ready(item):
            raise NotYetError(str(find_condition(item, "Ready").get("message") or "it is not Ready"))
        return True

    wait_until(
        heard,
        f"node {node} is not seen Ready after the restart of its kubelet",
        f"see kubectl describe node {node}, and journalctl -u kubelet on the node; then run this again",
        timeout=READY_TIMEOUT,
        interval=READY_INTERVAL,
        clock=cluster.clock,
    )


def phantoms(cluster: Cluster, host: Host, running: Mapping[str, str]) -> list[Finding]:
    """The pods that run on a node and that the API does not have, once the kubelet had time to end them.

    running: as `parsed` gives them.
    """
    left: dict[str, str] = {}
    for last in looks(PHANTOM_TIMEOUT, PHANTOM_INTERVAL, clock=cluster.clock):
        known = uids(cluster, host.node)
        left = {uid: name for uid, name in running.items() if uid not in known}
        if not left:
            return []
        if not last:
            _, running = parsed(host.script(KUBELET, "pods"))
    names = [name or f"of UID {uid}" for uid, name in sorted(left.items(), key=lambda pod: pod[1])]
    return [
        rules.PHANTOM_POD.warning(
            subject=f"pods on node {host.node}",
            evidence=f"the node runs these, and the API does not have them: {some_of(names)}",
            fix="a pod with a long grace period may still be ending; else, on the node: crictl pods, then"
            " crictl stopp and crictl rmp",
            objects=[f"node/{host.node}", *(f"pod/{name}" for name in left.values() if name)],
        )
    ]


def uids(cluster: Cluster, node: str) -> set[str]:
    """The UIDs of the pods that the API has on a node, those of static pods as their node knows them."""
    found: set[str] = set()
    for pod in cluster.list("/api/v1/pods", [("fieldSelector", f"spec.nodeName={node}")]):
        metadata = pod["metadata"]
        found.add(str(metadata.get("uid") or ""))
        found.add(str(mapping(metadata.get("annotations")).get(UID) or ""))
    return found
