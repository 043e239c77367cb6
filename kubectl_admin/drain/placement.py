"""Which pods nothing else in the cluster can take. Pure.

An estimate of the scheduler's filters: node selector and affinity, taints, where volumes can be used,
resources and required anti-affinity. It ignores spread constraints, host ports, devices and further
plugins of a scheduler.
Source: kubernetes pkg/scheduler/framework/plugins.
"""

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence

from kubectl_admin.drain.facts import AntiAffinity, Claim, Facts, Name, Node, Pod, Resources, Taint
from kubectl_admin.drain.labels import Requirement

UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")
FORBIDDING = ("NoSchedule", "NoExecute")


class Elsewhere:
    """The other nodes with what is free on them, as pods are placed there one after another."""

    def __init__(self, facts: Facts) -> None:
        self._nodes = {node.name: node for node in facts.others or ()}
        self._claims: Mapping[Name, Claim] = facts.claims
        self._known = facts.neighbours is not None
        self._pods: dict[str, list[Pod]] = defaultdict(list)
        self._used: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for pod in facts.neighbours or ():
            if not pod.finished:
                self._put(pod, pod.node)

    def _put(self, pod: Pod, name: str) -> None:
        self._pods[name].append(pod)
        for resource, wanted in pod.demands.requests.items():
            self._used[name][resource] += wanted

    def take(self, pod: Pod) -> str:
        """Gives the pod a place; the reason, in a sentence, if there is none, and "" if there is."""
        reasons: Counter[str] = Counter()
        free: list[Node] = []
        crowded = {apart: self._values_with(apart) for apart in pod.demands.anti_affinity}
        for node in self._nodes.values():
            if reason := self._reason(pod, node, crowded):
                reasons[reason] += 1
            else:
                free.append(node)
        if free:
            self._put(pod, min(free, key=self._cpu_used).name)
            return ""
        if not self._nodes:
            return "there is no other node"
        said = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        return f"0 of {len(self._nodes)} other nodes: {said}"

    def _cpu_used(self, node: Node) -> float:
        return self._used[node.name]["cpu"] / (node.allocatable.get("cpu") or 1.0)

    def _values_with(self, apart: AntiAffinity) -> frozenset[str]:
        """The values of the topology (a node, a zone) within which there is such a pod.

        Asked once a pod, of the pods that are there, whatever the number of nodes.
        """
        return frozenset(
            value
            for name, pods in self._pods.items()
            if (node := self._nodes.get(name)) and (value := node.labels.get(apart.topology)) is not None
            if any(pod.namespace in apart.namespaces and apart.selector.selects(pod.labels) for pod in pods)
        )

    def _reason(self, pod: Pod, node: Node, crowded: Mapping[AntiAffinity, Container[str]]) -> str:
        """Why this node can't take the pod; "" if it can. crowded: where pods are that it avoids."""
        return (
            forbidden(pod, node)
            or mismatched(pod, node)
            or unreachable_volume(pod, node, self._claims)
            or lacking(pod.demands.requests, node.allocatable, self._used[node.name] if self._known else {})
            or too_near(node, crowded)
        )


def unplaceable(facts: Facts, leaving: Iterable[Pod]) -> dict[Name, str]:
    """The pods that would stay Pending, each with why; the largest are placed first, as far as there is room.

    leaving: the pods that leave the node and are recreated. None of them where the other nodes can't be seen.
    """
    if facts.others is None:
        return {}
    elsewhere = Elsewhere(facts)
    order = sorted(leaving, key=lambda pod: (-pod.priority, -pod.demands.requests.get("cpu", 0.0)))
    reasons = {pod.key: elsewhere.take(pod) for pod in order}
    return {key: reason for key, reason in reasons.items() if reason}


def forbidden(pod: Pod, node: Node) -> str:
    """Taints that the pod does not tolerate, and the cordon."""
    taints: Sequence[Taint] = (*node.taints, *((UNSCHEDULABLE,) if node.unschedulable else ()))
    for taint in taints:
        if taint.effect in FORBIDDING and not any(each.covers(taint) for each in pod.demands.tolerations):
            return "cordoned" if taint.key == UNSCHEDULABLE.key else f"tainted {taint}"
    return ""


def mismatched(pod: Pod, node: Node) -> str:
    """Labels that the pod asks for."""
    for requirement in pod.demands.node_selector:
        if not requirement.holds(node.labels):
            return f"without label {requirement}"
    if pod.demands.affinity is not None and not any_holds(pod.demands.affinity, node):
        return "outside its node affinity"
    return ""


def unreachable_volume(pod: Pod, node: Node, claims: Mapping[Name, Claim]) -> str:
    """Volumes that can't be used on the node: local ones, or those of another zone."""
    for name in pod.claims:
        claim = claims.get((pod.namespace, name))
        if claim and claim.affinity is not None and not any_holds(claim.affinity, node):
            return f"can't use volume {claim.volume}"
    return ""


def lacking(requests: Resources, allocatable: Resources, used: Mapping[str, float]) -> str:
    """A resource of which the node has too little. used: what others there have asked for."""
    for name, wanted in requests.items():
        has = allocatable.get(name, 0.0)
        if wanted > has - used.get(name, 0.0) + 1e-9:
            return f"without room for its {name}" if wanted <= has else f"too small for its {name}"
    return ""


def too_near(node: Node, crowded: Mapping[AntiAffinity, Container[str]]) -> str:
    """A pod within the same topology that the pod must be apart from."""
    for apart, values in crowded.items():
        if node.labels.get(apart.topology) in values:
            return f"with a pod that it must be apart from ({apart.topology})"
    return ""


def any_holds(terms: Iterable[Iterable[Requirement]], node: Node) -> bool:
    """Whether any of the alternatives holds on the node."""
    return any(all(requirement.holds(node.labels) for requirement in term) for term in terms)
