"""The facts on a cluster's versions, as plain data."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Gap
from kubectl_admin.versions.version import Version


class Reach(StrEnum):
    """Which API servers a client of the control plane can come to talk to."""

    LOCAL = "the API server of its own node"
    ANY = "any API server"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A version and its source («its /version», «the image tag», «the Node object»)."""

    version: Version
    source: str

    @classmethod
    def of(cls, version: Version | None, source: str) -> "Evidence | None":
        """Evidence of a version that was found; None where none was."""
        return cls(version, source) if version else None


@dataclass(frozen=True, slots=True)
class Instance:
    """One running part of the cluster.

    node: the node it runs on; None for kubectl, for CoreDNS, and for an API server behind a load balancer of
        which no instance can be seen.
    running: the answer of the process itself; None where it was not asked or did not answer.
    claimed: the version by an object: an image tag, a Node's status.
    problem: why the process did not answer, in a sentence; empty where it was not asked.
    emulates: the version whose API an API server emulates (--emulated-version), if it reports one.
    reach: which API servers it talks to, by its own metrics, or else by its kubeconfig file; None where that
        could not be seen.
    installed: the version on its node's disk, which the next start runs; None where that was not looked at.
    """

    component: Component
    node: str | None = None
    running: Evidence | None = None
    claimed: Evidence | None = None
    problem: str = ""
    emulates: Version | None = None
    reach: Reach | None = None
    installed: Evidence | None = None

    @property
    def version(self) -> Version | None:
        """The best known version: the process' own answer before an object's."""
        best = self.running or self.claimed
        return best.version if best else None

    @property
    def effective(self) -> Version | None:
        """The version that the skew policy counts: the emulated one where there is one.

        Source: KEP-4330, «the version skew policy will apply to compatibility versions, not binary versions».
        """
        return self.emulates or self.version

    @property
    def disagreement(self) -> tuple[Evidence, Evidence] | None:
        """The two pieces of evidence, if they differ."""
        if self.running and self.claimed and self.running.version != self.claimed.version:
            return self.running, self.claimed
        return None

    def __str__(self) -> str:
        return f"{self.component} on {self.node}" if self.node else str(self.component)


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its object shows it, with facts of its kubelet's metrics where they were read.

    status: as kubectl shows it: Ready, NotReady, with SchedulingDisabled where it is cordoned.
    kernel: without the architecture that newer servers write behind it.
    cgroup: 1 or 2; None where the kubelet was not asked. cgroup_seen: by what.
    allows_cgroup_v1: whether its kubelet's configuration allows version 1; None where that was not looked at.
    runtime_support_ends: the kubelet version that will no longer work with this container runtime
        (metric kubelet_cri_losing_support), as it is written there; empty where it is not there.
    """

    name: str
    status: str
    roles: str
    os_image: str
    kernel: str
    runtime: str
    cgroup: int | None = None
    cgroup_seen: str = "metric kubelet_cgroup_version"
    allows_cgroup_v1: bool | None = None
    runtime_support_ends: str = ""


@dataclass(frozen=True, slots=True)
class KubeadmConfig:
    """The orders of ConfigMap kubeadm-config for the next upgrade.

    etcd_tag: the version of the image tag that a person has set for etcd; None where kubeadm chooses.
    proxy_disabled, dns_disabled: whether kubeadm leaves kube-proxy and CoreDNS alone.
    extra_args: by component, the flags that kubeadm adds to its static pods, each as «--name=value».
    """

    etcd_tag: Version | None = None
    proxy_disabled: bool = False
    dns_disabled: bool = False
    extra_args: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All versions of one cluster at one moment.

    kubeadm: the version in ConfigMap kubeadm-config, which kubeadm writes at the end of an upgrade.
    kubeadm_config: its other settings; None where it could not be read.
    """

    context: str
    server: str
    nodes: tuple[Node, ...]
    instances: tuple[Instance, ...]
    gaps: tuple[Gap, ...] = ()
    kubeadm: Version | None = None
    kubeadm_config: KubeadmConfig | None = None

    def of(self, *components: Component) -> Iterator[Instance]:
        """The instances of these components."""
        return (instance for instance in self.instances if instance.component in components)

    @property
    def apiserver_minors(self) -> tuple[int, ...]:
        """The minors that the API servers count as, ascending, each once."""
        known = (instance.effective for instance in self.of(Component.APISERVER))
        return tuple(sorted({version.minor for version in known if version}))
