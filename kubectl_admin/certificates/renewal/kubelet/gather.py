"""Looks at nodes before their kubelets are asked to rotate their certificates."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from kubectl_admin.certificates.inventory import disk
from kubectl_admin.certificates.renewal.facts import Facts, Node
from kubectl_admin.certificates.renewal.gather import survey_host
from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.errors import UsageError
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.left_out import without_foreign
from kubectl_admin.node.operation import Operation

HEARTBEATS = "kube-node-lease"


def rights(options: Options) -> list[Right]:
    """All that it takes but approving: heartbeats seen, debug pods made, ports looked at, Leases."""
    forwarding = [Right(verb, "pods/portforward", options.namespace) for verb in ("create", "get")]
    heard = Right("get", "leases", HEARTBEATS, "coordination.k8s.io")
    alone = one_at_a_time.RIGHTS
    return list(dict.fromkeys([heard, *alone, *debug_pod.rights(options.namespace), *forwarding]))


def look(
    cluster: Cluster,
    names: Sequence[str],
    operation: Operation,
    options: Options,
    say: Say,
    answered: Callable[[int], None] | None = None,
) -> Facts:
    """What there is on the nodes of these names; on all where none is named.

    answered: called after each node. Raises AdminError that names the rights that are missing, and where a
    node can't be looked at; UsageError for a name that is no node's.
    """
    require(cluster, rights(options))
    leftovers.sweep(cluster, options.namespace)
    there = [name for (name,) in cluster.table("/api/v1/nodes").named("Name")]
    if not names:
        there = without_foreign(cluster, there, say)
    for name in names:
        if name not in there:
            raise UsageError(f'there is no node "{name}"', f"there are {', '.join(there)}")
    chosen = list(dict.fromkeys(names)) or there
    hosts = Hosts(cluster, operation, options, say)
    answers = hosts.need_all({name: partial(on_node, hosts, name) for name in chosen}, answered=answered)
    return Facts(cluster.target.context, tuple(answers.values()))


def on_node(hosts: Hosts, name: str) -> Node:
    """What there is on one node."""
    with hosts.open(name) as there:
        return on_disk(there, Node(name, (), survey_host(there)))


def on_disk(there: Host, node: Node) -> Node:
    """The node with what lies on its disk now, and what its kubelet was told."""
    answer = there.script(disk.SCRIPT, *disk.arguments(()))
    return replace(node, seen=disk.seen(node.node, answer, ()), settings=disk.settings(answer))
