"""Disruption budgets' answers on pods that are to leave. Pure.

Source: kubernetes 1.36 pkg/registry/core/pod/storage/eviction.go; the numbers come from
pkg/controller/disruption/disruption.go.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.drain.facts import Budget, Pod


class Permission(StrEnum):
    """Budgets' answer to an eviction."""

    FREE = "free"  # no budget is asked
    ALLOWED = "allowed"
    WAIT = "wait"  # not now, but it can come
    NEVER = "never"  # not while the budget and the number of pods are as they are
    SEVERAL = "several"  # the eviction API answers 500 to a pod with two budgets


@dataclass(frozen=True, slots=True)
class Ruling:
    """One pod's budgets' answer, and why, in a sentence about the budget («needs 2 healthy, has 2»).

    unready: whether they hold a pod that itself is not Ready, and that no waiting makes so.
    """

    permission: Permission
    budgets: tuple[Budget, ...] = ()
    why: str = ""
    unready: bool = False

    @property
    def blocks(self) -> bool:
        """Whether the pod can't be evicted as things stand, however long one waits."""
        return self.permission in (Permission.NEVER, Permission.SEVERAL)


class Covering:
    """Budgets by namespace, to find those of a pod without asking all of a large cluster."""

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self._budgets: Mapping[str, list[Budget]] = defaultdict(list)
        for budget in budgets:
            self._budgets[budget.namespace].append(budget)

    def of(self, pod: Pod) -> tuple[Budget, ...]:
        """All budgets that count this pod."""
        return tuple(budget for budget in self._budgets.get(pod.namespace, ()) if budget.covers(pod))


def rule(pod: Pod, budgets: Sequence[Budget]) -> Ruling:
    """The answer of these budgets, which are the pod's, to its eviction."""
    budgets = tuple(budgets)
    if not budgets or not pod.guarded:
        return Ruling(Permission.FREE, budgets)
    if len(budgets) > 1:
        return Ruling(Permission.SEVERAL, budgets, "more than one counts the pod")
    budget = budgets[0]
    if not pod.ready and (budget.always_unhealthy or budget.current >= budget.desired > 0):
        return Ruling(Permission.FREE, budgets)
    permission, why = of_numbers(budget)
    if not pod.ready and not budget.stale and permission in (Permission.WAIT, Permission.NEVER):
        return Ruling(permission, budgets, f"the pod itself is not Ready, and {why}", unready=True)
    return Ruling(permission, budgets, why)


def of_numbers(budget: Budget) -> tuple[Permission, str]:
    """A budget's answer to the eviction of a healthy pod, and why."""
    if budget.stale:
        return Permission.WAIT, "its numbers are being computed again"
    if budget.allowed > 0:
        return Permission.ALLOWED, numbers(budget)
    if budget.failure:
        return Permission.NEVER, f"its numbers can't be computed: {budget.failure}"
    return Permission.NEVER if unmeetable(budget) else Permission.WAIT, numbers(budget)


def unmeetable(budget: Budget) -> bool:
    """Whether no pod may go even when every pod that there should be is healthy.

    It covers maxUnavailable 0, minAvailable 100% and as many as there are replicas, in one.
    """
    return budget.desired >= budget.expected > 0


def numbers(budget: Budget) -> str:
    """The budget's numbers in words."""
    return f"{budget.wants}: needs {budget.desired} healthy of {budget.expected}, has {budget.current}"
