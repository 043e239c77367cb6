"""What a cluster of nothing but objects looks like: its nodes, their versions, how far it is rolled out."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Network

from tests.lab.versions import Release, release

FIRST = 11  # the first node's address is the network's .11
NETWORK = IPv4Network("198.18.0.0/19")  # of the block for benchmarks of RFC 2544, which nobody routes
POD_NETWORK = IPv4Network("10.128.0.0/9")
CREATED = datetime(2026, 9, 1, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """A kubeadm cluster to be made up.

    version: a minor or full version of the lab's table, for all that has no version of its own below.
    control_planes: the first so many of the nodes.
    kubelets, control_plane, proxies: versions by node's name where they differ, as «1.35.4»: of the kubelet;
        of the static pods, etcd's excepted; of a kube-proxy that its DaemonSet has not yet replaced.
    kube_proxy: False where something else does kube-proxy's work.
    not_ready: names of the nodes whose kubelets have stopped reporting.
    network: the nodes' addresses; a /19 has room for 8,000.
    pod_network: every node has a /24 of it.
    """

    nodes: int = 10
    version: str = "1.36"
    control_planes: int = 3
    kubelets: Mapping[str, str] = field(default_factory=dict)
    control_plane: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    kube_proxy: bool = True
    not_ready: frozenset[str] = frozenset()
    network: IPv4Network = NETWORK
    pod_network: IPv4Network = POD_NETWORK
    created: datetime = CREATED

    @property
    def release(self) -> Release:
        """The cluster's row in the lab's table of versions."""
        return release(self.version)

    @functools.cached_property
    def proxy_versions(self) -> list[str]:
        """The versions of kube-proxy that the cluster runs, that of its DaemonSet last."""
        present = self.release.kubernetes
        return [*sorted(set(self.proxies.values()) - {present}), present]

    @property
    def names(self) -> list[str]:
        """All nodes, control planes first: cp-1, cp-2, …, worker-1, …"""
        return [self.name(index) for index in range(self.nodes)]

    def is_control_plane(self, index: int) -> bool:
        """Whether the node at this place is one."""
        return index < self.control_planes

    def name(self, index: int) -> str:
        """The name of the node at this place."""
        if self.is_control_plane(index):
            return f"cp-{index + 1}"
        return f"worker-{index - self.control_planes + 1}"

    def address(self, index: int) -> str:
        """The address of the node at this place."""
        return str(self.network[FIRST + index])

    def pods(self, index: int) -> IPv4Network:
        """The network of the pods on the node at this place."""
        return IPv4Network((int(self.pod_network.network_address) + (index << 8), 24))

    @property
    def when(self) -> str:
        """When everything was made, as the API writes it."""
        return self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
