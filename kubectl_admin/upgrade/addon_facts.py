"""kube-proxy and CoreDNS of a cluster, and how far their rollouts are, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.objects import has_condition, is_ready
from kubectl_admin.control_plane import static_pods
from kubectl_admin.report.text import some_of
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.versions.version import Version

# The number of a DaemonSet's template, and which one a pod was made from. Source: kubernetes/kubernetes
# pkg/controller/daemon/util/daemonset_util.go, IsPodUpdated; pkg/registry/apps/daemonset/strategy.go.
GENERATION, GENERATION_OF_POD = "deprecated.daemonset.template.generation", "pod-template-generation"
NAMED = 5  # nodes named in a sentence


@dataclass(frozen=True, slots=True)
class ProxyPod:
    """A pod of kube-proxy.

    template: the number of the DaemonSet's template that it was made from. The rest is the word of the
    node's kubelet. begun: whether it has said anything of the containers. running: whether they do. ready:
    whether the pod is available. restarts: of the containers. ended: how one ended last, in words; or "".
    """

    name: str
    uid: str
    node: str
    template: str
    begun: bool
    running: bool
    ready: bool
    restarts: int
    ended: str

    @classmethod
    def of(cls, pod: Mapping[str, Any]) -> "ProxyPod":
        """Read from a pod of the API."""
        states = (pod.get("status") or {}).get("containerStatuses") or ()
        ends = [(each.get("lastState") or {}).get("terminated") or {} for each in states]
        last = next((end for end in ends if end), {})
        words = " ".join(str(last.get("message") or "").split())[-200:]
        return cls(
            pod["metadata"]["name"],
            pod["metadata"].get("uid", ""),
            static_pods.node_of(pod),
            str((pod["metadata"].get("labels") or {}).get(GENERATION_OF_POD, "")),
            bool(states),
            bool(states) and all("running" in (each.get("state") or {}) for each in states),
            is_ready(pod),
            sum(int(each.get("restartCount") or 0) for each in states),
            f"exit code {last.get('exitCode', '?')}" + (f": {words}" if words else "") if last else "",
        )


@dataclass(frozen=True, slots=True)
class ProxyRollout:
    """How far kube-proxy's DaemonSet is.

    template: the number of its template. automatic: whether new pods replace old ones by themselves.
    noticed: whether its controller has seen the template. updated, wanted: new pods, of how many.
    holding: nodes whose pod is not available, which lets no other one go.
    """

    template: str
    automatic: bool
    noticed: bool
    updated: int
    wanted: int
    holding: tuple[str, ...] = ()

    @classmethod
    def of(cls, daemonset: Mapping[str, Any]) -> "ProxyRollout":
        """Read from a DaemonSet of the API."""
        metadata, status = daemonset["metadata"], daemonset.get("status") or {}
        strategy = daemonset["spec"].get("updateStrategy") or {}
        return cls(
            str((metadata.get("annotations") or {}).get(GENERATION, "")),
            strategy.get("type") != "OnDelete",
            status.get("observedGeneration", 0) >= metadata.get("generation", 0),
            int(status.get("updatedNumberScheduled") or 0),
            int(status.get("desiredNumberScheduled") or 0),
        )

    def has_made(self, pod: ProxyPod) -> bool:
        """Whether a pod is of the template as it is now.

        Its image says nothing of that: admission may write another one into a pod.
        """
        through = self.noticed and self.updated >= self.wanted
        return through or (self.template != "" and pod.template == self.template)

    def __str__(self) -> str:
        text = f"{self.updated} of {self.wanted} pods are new"
        if not self.holding:
            return text
        return f"{text}, not available on {some_of(self.holding, NAMED)}"


@dataclass(frozen=True, slots=True)
class DnsRollout:
    """CoreDNS' rollout.

    lacks: the part that is still to come, "" for none. serves: whether a new pod works already, with as many
    others as its Deployment wants at least.
    """

    lacks: str
    serves: bool

    @classmethod
    def of(cls, deployment: Mapping[str, Any]) -> "DnsRollout":
        """Read from a Deployment of the API.

        Source: kubernetes/kubectl pkg/polymorphichelpers/rollout_status.go.
        """
        status, wanted = deployment.get("status") or {}, int(deployment["spec"].get("replicas", 1))
        if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
            return cls("its new template is not seen yet", serves=False)
        updated, available = (
            int(status.get("updatedReplicas") or 0),
            int(status.get("availableReplicas") or 0),
        )
        total = int(status.get("replicas") or 0)
        enough = has_condition(deployment, "Available")
        # More new ones and available ones than there are in all: one of them is both.
        serves = enough and updated + available > total
        if updated < wanted or available < wanted:
            return cls(f"{updated} of {wanted} pods are new, {available} available", serves)
        return cls(f"{total - updated} old pods are left" if total > updated else "", serves)


@dataclass(frozen=True, slots=True)
class Addons:
    """The cluster's add-ons.

    proxies: kube-proxy's pods on the node, without those that leave.
    images: of deployed ones, by name (PROXY, COREDNS).
    proxy, dns: how far they are; None for one that is not deployed.
    apiservers: the versions of all API servers by their images.
    elsewhere: some on other nodes that are new where the node's own is not: on control-plane nodes, and only
    where none of these has one, on others. trusted: whether they are on control-plane nodes.
    """

    proxies: tuple[ProxyPod, ...]
    images: Mapping[str, str]
    proxy: ProxyRollout | None
    dns: DnsRollout | None
    apiservers: tuple[Version | None, ...]
    elsewhere: tuple[ProxyPod, ...] = ()
    trusted: bool = False

    @property
    def is_here(self) -> bool:
        """Whether the node's kube-proxy is of the template that is deployed."""
        return self.proxy is None or all(map(self.proxy.has_made, self.proxies))

    def have_their_turn(self, target: Target) -> bool:
        """Whether kubeadm has upgraded them: it does once every API server is at the target."""
        return bool(self.apiservers) and set(self.apiservers) == {target.version}
