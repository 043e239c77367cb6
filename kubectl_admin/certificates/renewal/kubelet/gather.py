"""Looks at nodes before their kubelets are asked to rotate their certificates, and during that."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from kubectl_admin.certificates.inventory import disk, served
from kubectl_admin.certificates.renewal.facts import Facts, Node
from kubectl_admin.certificates.renewal.gather import survey_host
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.nodes import unknown_node
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.component import KUBELET_PORT
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.left_out import without_foreign

HEARTBEATS = "kube-node-lease"


def rights(options: Options) -> list[Right]:
    """All that it takes but approving: heartbeats seen, debug pods made, ports looked at, Leases."""
    forwarding = [Right(verb, "pods/portforward", options.namespace) for verb in ("create", "get")]
    heard = Right("get", "leases", HEARTBEATS, "coordination.k8s.io")
    alone = one_at_a_time.RIGHTS
    return list(dict.fromkeys([heard, *alone, *debug_pod.rights(options.namespace), *forwarding]))


def gather(hosts: Hosts, names: Sequence[str], answered: Callable[[int], None] | None = None) -> Facts:
    """Facts of the nodes of these names; of all where none is named.

    answered: called after each node. Raises AdminError that names the rights that are missing, and where a
    node can't be looked at, and for a name that no node has.
    """
    cluster = hosts.cluster
    require(cluster, rights(hosts.options))
    leftovers.sweep(cluster, hosts.options.namespace)
    there = [name for (name,) in cluster.table("/api/v1/nodes").named("Name")]
    if not names:
        there = without_foreign(cluster, there, hosts.say)
    for name in names:
        if name not in there:
            raise unknown_node(name)
    chosen = list(dict.fromkeys(names)) or there
    answers = hosts.need_all({name: partial(read_node, hosts, name) for name in chosen}, answered=answered)
    return Facts(cluster.target.context, tuple(answers.values()))


def read_node(hosts: Hosts, name: str) -> Node:
    """Facts of one node."""
    with hosts.open(name) as there:
        return Live(hosts.cluster, there).with_disk(Node(name, (), survey_host(there)))


class Live:
    """A node as it is right now: its disk, its kubelet's port, and its heartbeat.

    Everything here raises AdminError where it can't be looked at.
    """

    def __init__(self, cluster: Cluster, there: Host) -> None:
        self._cluster, self._host = cluster, there

    def with_disk(self, node: Node) -> Node:
        """The node with what is on its disk now, and with its kubelet's settings."""
        answer = self._host.script(disk.SCRIPT, *disk.arguments(()))
        return replace(node, seen=disk.seen(node.name, answer, ()), settings=disk.settings(answer))

    def served(self) -> Certificate:
        """The certificate that the kubelet serves."""
        namespace, pod = self._host.pod
        return served.certificate(self._cluster, pod, KUBELET_PORT, namespace=namespace)

    def heartbeat(self) -> str:
        """When the kubelet has last renewed its Lease, by its own word; "" for never."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{HEARTBEATS}/leases/{self._host.node}"
        return str(self._cluster.get(path)["spec"].get("renewTime") or "")
