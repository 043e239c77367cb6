"""Breaches of the version skew policy in a cluster. Pure; the numbers are in policy.py."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubectl_admin.control_plane.component import CONTROLLERS, Component
from kubectl_admin.finding import Rule
from kubectl_admin.versions import policy, rules
from kubectl_admin.versions.facts import Facts, Instance, Reach
from kubectl_admin.versions.policy import MinorRange


@dataclass(frozen=True, slots=True)
class Breach:
    """An instance whose version the policy does not allow.

    minor: the minor that it counts as. allowed: those that it may have.
    against: the minors of what it is measured by: API servers, or the kubelet of its node.
    oldest_server: the node of the first of the oldest API servers among those; None where it is on none.
    legal_if_local: it would be legal if it talked to its own node's API server only, which was not seen.
    """

    instance: Instance
    minor: int
    rule: Rule
    allowed: MinorRange
    against: tuple[int, ...]
    oldest_server: str | None
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
        oldest_server=next(
            server.node
            for server in facts.of(Component.APISERVER)
            if server.effective and server.effective.minor == apiservers[0]
        ),
        kubelets={
            kubelet.node: kubelet.version.minor for kubelet in facts.of(Component.KUBELET) if kubelet.version
        },
    )
    return [breach for instance in facts.instances for breach in _breaches_of(instance, measures)]


@dataclass(frozen=True, slots=True)
class _Measures:
    """The versions that instances are measured by: those of all API servers, and those on the same node.

    oldest_server: as of a Breach.
    """

    apiservers: tuple[int, ...]
    allowed: Mapping[Component, MinorRange]
    own: Mapping[str | None, int]
    kubelets: Mapping[str | None, int]
    oldest_server: str | None


def _breaches_of(instance: Instance, measures: _Measures) -> Iterator[Breach]:
    version = instance.effective
    if version is None or instance.component not in RULES:
        return
    rule, allowed_by = RULES[instance.component]
    server = measures.oldest_server
    local = measures.own.get(instance.node) if instance.node and rule in RULES_BY_REACH else None
    reached, allowed = measures.apiservers, measures.allowed[instance.component]
    if local is not None and instance.reach is Reach.LOCAL:
        reached, allowed, server = (local,), allowed_by((local,)), instance.node
    if version.minor not in allowed:
        legal_if_local = (
            local is not None and instance.reach is None and version.minor in allowed_by((local,))
        )
        yield Breach(instance, version.minor, rule, allowed, reached, server, legal_if_local)
    if instance.component is Component.KUBE_PROXY and instance.node in measures.kubelets:
        kubelet = measures.kubelets[instance.node]
        beside = policy.kube_proxy_minors_beside(kubelet)
        if version.minor not in beside:
            yield Breach(
                instance,
                version.minor,
                rules.KUBE_PROXY_KUBELET_SKEW,
                beside,
                (kubelet,),
                measures.oldest_server,
            )


RULES = {
    Component.APISERVER: (rules.APISERVER_SKEW, policy.apiserver_minors),
    Component.KUBELET: (rules.KUBELET_SKEW, policy.kubelet_minors),
    Component.KUBE_PROXY: (rules.KUBE_PROXY_SKEW, policy.kube_proxy_minors),
    Component.KUBECTL: (rules.KUBECTL_SKEW, policy.kubectl_minors),
    **dict.fromkeys(CONTROLLERS, (rules.CONTROLLER_SKEW, policy.controller_minors)),
}
# Since kubeadm 1.20 controllers, and since 1.31 the kubelets of control-plane nodes (KEP-4471), talk to the
# API server of their own node; one that is known to do so is measured by that server alone.
RULES_BY_REACH = (rules.CONTROLLER_SKEW, rules.KUBELET_SKEW)


def keeps(rule: str, component: Component, minor: int, apiservers: tuple[int, ...]) -> bool:
    """Whether the rule of this id is a component's own, and one of this minor is not too old for it."""
    own, allowed_by = RULES[component]
    return own.id == rule and minor >= allowed_by(apiservers).oldest
