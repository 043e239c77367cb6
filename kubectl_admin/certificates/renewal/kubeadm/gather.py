"""Looks at the control-plane nodes before anything is changed on them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from kubectl_admin.certificates.facts import Seen
from kubectl_admin.certificates.inventory import components, disk, served
from kubectl_admin.certificates.inventory.components import FLAGS, PKI, Port
from kubectl_admin.certificates.renewal.facts import Etcd, Facts, Node
from kubectl_admin.certificates.renewal.gather import survey_host
from kubectl_admin.certificates.renewal.kubeadm import backups
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster import nodes
from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import SYSTEM_PODS
from kubectl_admin.control_plane import one_at_a_time
from kubectl_admin.control_plane.component import APISERVER, ETCD
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.control_plane.pod import StaticPod, static_pod
from kubectl_admin.control_plane.static_pods import find, uid_of
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.members import gather as etcd_members
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts


def rights(options: Options) -> list[Right]:
    """The rights: static pods listed, ports seen, etcd asked in its pods, debug pods, a Lease."""
    pods = debug_pod.rights(options.namespace)
    return list(dict.fromkeys([*etcd_members.RIGHTS, *FORWARDING, *pods, *one_at_a_time.RIGHTS]))


def gather(
    hosts: Hosts,
    names: Sequence[str],
    answered: Callable[[int], None] | None = None,
    *,
    inside: bool = False,
    reads: "Reads | None" = None,
) -> Facts:
    """Facts of the control-plane nodes of these names; of all where none is named.

    answered: called after each node. inside: whether backups are read, too. Raises AdminError
    that names the rights that are missing, where a node can't be looked at, and where there is no node of a
    name; UsageError for a node that is not of the control plane.
    """
    cluster, reads = hosts.cluster, reads or Reads()
    require(cluster, rights(hosts.options))
    leftovers.sweep(cluster, hosts.options.namespace)
    parts, uids = find_parts(cluster)
    planes = sorted(node for node, there in parts.items() if APISERVER in there)
    for name in names:
        if name not in planes:
            nodes.read_node(cluster, name)  # raises where there is none
            raise UsageError(
                f"node {name} does not run an API server of kubeadm's",
                f"these nodes do: {', '.join(planes) or 'none'}",
            )
    if not planes:
        raise AdminError("found no static pod of an API server", "is the control plane a managed one?")
    chosen = list(dict.fromkeys(names)) or planes
    questions: dict[str, Callable[[], Any]] = {
        node: partial(reads.node, hosts, node, parts[node], uids[node], inside=inside) for node in chosen
    }
    questions[ETCD] = partial(read_etcd, cluster, reads.etcd)
    answers = hosts.need_all(questions, answered=answered)
    etcd = answers.pop(ETCD)
    return Facts(cluster.target.context, tuple(answers.values()), etcd)


def find_parts(cluster: Cluster) -> tuple[dict[str, dict[str, StaticPod]], dict[str, dict[str, str]]]:
    """For each node its parts of the control plane by component, and their uids as the kubelet knows them."""
    parts: dict[str, dict[str, StaticPod]] = {}
    uids: dict[str, dict[str, str]] = {}
    # A pod that only looks like one would be renewed, and give a worker's kubeconfig to an administrator.
    for pod in find(cluster).pods:
        if part := static_pod(pod):
            parts.setdefault(part.node, {})[part.component] = part
            uids.setdefault(part.node, {})[part.component] = uid_of(pod)
    return parts, uids


def read_node(
    hosts: Hosts, node: str, parts: dict[str, StaticPod], uids: dict[str, str], *, inside: bool
) -> Node:
    """Facts of one node. inside: also of its backups."""
    with hosts.open(node) as there:
        survey = survey_host(there)
        if inside:
            survey = replace(survey, backups=backups.read(there, survey.backups))
        return Node(node, read_disk(there, parts), survey, pki_of(parts), parts, uids)


def read_disk(there: Host, parts: dict[str, StaticPod]) -> tuple[Seen, ...]:
    """The certificates on a node's disk."""
    files = components.files(parts.values())
    return disk.seen(there.node, there.script(disk.SCRIPT, *disk.arguments(files)), files)


def pki_of(parts: dict[str, StaticPod]) -> str:
    """The directory of kubeadm's certificates: the one of most files in the API server's flags."""
    api = parts[APISERVER]
    paths = [PurePosixPath(api.on_host(path)) for flag in FLAGS[APISERVER] if (path := api.flags.get(flag))]
    directories = Counter(str(path.parent) for path in paths)
    return directories.most_common(1)[0][0] if directories else PKI


def read_etcd(cluster: Cluster, read: Callable[[Cluster], Etcd]) -> Etcd:
    """The members of etcd; nothing but the problem where they can't be asked."""
    try:
        return read(cluster)
    except AdminError as error:
        return Etcd(problem=error.what)


def etcd_of(cluster: Cluster) -> Etcd:
    """The members of etcd that vote, and which of them answer. Raises AdminError."""
    state = etcd_members.gather(cluster, compare=False)
    if state.etcd.external:
        return Etcd()
    if not state.listed:
        return Etcd(problem="which members etcd has is not known: no member gave the list")
    up = frozenset(member.pod.node if member.pod else member.node for member in state.voters if member.up)
    return Etcd(len(state.voters), up)


@dataclass(frozen=True, slots=True)
class Reads:
    """How a node and etcd are read."""

    node: Callable[..., Node] = read_node
    etcd: Callable[[Cluster], Etcd] = etcd_of


class Live:
    """A control-plane node as it is right now: its disk, its ports, its API server, and the cluster's etcd.

    Everything here raises AdminError where it can't be looked at.
    """

    def __init__(self, cluster: Cluster, there: Host) -> None:
        self._cluster, self._host = cluster, there

    def with_disk(self, node: Node) -> Node:
        """The node with the certificates that are on its disk now."""
        return replace(node, seen=read_disk(self._host, dict(node.parts)))

    def served(self, node: Node, port: Port) -> Certificate:
        """The certificate that a port of the node serves."""
        if port.host:
            return served.through_host(self._host.script, port.host)
        return served.certificate(self._cluster, node.parts[APISERVER].name, port.number)

    def is_ready(self, node: Node) -> bool:
        """Whether the node's API server is ready."""
        pod = self._cluster.get(f"{SYSTEM_PODS}/{node.parts[APISERVER].name}")
        return is_ready(pod)

    def etcd(self) -> Etcd:
        """The members of etcd."""
        return etcd_of(self._cluster)
