"""Moves pods off a node: asks each to leave, understands the answers, waits until it is gone.

One watch of the node's pods tells who is gone, one of the budgets when to ask again; nothing is polled.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.drain.answers import Answer, Kind, meaning
from kubectl_admin.drain.board import Board, Waiting, says
from kubectl_admin.drain.facts import Name, Pod
from kubectl_admin.drain.filters import Action, Flags, Verdict
from kubectl_admin.drain.node_watch import NodeWatch
from kubectl_admin.drain.placement import UNSCHEDULABLE
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.drain.workers import Workers
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import some_of

AT_ONCE = 8  # requests on their way; kubectl sends one for every pod at once
REQUEST_TIMEOUT = 45.0  # seconds for the answer; an admission webhook may take 30 of them
REPORT_INTERVAL = 1.0  # seconds between two reports of the pods that are waited for, at most
SHOWN = 5  # pods named in an error


class DrainError(AdminError):
    """A drain that did not come to its end. waiting: the pods that were still there, with why."""

    def __init__(self, what: str, hint: str | None = None, waiting: Collection[Waiting] = ()) -> None:
        super().__init__(what, hint)
        self.waiting = tuple(waiting)


@dataclass(frozen=True, slots=True)
class Moved:
    """Whom an eviction has moved: the pods that are gone, and those that were no longer waited for.

    stayed: those that came meanwhile, were left alone, and are still there.
    left: those that were to leave, and are still there.
    """

    gone: tuple[Pod, ...]
    given_up: tuple[Pod, ...]
    stayed: tuple[Pod, ...] = ()
    left: tuple[Pod, ...] = ()


class Evictions:
    """One node's pods on their way.

    judge: the verdict on a pod that was not there before; None where such pods are left alone.
    deadline: of time.monotonic; infinity for none.
    """

    def __init__(
        self,
        cluster: Cluster,
        watch: NodeWatch,
        flags: Flags,
        judge: Callable[[Pod], Verdict] | None,
        progress: DrainProgress,
        deadline: float,
    ) -> None:
        self._cluster, self._watch, self._flags = cluster, watch, flags
        self._judge, self._progress, self._deadline = judge, progress, deadline
        self._board = Board(flags.skip_wait_for_delete_timeout, flags.grace_period)
        self._known: set[str] = set()  # UIDs
        self._had: Counter[str] = Counter()  # pods that are to leave, by the UIDs of their controllers
        self._came: dict[str, set[str]] = defaultdict(set)  # UIDs of those that came meanwhile, likewise
        self._left_alone: list[Pod] = []
        self._asked: set[str] = set()
        self._gone: list[Pod] = []
        self._given_up: list[Pod] = []

    def run(self, leaving: Collection[Pod], staying: Collection[Pod]) -> None:
        """Moves the pods; returns when they are gone. Raises DrainError."""
        self._known = {pod.uid for pod in (*leaving, *staying)}
        self._board.add(leaving, time.monotonic())
        self._had = Counter(pod.controller.uid for pod in leaving if pod.controller)
        workers = Workers[Pod](AT_ONCE, self._ask)
        try:
            while True:
                now = time.monotonic()
                self._look(now)
                if self._board.done:
                    return
                if now > self._deadline:
                    raise self._too_late()
                for pod in self._board.due(now, workers.free):
                    self._begin(pod)
                    workers.do(pod)
                self._progress.waiting(self._board.waiting(now))
                until = min(now + REPORT_INTERVAL, self._deadline)
                if workers.free:
                    until = min(until, self._board.next_due())
                for came in self._watch.wait(until - now):
                    if came is not None:
                        self._take(*came)
        finally:
            workers.close()

    @property
    def so_far(self) -> Moved:
        """The fate of the pods up to now."""
        left = tuple(each.pod for each in self._board.left)
        return Moved(tuple(self._gone), tuple(self._given_up), tuple(self._staying()), left)

    @property
    def waiting(self) -> list[Waiting]:
        """Who is still there."""
        return self._board.waiting(time.monotonic())

    def _look(self, now: float) -> None:
        """Takes in what the watches know."""
        present = self._watch.pods
        if present is None:
            return
        gone, given_up = self._board.seen(present, now, datetime.now(UTC))
        for each in gone:
            self._gone.append(each.pod)
            self._progress.gone(each.pod, each.seconds)
        for pod in given_up:
            self._given_up.append(pod)
            self._progress.note(f"pod {pod} should have ended long ago and is no longer waited for")
        self._board.add(self._arrived(present), now)
        self._board.known(self._watch.budgets, now)

    def _arrived(self, present: Mapping[Name, Pod]) -> list[Pod]:
        """Pods that are new and are to leave as well: bound before the scheduler saw the cordon."""
        new = [pod for pod in present.values() if pod.uid not in self._known]
        self._known.update(pod.uid for pod in new)
        if self._judge is None:
            return []
        leaving = []
        for pod in new:
            verdict = self._judge(pod)
            if verdict.action is Action.REFUSE:
                self._left_alone.append(pod)
                self._progress.note(f"pod {pod} came after the cordon and is left alone ({verdict.why})")
            elif verdict.leaves and tolerates_the_cordon(pod):
                self._progress.note(f"pod {pod} came after the cordon, tolerates it, and is left alone")
            elif verdict.leaves and self._comes_again(pod, present):
                self._left_alone.append(pod)
                self._progress.note(f"pod {pod} came again despite the cordon and is left alone")
            elif verdict.leaves:
                leaving.append(pod)
        return leaving

    def _staying(self) -> list[Pod]:
        """Who came meanwhile, was left alone, and is still there."""
        try:
            present = (self._watch.pods or {}).values()
        except AdminError:
            return self._left_alone  # nobody says that they have gone
        there = {pod.uid for pod in present if not pod.finished}
        return [pod for pod in self._left_alone if pod.uid in there]

    def _comes_again(self, pod: Pod, present: Mapping[Name, Pod]) -> bool:
        """Whether another of the kind would be there as soon as this one has gone."""
        if pod.controller is None:
            return False
        came = self._came[pod.controller.uid]
        again = is_return(came, self._had[pod.controller.uid], present)
        came.add(pod.uid)
        return again

    def _begin(self, pod: Pod) -> None:
        if pod.uid not in self._asked:
            self._asked.add(pod.uid)
            self._progress.asked(pod, "deleting" if self._flags.disable_eviction else "evicting")

    def _ask(self, pod: Pod) -> None:
        """Asks one pod to leave and has the answer come by the queue; runs in a worker's thread.

        Sending it twice does no harm: the precondition ties it to this very pod, and one that is ending
        already keeps ending.
        """
        try:
            if self._flags.disable_eviction:
                self._cluster.delete(path_of(pod), options(pod, self._flags), timeout=REQUEST_TIMEOUT)
            else:
                self._cluster.post(
                    f"{path_of(pod)}/eviction", eviction(pod, self._flags), timeout=REQUEST_TIMEOUT
                )
            answer = meaning(None)
        except AdminError as error:
            answer = meaning(error)
        except Exception as error:  # noqa: BLE001 - handed to the thread that decides, which raises it
            self._watch.events.put((pod, error))
            return
        self._watch.events.put((pod, answer))

    def _take(self, pod: Pod, answer: Answer | Exception) -> None:
        """Takes in an answer."""
        if isinstance(answer, Exception):
            raise answer
        if answer.kind is Kind.FORBIDDEN:
            right = (
                Right("delete", "pods") if self._flags.disable_eviction else Right("create", "pods/eviction")
            )
            raise DrainError(
                f"pod {pod} can't be evicted: {answer.says}",
                f"grant this user the right to {right}, which a drain needs (docs/permissions.md)",
                waiting=self.waiting,
            )
        if answer.kind is Kind.GONE and self._board.expects(pod):
            self._gone.append(pod)
            self._progress.gone(pod, 0.0)
        if self._board.answered(pod, answer, time.monotonic()):
            self._progress.held(pod, says(answer))

    def _too_late(self) -> DrainError:
        waiting = self.waiting
        held = {each.pod.key for each in waiting}
        never = [each for each in self._board.left if each.pod.key not in held]
        waiting += [Waiting(each.pod, "its eviction was not requested yet", 0.0) for each in never]
        problem = self._watch.problem
        hint = "give it more time with --timeout; 0 sets no limit"
        return DrainError(
            f"the time is up and {listed(waiting)}" + (f"; {problem}" if problem else ""), hint, waiting
        )


def tolerates_the_cordon(pod: Pod) -> bool:
    """Whether the pod is meant to be on cordoned nodes, too, and would come back at once."""
    return any(each.covers(UNSCHEDULABLE) for each in pod.demands.tolerations)


def is_return(came: Collection[str], had: int, present: Mapping[Name, Pod]) -> bool:
    """Whether a pod that has come takes the place of one that came meanwhile, too, and was made to leave.

    A scheduler that has not seen the cordon yet binds several pods of one owner here, as many as left it at
    that moment or more. One that comes after another was made to leave comes in spite of the cordon.

    came: the UIDs of those of the same controller that came before. had: its pods that were here at first.
    present: the pods that are here.
    """
    if len(came) < max(had, 1):
        return False
    staying = {pod.uid for pod in present.values() if pod.deleted is None}
    return not staying.issuperset(came)


def listed(waiting: Collection[Waiting]) -> str:
    """Pods that are still there, in words."""
    shown = [f"{each.pod}: {each.why}" for each in waiting]
    count = "a pod is" if len(waiting) == 1 else f"{len(waiting)} pods are"
    return f"{count} still there: {some_of(shown, SHOWN, '; ')}"


def path_of(pod: Pod) -> str:
    """The path of a pod."""
    return f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"


def options(pod: Pod, flags: Flags) -> dict[str, Any]:
    """The DeleteOptions for this very pod."""
    grace = {} if flags.grace_period is None else {"gracePeriodSeconds": flags.grace_period}
    return {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": pod.uid}, **grace}


def eviction(pod: Pod, flags: Flags) -> dict[str, Any]:
    """The Eviction of this very pod."""
    return {
        "kind": "Eviction",
        "apiVersion": "policy/v1",
        "metadata": {"namespace": pod.namespace, "name": pod.name},
        "deleteOptions": options(pod, flags),
    }
