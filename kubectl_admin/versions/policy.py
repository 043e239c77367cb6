"""The version skew policy of Kubernetes, as pure functions.

Source of all rules: https://kubernetes.io/releases/version-skew-policy/, «Supported version skew». Minors are
whole numbers, 36 for 1.36: the major version of Kubernetes is 1.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_admin.control_plane.component import CONTROLLERS, Component
from kubectl_admin.finding import Rule
from kubectl_admin.versions import rules
from kubectl_admin.versions.facts import Facts, Instance, Reach


@dataclass(frozen=True, slots=True)
class MinorRange:
    """Minors from the oldest to the newest, both included; empty where the oldest is beyond the newest."""

    oldest: int
    newest: int

    def __contains__(self, minor: int) -> bool:
        return self.oldest <= minor <= self.newest

    def __str__(self) -> str:
        if self.oldest > self.newest:
            return "none"
        return f"1.{self.newest}" if self.oldest == self.newest else f"1.{self.oldest} to 1.{self.newest}"


def apiserver_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that an API server may have beside the newest of these: that one and the one before.

    Source: «kube-apiserver»: the newest and oldest instances must be within one minor version.
    """
    return MinorRange(max(apiservers) - 1, max(apiservers))


def kubelet_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a kubelet may have beside these API servers.

    Never newer than the oldest of them, at most three older than the newest (two for kubelets before 1.25).
    Source: «kubelet».
    """
    return MinorRange(three_older(max(apiservers)), min(apiservers))


def kube_proxy_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a kube-proxy may have beside these API servers: the same as a kubelet.

    Source: «kube-proxy».
    """
    return kubelet_minors(apiservers)


def kube_proxy_minors_beside(kubelet: int) -> MinorRange:
    """Minors that a kube-proxy may have beside the kubelet of its node: up to three older or newer.

    Source: «kube-proxy»; one before 1.25 up to two older or newer.
    """
    return MinorRange(three_older(kubelet), kubelet + 3 if kubelet + 3 >= 25 else kubelet + 2)


def controller_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a controller-manager or scheduler may have with the API servers that it can reach.

    Never newer than the oldest, at most one older than the newest.
    Source: «kube-controller-manager, kube-scheduler, and cloud-controller-manager».
    """
    return MinorRange(max(apiservers) - 1, min(apiservers))


def kubectl_minors(apiservers: Sequence[int]) -> MinorRange:
    """Minors that a kubectl may have with these API servers: within one of each. Source: «kubectl»."""
    return MinorRange(max(apiservers) - 1, min(apiservers) + 1)


def three_older(minor: int) -> int:
    """The oldest minor that may stand three behind this one: two behind where that would be before 1.25."""
    return minor - 3 if minor - 3 >= 25 else minor - 2


@dataclass(frozen=True, slots=True)
class Breach:
    """An instance whose version the policy does not allow.

    minor: the minor that it counts as. allowed: those that it may have.
    against: the minors of what it is measured by: API servers, or the kubelet of its node.
    legal_if_local: it would be legal if it talked to its own node's API server only, which was not seen.
    """

    instance: Instance
    minor: int
    rule: Rule
    allowed: MinorRange
    against: tuple[int, ...]
    legal_if_local: bool = False

    @property
    def newer(self) -> bool:
        """Whether it is too new; otherwise it is too old."""
        return self.minor > self.allowed.newest


def breaches(facts: Facts) -> list[Breach]:
    """Everything in the cluster that the policy does not allow, in the order of the facts.

    Instances whose version is unknown are not judged; without the version of any API server nothing is.
    """
    apiservers = facts.apiserver_minors
    if not apiservers:
        return []
    measures = _Measures(
        apiservers,
        {component: allowed_by(apiservers) for component, (_, allowed_by) in RULES.items()},
        own={
            server.node: server.effective.minor
            for server in facts.of(Component.APISERVER)
            if server.effective
        },
        kubelets={
            kubelet.node: kubelet.version.minor for kubelet in facts.of(Component.KUBELET) if kubelet.version
        },
    )
    return [breach for instance in facts.instances for breach in _breaches_of(instance, measures)]


@dataclass(frozen=True, slots=True)
class _Measures:
    """What instances are measured by: all API servers, with what they allow, and those of the same node."""

    apiservers: tuple[int, ...]
    allowed: Mapping[Component, MinorRange]
    own: Mapping[str | None, int]
    kubelets: Mapping[str | None, int]


def _breaches_of(instance: Instance, measures: _Measures) -> Iterator[Breach]:
    version = instance.effective
    if version is None or instance.component not in RULES:
        return
    rule, allowed_by = RULES[instance.component]
    local = measures.own.get(instance.node) if instance.node and rule in RULES_BY_REACH else None
    reached, allowed = measures.apiservers, measures.allowed[instance.component]
    if local is not None and instance.reach is Reach.LOCAL:
        reached, allowed = (local,), allowed_by((local,))
    if version.minor not in allowed:
        legal_if_local = (
            local is not None and instance.reach is None and version.minor in allowed_by((local,))
        )
        yield Breach(instance, version.minor, rule, allowed, reached, legal_if_local)
    if instance.component is Component.KUBE_PROXY and instance.node in measures.kubelets:
        kubelet = measures.kubelets[instance.node]
        beside = kube_proxy_minors_beside(kubelet)
        if version.minor not in beside:
            yield Breach(instance, version.minor, rules.KUBE_PROXY_KUBELET_SKEW, beside, (kubelet,))


RULES = {
    Component.APISERVER: (rules.APISERVER_SKEW, apiserver_minors),
    Component.KUBELET: (rules.KUBELET_SKEW, kubelet_minors),
    Component.KUBE_PROXY: (rules.KUBE_PROXY_SKEW, kube_proxy_minors),
    Component.KUBECTL: (rules.KUBECTL_SKEW, kubectl_minors),
    **dict.fromkeys(CONTROLLERS, (rules.CONTROLLER_SKEW, controller_minors)),
}
# Since kubeadm 1.20 controllers, and since 1.31 the kubelets of control-plane nodes (KEP-4471), talk to the
# API server of their own node; one that is known to do so is measured by that server alone.
RULES_BY_REACH = (rules.CONTROLLER_SKEW, rules.KUBELET_SKEW)


def minors_text(minors: Iterable[int]) -> str:
    """«1.36 and 1.37»."""
    return " and ".join(f"1.{minor}" for minor in minors)
