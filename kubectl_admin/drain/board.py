"""Pods that must still leave a node, what each one waits for, and whose turn it is. Pure: told what happens.

Times are seconds of one monotonic clock.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_admin.drain.answers import Answer, Kind, pause
from kubectl_admin.drain.budgets import Covering, Permission, rule
from kubectl_admin.drain.facts import SYSTEM_CRITICAL, Budget, Name, Pod
from kubectl_admin.drain.filters import overdue
from kubectl_admin.report.text import duration

END_GRACE = 15.0  # seconds beyond its grace after which a pod that is ending is taken to be held by something


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pod that is still there: why, in words, and for how many seconds it has been waited for."""

    pod: Pod
    why: str
    seconds: float


@dataclass(slots=True)
class Leaving:
    """How far one pod has come.

    since: when it was first asked to leave, or began to end.
    answer: the last one. tries: how many there were of its kind.
    due: when it is to be asked the next time; never once it has been accepted. asked: whether it is just now.
    view: its budgets as they were known when it was asked, or as they have come to be since.
    """

    pod: Pod
    since: float
    answer: Answer | None = None
    tries: int = 0
    due: float = 0.0
    asked: bool = False
    view: tuple[Budget, ...] = ()


@dataclass(slots=True)
class Board:
    """The pods of one drain.

    skip_wait: seconds; a pod whose grace ended longer ago is not waited for; 0 waits for all.
    grace: seconds that each pod is given to end; None for its own.
    """

    skip_wait: int = 0
    grace: int | None = None
    _leaving: dict[Name, Leaving] = field(default_factory=dict)
    _budgets: Covering = field(default_factory=lambda: Covering(()))

    def add(self, pods: Iterable[Pod], now: float) -> None:
        """Pods that are to leave as well."""
        for pod in pods:
            self._leaving[pod.key] = Leaving(pod, now, due=now)

    @property
    def done(self) -> bool:
        """Whether nobody is left."""
        return not self._leaving

    def due(self, now: float, room: int) -> list[Pod]:
        """Whom to ask to leave now, at most `room` of them, those of lowest priority first.

        Critical pods (DNS, CSI drivers) are asked only when all others are gone, which may need them to end.
        """
        ready = [each for each in self._in_turn() if each.due <= now]
        chosen = sorted(ready, key=lambda each: (each.pod.priority, each.due, each.pod.key))[:room]
        for each in chosen:
            each.asked, each.view = True, self._budgets.of(each.pod)
        return [each.pod for each in chosen]

    def next_due(self) -> float:
        """When somebody is to be asked again; infinity where nobody is."""
        return min((each.due for each in self._in_turn()), default=math.inf)

    def _in_turn(self) -> list[Leaving]:
        """Who may be asked as soon as it is due, and is not being asked."""
        waiting = list(self._leaving.values())
        common = [each for each in waiting if each.pod.priority < SYSTEM_CRITICAL]
        return [each for each in common or waiting if not each.asked]

    def expects(self, pod: Pod) -> bool:
        """Whether this very pod has still to leave."""
        return pod.key in self._leaving and self._leaving[pod.key].pod.uid == pod.uid

    def answered(self, pod: Pod, answer: Answer, now: float) -> bool:
        """An answer has come. True if another reason holds the pod now, and is worth telling."""
        if not self.expects(pod):
            return False
        each = self._leaving[pod.key]
        each.asked = False
        if answer.kind is Kind.GONE:
            del self._leaving[pod.key]
            return False
        if answer.kind is Kind.ACCEPTED:
            each.answer, each.due, each.since = answer, math.inf, now
            return False
        changed = each.answer is None or (each.answer.kind, each.answer.says) != (answer.kind, answer.says)
        same_kind = each.answer is not None and each.answer.kind is answer.kind
        each.tries = each.tries + 1 if same_kind else 1
        each.answer, each.due = answer, now + pause(answer, each.tries)
        return changed

    def seen(
        self, present: Mapping[Name, Pod], now: float, clock: datetime
    ) -> tuple[list[Waiting], list[Pod]]:
        """The node's pods are these now. Returns who has gone since, and who is no longer waited for.

        clock: the time by which deletion timestamps are judged.
        """
        gone, given_up = [], []
        for key, each in list(self._leaving.items()):
            pod = present.get(key)
            if pod is None or pod.uid != each.pod.uid:
                del self._leaving[key]
                gone.append(Waiting(each.pod, "", now - each.since))
            elif overdue(pod.deleted, clock, self.skip_wait):
                del self._leaving[key]
                given_up.append(pod)
            else:
                if pod.deleted and each.due != math.inf:
                    # Somebody else has deleted it, or an answer was lost: it need not be asked again.
                    each.answer, each.due, each.since = Answer(Kind.ACCEPTED), math.inf, now
                each.pod = pod
        return gone, given_up

    def known(self, budgets: Iterable[Budget], now: float) -> None:
        """The budgets are these now. Who waits for one that has come to spare a pod is asked at once."""
        self._budgets = Covering(budgets)
        for each in self._leaving.values():
            if each.answer is None or each.answer.kind is not Kind.BUDGET:
                continue
            view = self._budgets.of(each.pod)
            # Only a change counts: a server may refuse in spite of the numbers that are known here.
            spared = bool(view) and rule(each.pod, view).permission in (Permission.ALLOWED, Permission.FREE)
            if view != each.view and spared:
                each.due = min(each.due, now)
            elif not each.asked:
                each.view = view

    def waiting(self, now: float) -> list[Waiting]:
        """Who is still there and why, the longest first."""
        asked = [each for each in self._leaving.values() if each.answer or each.asked]
        return [
            Waiting(each.pod, words(each, now - each.since, self.grace), now - each.since)
            for each in sorted(asked, key=lambda each: (each.since, each.pod.key))
        ]

    @property
    def left(self) -> list[Leaving]:
        """All who are still there."""
        return list(self._leaving.values())


def words(leaving: Leaving, seconds: float, grace: int | None) -> str:
    """Why a pod has waited for so many seconds. grace: given to it; None for its own."""
    answer = leaving.answer
    if answer is None:
        return "its eviction is being requested"
    if answer.kind is Kind.ACCEPTED:
        pod, given = leaving.pod, leaving.pod.grace if grace is None else grace
        if seconds <= given + END_GRACE:
            return f"is ending (grace {duration(given)})"
        holder = f"finalizer {pod.finalizers[0]}" if pod.finalizers else "its kubelet"
        return f"should have ended after {duration(given)}; {holder} still holds it"
    return says(answer)


REFUSED = {
    Kind.WEBHOOK: "not yet: {}",
    Kind.SEVERAL_BUDGETS: "more than one disruption budget selects it, which the eviction API refuses",
    Kind.NAMESPACE: "its namespace is being deleted",
    Kind.BUSY: "the API server is too busy: {}",
    Kind.UNREACHABLE: "the API server can't be reached: {}",
}


def says(answer: Answer) -> str:
    """A refusal in words."""
    text = answer.says.rstrip(".").replace("The disruption budget", "budget")
    return REFUSED.get(answer.kind, "{}").format(text)
