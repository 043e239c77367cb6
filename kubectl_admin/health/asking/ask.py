"""Asks the components of one node, all at the same time over one connection; silent ones once more."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.probes import LOOPBACK
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking import clock, instances, silence
from kubectl_admin.health.asking.exchange import Exchange, Heard, Patience
from kubectl_admin.health.asking.instances import Replies
from kubectl_admin.health.asking.questions import METRICS, Plan, Question
from kubectl_admin.health.facts import KUBELET_PING, Clock, Metrics, NoReply, Process, Reply, Why
from kubectl_admin.pool import ask_all

COLLECTING = 0.5  # seconds before the end in which all that was told is put together
GRACE = 0.2  # seconds after the end in which an answer that tells of it is taken
WAYS = 2  # pods of a node that are tried
WITHOUT_POD = "kube-system has no running pod in the network of the node"
Looked = tuple[str | NoReply, dict[Question, Heard]]  # the way, and the answer to each question
Then = Callable[[str, Question, Heard], None]  # is told the way, a question, and its answer at once


@dataclass(frozen=True, slots=True)
class Asked:
    """A node's answers. way: the pod that led to it, or why none did. host: as of a Node."""

    way: str | NoReply
    processes: tuple[Process, ...]
    clock: Clock | None = None
    host: str | NoReply = ""


class Asker:
    """Asks nodes of one cluster. judged: the metrics that are kept, by component."""

    def __init__(
        self, cluster: Cluster, patience: Patience, judged: Mapping[Component, Iterable[str]]
    ) -> None:
        self.cluster = cluster
        self.patience = patience
        self.exchange = Exchange(cluster, patience, judged)

    def can_ask(self, question: Question) -> bool:
        """Whether a forwarded port leads to who is asked."""
        return question.endpoint.is_on_loopback

    def metrics(self, way: str, plans: Sequence[Plan]) -> dict[Component, Metrics] | NoReply:
        """The metrics of a node's components once more; of what does not answer there are none.

        Why the node was not reached, where it was not.
        """
        asked = [question.of_metrics for plan in plans for question in plan.questions]
        questions = [question for question in asked if question and self.can_ask(question)]
        led, heard = self.look([way], questions)
        if isinstance(led, NoReply):
            return led
        return {
            question.component: one.metrics
            for question, one in heard.items()
            if isinstance(one.metrics, Mapping)
        }

    def look(
        self, ways: Sequence[str], questions: Sequence[Question], then: Then = lambda *_: None
    ) -> Looked:
        """Asks all the questions at the same time through the first of the pods that leads there.

        then: is called in the thread of each question.
        """
        if not questions:
            return NoReply(Why.NO_WAY, "nothing of it can be asked"), {}
        asked = [*questions, *(one.otherwise for one in questions if one.otherwise)]
        numbers = [one.endpoint.port for one in asked]
        way = NoReply(Why.NO_WAY, WITHOUT_POD)
        for pod in ways[:WAYS]:
            began, given = time.monotonic(), self.patience.for_one
            try:
                forwarded = self.cluster.forward_ports(
                    *pod_of(pod), numbers, timeout=self.patience.left, opening=given
                )
            except AdminError as error:
                way = silence.of_way(error, time.monotonic() - began)
                if way.why is Why.SILENT and not self.patience.is_enough(given):
                    way = silence.too_late(way)
                if way.why is Why.NO_WAY:
                    continue
                return way, {}
            with forwarded:
                ports = dict(zip(asked, forwarded.ports, strict=True))
                ask = partial(self.exchange.ask, forwarded, ports)
                asking = {one: partial(_ask, ask, one, partial(then, pod)) for one in questions}
                found = ask_all(asking, deadline=self.patience.left + GRACE / 2, workers=len(asking))
            return pod, {question: heard_of(question, answer) for question, answer in found.items()}
        return way, {}


class Looks:
    """The looks at one node, the second at what might have been one missed answer.

    ways: pods in the node's network, the best first.
    """

    def __init__(self, asker: Asker, ways: Sequence[str], plans: Sequence[Plan]) -> None:
        self._asker = asker
        self._ways = ways
        self._plans = plans
        self._way: str | NoReply = NoReply(Why.LATE, "its turn did not come in time")
        self._heard: dict[Question, Heard] = {}
        self._began = 0.0  # when the latest look at all of it began
        self._sure = False  # whether what is in doubt has been looked at often enough
        self._at_once: dict[Question, Heard] = {}  # second answers of those that were not waited with
        self._by_proxy: Replies = {}  # of the API server, where it was asked through another one meanwhile

    def __call__(self) -> Asked:
        """Looks; raises nothing."""
        questions = [one for plan in self._plans for one in plan.questions if self._asker.can_ask(one)]
        if self._look(questions):
            silent = [plan for plan in self._plans if self._is_silent_instance(plan)]
            # Its node's kubelet may let nobody in without it, and there is time for one of both only.
            sides: dict[str, Callable[[], object]] = {"again": self._look_again}
            sides.update({plan.process.node: partial(self._ask_by_proxy, plan) for plan in silent})
            if silent:
                ask_all(sides, deadline=self._asker.patience.left + GRACE, workers=len(sides))
            else:
                self._look_again()
        return self._beside(self.so_far())

    def so_far(self) -> Asked:
        """The answers up to now, where nobody can wait longer."""
        way, heard = self._way, self._heard
        if not self._sure:
            way = silence.too_late(way)
            heard = {
                question: self._at_once.get(question) or one.if_sure() for question, one in heard.items()
            }
        processes = tuple(self._with_proxied(self._process(plan, heard)) for plan in self._plans)
        clocks = [one for each in heard.values() for one in each.clocks]
        return Asked(way, processes, clock.best(clocks))

    def _look(self, questions: Sequence[Question]) -> bool:
        """Looks until the way is sure; whether it is."""
        patience = self._asker.patience
        for look in range(1 + patience.retries):
            self._began = patience.end.clock.monotonic()
            self._at_once = {}
            self._way, self._heard = self._asker.look(self._ways, questions, self._ask_at_once)
            if not isinstance(self._way, NoReply) or self._way.why not in silence.ASKED_AGAIN:
                return True
            if look < patience.retries and not patience.pause(self._began):
                return False
        return True

    def _ask_at_once(self, way: str, question: Question, heard: Heard) -> None:
        """Asks a silent etcd again at once, alone: the API server beside it takes long to fail its checks."""
        patience = self._asker.patience
        if question.component is not Component.ETCD or not heard.is_silent or not patience.retries:
            return
        if patience.is_enough(patience.left):
            _, found = self._asker.look([way], [question])
            if question in found:
                self._at_once[question] = found[question]

    def _look_again(self) -> None:
        """Asks again what is in doubt, and notes whether there was time for it."""
        self._sure = self._is_sure()

    def _is_silent_instance(self, plan: Plan) -> bool:
        """Whether it is an API server that has taken a connection and answered nothing."""
        asked = [self._heard[one] for one in plan.questions if one in self._heard]
        return plan.process.component is Component.APISERVER and any(one.is_silent for one in asked)

    def _ask_by_proxy(self, plan: Plan) -> None:
        """Asks an API server through another one."""
        self._by_proxy = instances.by_proxy(self._asker.cluster, plan, self._asker.patience)

    def _with_proxied(self, process: Process) -> Process:
        """An API server with what it has said to another one, unless it has answered by itself."""
        if process.component is not Component.APISERVER or not self._by_proxy:
            return process
        if any(isinstance(one, Reply) for one in process.replies.values()):
            return process
        return replace(process, replies={**process.replies, **self._by_proxy})

    def _is_sure(self) -> bool:
        """Asks again what is in doubt, each component by itself; whether there was time for it.

        A port that takes no connection holds up what is sent to the others after it.
        """
        patience = self._asker.patience
        if isinstance(self._way, NoReply):
            return True
        began = self._began
        self._heard = {**self._heard, **self._at_once}
        for look in range(max(patience.retries, 1)):
            again: dict[Component, list[Question]] = defaultdict(list)
            for question, one in self._heard.items():
                if one.is_doubtful and (look or question not in self._at_once):
                    again[question.component].append(question)
            misled = len({key.component for key, one in self._heard.items() if one.is_silent}) > 1
            if not again or (look >= patience.retries and not misled):
                return True
            if not patience.pause(began if look < patience.retries else None):
                return False
            began = patience.end.clock.monotonic()
            alone = {
                component: partial(self._asker.look, [self._way], asked) for component, asked in again.items()
            }
            looked = ask_all(alone, deadline=patience.left + GRACE, workers=len(alone))
            heard = [one for one in looked.values() if not isinstance(one, AdminError)]
            before = self._heard
            # One cause may have made two of them silent: then the earlier look says nothing.
            told = {
                key: one if misled else one.or_else(before[key])
                for _, found in heard
                for key, one in found.items()
            }
            self._heard = {**before, **told}
            if len(heard) < len(alone) or any(isinstance(way, NoReply) for way, _ in heard):
                return False
        return True

    def _process(self, plan: Plan, heard: Mapping[Question, Heard]) -> Process:
        """The component with all that was heard of it."""
        process = plan.process
        replies: dict[str, Reply | NoReply] = {}
        mine = [heard[one] for one in plan.questions if one in heard]
        for each in mine:
            replies.update(each.replies)
        metrics = next((each.metrics for each in mine if each.metrics is not None), None)
        for question in plan.questions:
            if not self._asker.can_ask(question):
                elsewhere = NoReply(Why.ELSEWHERE, silence.NOT_FORWARDED)
                replies.update(dict.fromkeys(question.on_health, elsewhere))
                if METRICS in question.paths:
                    metrics = elsewhere
        pinged = any(each.pinged for each in mine)
        endpoint = process.endpoint
        if pinged and endpoint:
            endpoint = replace(endpoint, host=LOOPBACK, port=KUBELET_PING, scheme="http")
        return replace(
            process,
            endpoint=endpoint,
            replies=replies,
            metrics=metrics,
            certificate=next((each.certificate for each in mine if each.certificate), None),
        )

    def _beside(self, asked: Asked) -> Asked:
        """The same with what an API server is told where the node's ports do not lead there.

        All at the same time, and in time: one that hangs must not cost what the others say. Not where an
        answer could hardly come any more.
        """
        whole = self._asker.patience
        if whole.left - COLLECTING < whole.each / 2:
            return asked
        patience = replace(whole, each=min(whole.each, whole.left - COLLECTING))
        asking = {
            place: partial(instances.by_proxy, self._asker.cluster, plan, patience)
            for place, (plan, process) in enumerate(zip(self._plans, asked.processes, strict=True))
            if self._is_beside(plan, process.replies)
        }
        if not asking:
            return asked
        told = ask_all(asking, deadline=whole.left, workers=len(asking))
        processes = list(asked.processes)
        for place, replies in told.items():
            if not isinstance(replies, AdminError):
                process = processes[place]
                processes[place] = replace(process, replies={**process.replies, **replies})
        return replace(asked, processes=tuple(processes))

    def _is_beside(self, plan: Plan, replies: Replies) -> bool:
        """Whether an API server is asked for a component."""
        match plan.process.component:
            case Component.APISERVER:
                return bool(plan.questions) and instances.is_beside(plan, self._way, replies)
            case Component.KUBE_PROXY:
                return instances.is_sign_of_life(plan, self._way)
        return False


def pod_of(way: str) -> tuple[str, str]:
    """Namespace and name of the pod that a way names."""
    namespace, _, name = way.rpartition("/")
    return namespace or KUBE_SYSTEM, name


def _ask(
    ask: Callable[[Question], Heard], question: Question, then: Callable[[Question, Heard], None]
) -> Heard:
    heard = ask(question)
    then(question, heard)
    return heard


def heard_of(question: Question, answer: Heard | AdminError) -> Heard:
    """The answers; an error instead of them is the reason why there are none."""
    if isinstance(answer, Heard):
        return answer
    heard = Heard()
    heard.give_up(question.paths, silence.of_port(answer))
    return heard
