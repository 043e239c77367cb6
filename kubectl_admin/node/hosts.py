"""The hosts of many nodes at once, each through a debug pod of its own.

    hosts = Hosts(cluster, operation, options, say)
    answers = hosts.ask(["cp-1", "w1"], lambda host: host.run(["uname", "-r"]).stdout)

However that ends (all have answered, no time is left, Ctrl-C), no pod of the operation stays: who is still at
work learns that it is over before its pod is removed, and makes no other one.
"""

import random
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.errors import AdminError
from kubectl_admin.node import host
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.leftovers import LeftPod, delete_pod, pods
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.pod_removal import ARRIVAL_TIMEOUT, GONE_TIMEOUT, RETRY_TIMEOUT
from kubectl_admin.pool import WORKERS, LateError, ask_all
from kubectl_admin.signals import sheltered

ASK_TIMEOUT = 600.0  # seconds for all nodes together, be they few
ROUND_TIMEOUT = 60.0  # seconds more for each further node of a worker: as long as a debug pod may take to run
POLL_INTERVAL = 0.25  # seconds between two looks at pods that are to go

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of a cluster's nodes, for one operation.

    options: those of debug pods. say: is given a sentence where something takes long or is tried again.
    """

    cluster: Cluster
    operation: Operation
    options: Options
    say: Say

    def open(self, node: str) -> AbstractContextManager[Host]:
        """The host of one node, as `host.opened` gives it."""
        return host.opened(self.cluster, node, self.operation, self.options, self.say)

    def made(self, pod: LeftPod) -> bool:
        """Whether a debug pod is one of this operation's."""
        return pod.operation == self.operation.id

    def ask(
        self,
        nodes: Iterable[str],
        question: Callable[[Host], Answer],
        *,
        answered: Callable[[int], None] | None = None,
    ) -> dict[str, Answer | AdminError]:
        """Each host's answer to the question, or the AdminError that it came to, by node."""

        def on_node(node: str) -> Answer:
            with self.open(node) as there:
                return question(there)

        names = list(nodes)
        answers = self.ask_all({node: partial(on_node, node) for node in shuffled(names)}, answered=answered)
        return {name: answers[name] for name in names}

    def ask_all(
        self,
        questions: Mapping[Key, Callable[[], Answer]],
        *,
        workers: int = WORKERS,
        timeout: float | None = None,
        answered: Callable[[int], None] | None = None,
        ask: Callable[..., dict[Key, Answer | AdminError]] = ask_all,
    ) -> dict[Key, Answer | AdminError]:
        """The answers to questions that open hosts themselves, or none; asked and returned in their order.

        timeout: seconds for all of them, where their answers are long work; `time_for` so many if None.
        answered: called with the number of questions after each of them. A late answer is a LateError. After
        an end that left questions open, hosts of this operation are opened no more. ask: as `pool.ask_all`.
        """
        unanswered = len(questions)

        def count(total: int) -> None:
            nonlocal unanswered
            unanswered -= 1
            if answered:
                answered(total)

        late = time_for(len(questions), workers) if timeout is None else timeout
        with sheltered() as shelter:
            try:
                with shelter.exposed():
                    return ask(questions, deadline=late, workers=workers, answered=count)
            finally:
                if unanswered:
                    self.operation.over.set()
                withdraw(self, wait=ARRIVAL_TIMEOUT if unanswered else 0)

    def need_all(
        self,
        questions: Mapping[str, Callable[[], Answer]],
        *,
        timeout: float | None = None,
        answered: Callable[[int], None] | None = None,
    ) -> dict[str, Answer]:
        """The same for questions, by the names of nodes, that must all be answered; raises the first
        AdminError that one of them came to. timeout: as in `ask_all`.
        """
        found: dict[str, Answer] = {}
        for name, answer in self.ask_all(questions, timeout=timeout, answered=answered).items():
            if isinstance(answer, LateError):
                raise AdminError(f"node {name}: {answer.what}", answer.hint)
            if isinstance(answer, AdminError):
                raise answer
            found[name] = answer
        return found


def shuffled(nodes: Iterable[str]) -> list[str]:
    """The same in an order of chance: it is not always the same ones that no time is left for."""
    names = list(nodes)
    return random.sample(names, len(names))


def time_for(questions: int, workers: int) -> float:
    """Seconds in which so many must have answered, so many at a time."""
    return ASK_TIMEOUT + ROUND_TIMEOUT * (questions // workers)


def withdraw(hosts: Hosts, *, wait: float) -> None:
    """Removes all pods of the operation, those of the next `wait` seconds, too, and sees them gone.

    It says which can't be removed, or are not gone after a while. Without `wait` everybody has taken their
    own pod away, and said so.
    """
    namespace = hosts.options.namespace
    clock = hosts.cluster.clock
    patiently = Retry(RETRY_TIMEOUT if wait else 0, clock=clock)
    began, asked = clock.monotonic(), set[str]()
    try:
        while True:
            left = patiently(lambda: [pod for pod in pods(hosts.cluster, namespace) if hosts.made(pod)])
            for pod in left:
                if pod.name not in asked:
                    asked.add(pod.name)
                    patiently(partial(delete_pod, hosts.cluster, pod))
            passed = clock.monotonic() - began
            if passed >= wait and (not left or passed >= wait + GONE_TIMEOUT):
                break
            clock.sleep(POLL_INTERVAL)
    except AdminError as error:
        if wait:
            hosts.say(
                f"debug pods of this run could not be removed ({error.what}): see «kubectl admin cleanup»"
            )
        return
    for pod in left:
        hosts.say(f"pod {namespace}/{pod.name} is being deleted, but its node has not ended it yet")
