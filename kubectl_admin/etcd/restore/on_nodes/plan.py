"""The plan of a restore, node by node, as the worker there reads it. Pure.

The client is not needed any more once the nodes have begun: all that a worker must know is in its plan.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl_admin.control_plane.component import ETCD
from kubectl_admin.control_plane.flags import listed
from kubectl_admin.control_plane.pod import PARTS, StaticPod, container_of, flags_of, static_pod
from kubectl_admin.control_plane.probes import health_url
from kubectl_admin.control_plane.static_pods import StaticPods, component_of, node_of
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.flags import parts
from kubectl_admin.etcd.members.pods import EtcdPod, member
from kubectl_admin.etcd.restore.on_nodes.manifests import Manifests

PARKED = "kubectl-admin-restore"  # the directory beside the kubelet's manifests that holds them meanwhile
BUMP = 1_000_000_000  # revisions beyond the live one that restored data begin with
# Lists are separated by spaces in the plan; a shell reads it, and systemd some of its paths.
WORD = re.compile(r"[A-Za-z0-9._/:=@%+,~\[\]-]+")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that workers wait.

    decide: on the restored side until they know that a majority goes with it; then they return. grace: of a
    majority for the others. armed: for the word to begin.
    """

    decide: int = 180
    grace: int = 20
    armed: int = 600


@dataclass(frozen=True, slots=True)
class NodePlan:
    """The plan of one node.

    id: the operation's. nodes: all that take part. data: etcd's data directory on the host. endpoint: the
    member's, as its node reaches it; cacert, cert, key: paths on the host. peers: client URLs of the members
    of other nodes, by node. members: peer URLs by the names of members, all of them. manifests: the kubelet's
    directory. parked: where they are meanwhile. pods: files in it, health: URLs, by component.
    all_or_nothing: whether a majority waits for the others, and returns without them.
    """

    id: str
    node: str
    nodes: tuple[str, ...]
    data: str
    endpoint: str
    cacert: str
    cert: str
    key: str
    peers: Mapping[str, str]
    members: Mapping[str, str]
    manifests: str
    pods: Mapping[str, str]
    health: Mapping[str, str]
    name: str
    times: Times = Times()
    all_or_nothing: bool = False

    @property
    def parked(self) -> str:
        """On the same file system as the manifests."""
        return parked_beside(self.manifests)

    @property
    def token(self) -> str:
        """The restored cluster's: fresh, so that no member of another one is ever taken for its own."""
        return f"kubectl-admin-{self.id}"

    @property
    def aside(self) -> str:
        """Where the restored data are until they are taken."""
        return f"{self.data}/.kubectl-admin-{self.id}-new"

    def text(self) -> str:
        """The plan file: a «KEY VALUE» a line. Raises AdminError for a value that can't stand there."""
        return "".join(f"{' '.join(words)}\n" for words in self._lines())

    def _lines(self) -> Iterator[list[str]]:
        lists: dict[str, Sequence[str]] = {
            "id": [self.id],
            "node": [self.node],
            "nodes": self.nodes,
            "data": [self.data],
            "endpoint": [self.endpoint],
            "cacert": [self.cacert],
            "cert": [self.cert],
            "key": [self.key],
            "peers": [f"{node}={url}" for node, url in self.peers.items()],
            "members": [f"{name}={url}" for name, url in self.members.items()],
            "manifests": [self.manifests],
            "parked": [self.parked],
            "decide": [str(self.times.decide)],
            "grace": [str(self.times.grace)],
            "armed": [str(self.times.armed)],
            "all": ["yes" if self.all_or_nothing else "no"],
        }
        for key, words in lists.items():
            yield [key, *(self._plain(key, word) for word in words)]
        for component, file in self.pods.items():
            yield ["pod", component, self._plain("pod", file)]
        for component, url in self.health.items():
            yield ["health", component, self._plain("health", url)]

    def _plain(self, key: str, word: str) -> str:
        if not WORD.fullmatch(word):
            raise AdminError(
                f"node {self.node}: {key} {word!r} can't be handed to the node: it must be plain text "
                "without spaces",
                "a restore by this program takes kubeadm's own names and paths",
            )
        return word


def parked_beside(manifests: str) -> str:
    """The directory beside a kubelet's manifests."""
    return f"{manifests.rstrip('/').rpartition('/')[0]}/{PARKED}"


def bump_of(live: int | None, snapshot: int) -> int:
    """By how much a restore raises revisions, so that no watcher has seen a later one.

    live: the present revision; None where nobody could read it. snapshot: the file's.
    Source: etcd's docs on recovery, «Restoring with revision bump».
    """
    return BUMP if live is None else max(live - snapshot, 0) + BUMP


def node_plans(
    operation: str,
    found: StaticPods,
    manifests: Mapping[str, Manifests],
    *,
    times: Times = Times(),
    all_or_nothing: bool = False,
) -> dict[str, NodePlan]:
    """The plan of each control-plane node, by node.

    operation: its id. found: the static pods of the whole control plane. manifests: of each of its nodes.
    Raises AdminError for whatever these plans can't express: each node runs one member and the four of
    kubeadm, each from one manifest, which says what is running.
    """
    nodes = sorted(node.name for node in found.nodes)
    running = {node: pods_on(found, node) for node in nodes}
    members = {node: member(pods[ETCD]) for node, pods in running.items()}
    named = {one.flags.name: peer_url(one) for one in members.values()}
    if len(named) != len(nodes):
        raise AdminError("two members of etcd have the same name, so a restore can't tell them apart")
    plans = {}
    for node, pods in running.items():
        there = manifests[node]
        refuse_stale(node, pods, there)
        own, etcd = members[node], static_pod(pods[ETCD])
        way = own.access
        if etcd is None or way is None or not way.tls or own.flags.wal_dir:
            raise AdminError(
                f"node {node}: etcd has a configuration file, --wal-dir, or no TLS on the loopback",
                "a restore by this program takes etcd as kubeadm sets it up",
            )
        plans[node] = NodePlan(
            id=operation,
            node=node,
            nodes=tuple(nodes),
            data=data_directory(own, etcd),
            endpoint=way.endpoint,
            cacert=etcd.on_host(way.ca),
            cert=etcd.on_host(way.cert),
            key=etcd.on_host(way.key),
            peers={other: client_url(members[other]) for other in nodes if other != node},
            members=named,
            manifests=there.path,
            pods={component: there.only(component).name for component in PARTS},
            health={component: health_url(pods[component], component) for component in PARTS},
            name=own.flags.name,
            times=times,
            all_or_nothing=all_or_nothing,
        )
    return plans


def pods_on(found: StaticPods, node: str) -> dict[str, Mapping[str, Any]]:
    """The pod of each of the four parts on a node; AdminError where one is missing, or twice there."""
    pods: dict[str, Mapping[str, Any]] = {}
    for pod in found.pods:
        component = component_of(pod)
        if node_of(pod) != node or component not in PARTS:
            continue
        if component in pods:
            raise AdminError(f"node {node} runs {component} twice", "keep the one of kubeadm's manifest")
        pods[component] = pod
    if missing := [component for component in PARTS if component not in pods]:
        raise AdminError(
            f"node {node} shows no static pod of {missing[0]}",
            "bring it back first; a restore moves the four of kubeadm together",
        )
    return {component: pods[component] for component in PARTS}


def refuse_stale(node: str, pods: Mapping[str, Mapping[str, Any]], there: Manifests) -> None:
    """Raises AdminError where a manifest starts something else than what is running: the restored etcd will
    be started from the file.
    """
    for component, pod in pods.items():
        manifest = there.only(component)
        if started_as(manifest.pod, component) != started_as(pod, component):
            raise AdminError(
                f"node {node}: {there.path}/{manifest.name} is not what {component} was started with",
                "wait until its kubelet has taken the change, or undo it",
            )


def started_as(pod: Mapping[str, Any], component: str) -> tuple[str, dict[str, str]]:
    """The image and the flags of a component."""
    return str(container_of(pod, component).get("image")), flags_of(pod, component)


def data_directory(own: EtcdPod, etcd: StaticPod) -> str:
    """The member's data directory; AdminError where its host has it under another path."""
    path = own.flags.data_dir.rstrip("/")
    there = etcd.on_host(path)
    mounted = any(f"{path}/".startswith(f"{inside.rstrip('/')}/") for inside in etcd.mounts)
    if there != path or not mounted:
        raise AdminError(
            f"node {own.node}: etcd's data directory {path} is {there if mounted else 'nowhere'} on the host",
            "a restore by this program takes a data directory that has the same path on both",
        )
    return path


def client_url(own: EtcdPod) -> str:
    """The URL at which other nodes reach the member; AdminError where it advertises none with TLS."""
    urls = [url for url in own.flags.advertise_client_urls if parts(url)[0] == "https"]
    if not urls:
        raise AdminError(f"node {own.node}: member {own.flags.name} advertises no client URL with TLS")
    return urls[0]


def peer_url(own: EtcdPod) -> str:
    """The URL at which other members reach it; AdminError where it advertises several, or one without TLS."""
    urls = [url for one in own.flags.advertise_peer_urls for url in listed(one)]
    if len(urls) != 1 or parts(urls[0])[0] != "https":
        raise AdminError(
            f"node {own.node}: member {own.flags.name} must advertise one peer URL with TLS, and it "
            f"advertises {', '.join(urls) or 'none'}"
        )
    return urls[0]
