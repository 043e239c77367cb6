"""A drain's plan for each pod of a node, and what holds it. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kubectl_admin.drain import stateful
from kubectl_admin.drain.budgets import Covering, Permission, Ruling, rule
from kubectl_admin.drain.facts import Facts, Name, Pod
from kubectl_admin.drain.filters import Action, Context, Flags, Verdict, judge
from kubectl_admin.drain.placement import unplaceable
from kubectl_admin.drain.read import NAME_FIELD
from kubectl_admin.drain.stateful import Group, Move


@dataclass(frozen=True, slots=True)
class Preview:
    """The plan of a drain of one node.

    verdicts: one a pod, in the order in which they are shown.
    rulings: of budgets, by pod, on those that leave.
    groups: databases and the like of which a pod is here.
    pending: pods that nothing else can take, with why.
    down: controllers (namespace/name) whose ready pods are all on this node, with these pods.
    """

    facts: Facts
    flags: Flags
    verdicts: tuple[Verdict, ...]
    rulings: Mapping[Name, Ruling]
    groups: tuple[Group, ...]
    pending: Mapping[Name, str]
    down: Mapping[str, Sequence[Pod]]

    @property
    def node(self) -> str:
        """The node's name."""
        return self.facts.node.name

    @property
    def leaving(self) -> list[Verdict]:
        """The pods that leave."""
        return [verdict for verdict in self.verdicts if verdict.leaves]

    @property
    def refused(self) -> list[Verdict]:
        """The pods for which the flags do not allow it: the drain does not begin."""
        return [verdict for verdict in self.verdicts if verdict.action is Action.REFUSE]

    @property
    def blocked(self) -> dict[Name, Ruling]:
        """The pods that no eviction gets past their budgets, however long one waits."""
        return {key: ruling for key, ruling in self.rulings.items() if ruling.blocks}


def preview(facts: Facts, flags: Flags, now: datetime) -> Preview:
    """The plan of a drain with these flags. now: with a time zone."""
    context = Context(flags, facts.daemonsets, now)
    verdicts = [judge(pod, context) for pod in facts.pods]
    covering = Covering(facts.budgets)
    groups = stateful.groups(facts)
    movable = stateful.leading_here(groups)
    rulings = {}
    for verdict in verdicts:
        if verdict.leaves:
            ruling = rule(verdict.pod, covering.of(verdict.pod))
            rulings[verdict.pod.key] = eased(ruling, verdict.pod, movable, flags)
    recreated = [verdict.pod for verdict in verdicts if verdict.leaves and is_recreated(verdict.pod)]
    return Preview(
        facts,
        flags,
        tuple(sorted(verdicts, key=lambda each: (ORDER[each.action], each.pod.priority, each.pod.key))),
        rulings,
        tuple(groups),
        unplaceable(facts, [pod for pod in recreated if not is_of_this_node_alone(pod)]),
        all_here(facts, recreated),
    )


ANYWHERE = ("ReplicaSet", "ReplicationController", "StatefulSet", "Job")  # whose pods belong to no node
ORDER = {Action.REFUSE: 0, Action.EVICT: 1, Action.DELETE: 2, Action.LEAVE: 3}


def eased(ruling: Ruling, pod: Pod, movable: Mapping[Name, Group], flags: Flags) -> Ruling:
    """The ruling where something changes it: deletion passes budgets by, an operator moves what they guard.

    A budget of one primary can't be met as it is, but it no longer counts the pod once that is none.
    """
    if flags.disable_eviction:
        return Ruling(Permission.FREE, ruling.budgets)
    if ruling.permission is Permission.NEVER:
        operator = stateful.operator_of(pod.labels)
        if pod.key in movable:
            return Ruling(
                Permission.WAIT, ruling.budgets, f"{movable[pod.key].operator.name} moves the primary"
            )
        if operator and operator.move is Move.WEBHOOK:
            return Ruling(Permission.WAIT, ruling.budgets, f"{operator.name}'s operator rolls the pod itself")
        if operator and operator.between:
            return Ruling(Permission.WAIT, ruling.budgets, f"{operator.name} lifts it: {operator.between}")
    return ruling


def is_recreated(pod: Pod) -> bool:
    """Whether a controller will put another pod in this one's place."""
    return pod.controller is not None and not pod.finished and not pod.controller.daemonset


def is_of_this_node_alone(pod: Pod) -> bool:
    """Whether the pod is one of a kind that has one for each node, other than a DaemonSet of Kubernetes' own.

    Their controllers bind a pod as the DaemonSet controller does: to one node, by its name.
    Source: kubernetes pkg/controller/daemon/util/daemonset_util.go, ReplaceDaemonSetPodNodeNameNodeAffinity.
    """
    kind = pod.controller.kind if pod.controller else ""
    terms = pod.demands.affinity or ((),)
    return kind not in ANYWHERE and all(
        any(each.key == NAME_FIELD and each.operator == "In" and each.values == (pod.node,) for each in term)
        for term in terms
    )


def all_here(facts: Facts, recreated: Sequence[Pod]) -> dict[str, list[Pod]]:
    """Controllers whose ready pods are all on this node: their work stops until there are others."""
    by_owner: dict[tuple[str, str], list[Pod]] = defaultdict(list)
    for pod in recreated:
        if pod.controller and pod.ready:
            by_owner[f"{pod.namespace}/{pod.controller.name}", pod.controller.uid].append(pod)
    return {
        name: pods
        for (name, uid), pods in by_owner.items()
        if (scale := facts.scales.get(uid)) and scale.ready <= len(pods)
    }
