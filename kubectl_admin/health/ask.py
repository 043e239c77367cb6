"""Asks the components of one node, all at the same time over one connection; what has not answered, again."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.health import clock, instances, silence
from kubectl_admin.health.exchange import DOUBTFUL, Exchange, Heard, Patience
from kubectl_admin.health.facts import KUBELET_PING, Clock, Metrics, NoReply, Process, Reply, Why
from kubectl_admin.health.questions import LOOPBACK, Plan, Question
from kubectl_admin.pool import ask_all

LOOK_INTERVAL = 2.0  # seconds between two looks at what has not answered
WAYS = 2  # pods of a node that are tried
Looked = tuple[str | NoReply, dict[Question, Heard]]  # the way, and what came of each question


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a node. way: the pod that led to it, or why none did."""

    way: str | NoReply
    processes: tuple[Process, ...]
    clock: Clock | None = None


class Asker:
    """Asks nodes of one cluster. judged: the metrics that are kept, by component."""

    def __init__(
        self, cluster: Cluster, patience: Patience, judged: Mapping[Component, Iterable[str]]
    ) -> None:
        self._cluster = cluster
        self._patience = patience
        self._exchange = Exchange(cluster, patience, judged)

    def node(self, ways: Sequence[str], plans: Sequence[Plan]) -> Asked:
        """Asks all that is planned for a node. ways: pods in its network, the best first; raises nothing."""
        questions = [one for plan in plans for one in plan.questions if one.endpoint.is_on_loopback]
        way, heard = self._looks(ways, questions)
        processes = tuple(self._process(plan, way, heard) for plan in plans)
        clocks = [one for each in heard.values() for one in each.clocks]
        return Asked(way, processes, clock.best(clocks))

    def metrics(self, way: str, plans: Sequence[Plan]) -> dict[Component, Metrics]:
        """The metrics of a node's components once more; of what does not answer there are none."""
        asked = [question.of_metrics for plan in plans for question in plan.questions]
        questions = [question for question in asked if question and question.endpoint.is_on_loopback]
        _, heard = self._look([way], questions)
        return {
            question.component: one.metrics
            for question, one in heard.items()
            if isinstance(one.metrics, Mapping)
        }

    def _looks(self, ways: Sequence[str], questions: Sequence[Question]) -> Looked:
        """Two looks at what might have been one missed answer."""
        patience = self._patience
        way, heard = self._look(ways, questions)
        for _ in range(patience.retries):
            if not (isinstance(way, NoReply) and way.why in (*DOUBTFUL, Why.NODE)):
                break
            if not patience.pause(LOOK_INTERVAL):
                return way, heard
            later, answers = self._look(ways, questions)
            if isinstance(later, NoReply) and later.why is Why.LATE:
                break  # a look that was cut short says less than the one before
            way, heard = later, answers
        if not isinstance(way, NoReply):
            for look in range(max(patience.retries, 1)):
                self._look_again(way, heard, LOOK_INTERVAL if look < patience.retries else 0.0)
        return way, heard

    def _look_again(self, way: str, heard: dict[Question, Heard], pause: float) -> None:
        """Asks again what is in doubt, each component by itself.

        A port that takes no connection holds up what is sent to the others after it.
        """
        again: dict[Component, list[Question]] = defaultdict(list)
        for question, one in heard.items():
            if one.is_doubtful:
                again[question.component].append(question)
        misled = len([one for one in heard.values() if one.is_silent]) > 1
        if not again or not (pause or misled) or not self._patience.pause(pause):
            return
        alone = {component: partial(self._look, [way], asked) for component, asked in again.items()}
        for looked in ask_all(alone, deadline=self._patience.left, workers=len(alone)).values():
            if not isinstance(looked, AdminError):
                heard.update({one: later.or_else(heard[one]) for one, later in looked[1].items()})

    def _look(self, ways: Sequence[str], questions: Sequence[Question]) -> Looked:
        """Asks all the questions at the same time through the first of the pods that leads there."""
        if not questions:
            return NoReply(Why.NO_WAY, "nothing of it can be asked"), {}
        asked = [*questions, *(one.otherwise for one in questions if one.otherwise)]
        numbers = [one.endpoint.port for one in asked]
        way: NoReply = NoReply(Why.NO_WAY, "kube-system has no running pod in the network of the node")
        for pod in ways[:WAYS]:
            began = time.monotonic()
            try:
                forwarded = self._cluster.forward_ports(
                    KUBE_SYSTEM, pod, numbers, timeout=self._patience.left, opening=self._patience.for_one
                )
            except AdminError as error:
                way = silence.of_way(error, time.monotonic() - began)
                if way.why is Why.NO_WAY:
                    continue
                return way, {}
            with forwarded:
                ports = dict(zip(asked, forwarded.ports, strict=True))
                asking = {one: partial(self._exchange.ask, forwarded, ports, one) for one in questions}
                found = ask_all(asking, deadline=self._patience.left, workers=len(asking))
            return pod, {question: _heard(question, answer) for question, answer in found.items()}
        return way, {}

    def _process(self, plan: Plan, way: str | NoReply, heard: Mapping[Question, Heard]) -> Process:
        """The component with all that was heard of it."""
        process = plan.process
        replies: dict[str, Reply | NoReply] = {}
        mine = [heard[one] for one in plan.questions if one in heard]
        for each in mine:
            replies.update(each.replies)
        for question in plan.questions:
            if not question.endpoint.is_on_loopback:
                where = f"it is bound to {question.endpoint.host}, which can't be asked this way"
                replies.update(dict.fromkeys(question.on_health, NoReply(Why.REFUSED, where)))
        is_apiserver = process.component is Component.APISERVER and plan.questions
        if is_apiserver and instances.is_beside(plan, way, replies):
            replies = {**replies, **instances.by_proxy(self._cluster, plan, self._patience)}
        pinged = any(each.pinged for each in mine)
        endpoint = process.endpoint
        if pinged and endpoint:
            endpoint = replace(endpoint, host=LOOPBACK, port=KUBELET_PING, scheme="http")
        return replace(
            process,
            endpoint=endpoint,
            replies=replies,
            metrics=next((each.metrics for each in mine if each.metrics is not None), None),
            certificate=next((each.certificate for each in mine if each.certificate), None),
        )


def _heard(question: Question, answer: Heard | AdminError) -> Heard:
    if isinstance(answer, Heard):
        return answer
    heard = Heard()
    heard.give_up(question.paths, silence.of_port(answer))
    return heard
