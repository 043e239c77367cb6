"""Asks what no forwarded port leads to, through a debug pod on the node: for `--host` alone.

A node without any pod in its network is asked through the debug pod as through any other. A component that is
bound to another address than the loopback is asked at that address from the node's host: a command there
carries the bytes, and TLS and HTTP are spoken here, as over a forwarded port. The address is what a pod's
flags say: only one that is an IP address is taken, and goes to the command as an argument, which connects to
none that its host does not have. So nobody's flags lead elsewhere, and no machine is taken for another.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from kubectl_admin.cluster.exec import Exec
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.cluster.relayed import Relayed
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking import silence
from kubectl_admin.health.asking.ask import COLLECTING, GRACE, Asked, Asker, Looked, Looks, Then, heard_of
from kubectl_admin.health.asking.exchange import Heard
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.asking.questions import Question, ip_of, is_for_host
from kubectl_admin.health.facts import NoReply, Process, Why
from kubectl_admin.node.host import Host
from kubectl_admin.node.kept_hosts import KeptHosts
from kubectl_admin.node.script import Script
from kubectl_admin.pool import ask_all

RELAY = Script("health", "relay")


class HostAsker(Asker):
    """Asks one node through a debug pod, which is made when it is first needed. asker: of its cluster."""

    def __init__(self, asker: Asker, hosts: KeptHosts, node: str) -> None:
        self.cluster, self.patience, self.exchange = asker.cluster, asker.patience, asker.exchange
        self._hosts = hosts
        self._node = node

    def can_ask(self, question: Question) -> bool:
        """Whether a forwarded port leads there, or a connection from the host."""
        return question.endpoint.is_on_loopback or is_for_host(question)

    def look(
        self, ways: Sequence[str], questions: Sequence[Question], then: Then = lambda *_: None
    ) -> Looked:
        """Asks all the questions; where there are no ways, the debug pod is one."""
        try:
            host = self._hosts.host(self._node, self.patience.left - COLLECTING)
        except AdminError as error:
            return NoReply(Why.NO_WAY, error.what[: silence.SAID]), {}
        way = way_of(host)
        heard: dict[Question, Heard] = {}
        if near := [one for one in questions if one.endpoint.is_on_loopback]:
            led, heard = super().look(ways or [way], near, then)
            if isinstance(led, NoReply):
                # The right that is missing is one of the debug pod's namespace, and not of kube-system.
                elsewhere = led.why is Why.FORBIDDEN and "/" in way
                return replace(led, why=Why.NO_WAY) if elsewhere else led, heard
        if far := [one for one in questions if not one.endpoint.is_on_loopback]:
            asking = {one: partial(self._from_host, host, one) for one in far}
            found = ask_all(asking, deadline=self.patience.left + GRACE / 2, workers=len(asking))
            heard |= {question: heard_of(question, answer) for question, answer in found.items()}
        return way, heard

    def _from_host(self, host: Host, question: Question) -> Heard:
        """Asks one question at its address."""
        address, port = str(ip_of(question.endpoint)), question.endpoint.port
        start = partial(_start, host, RELAY.command([address, str(port)]), self.patience.left)
        try:
            relayed = Relayed(start, f"port {port} of {address}, from node {host.node}")
        except AdminError as error:
            heard = Heard()
            heard.give_up(question.paths, NoReply(Why.ELSEWHERE, silence.not_from_host(error.what)))
            return heard
        with relayed:
            relayed.wait_until_started(self.patience.left)
            return self.exchange.ask(None, {question: relayed.port}, question)


def _start(host: Host, command: Sequence[str], seconds: float, pieces: Iterable[bytes]) -> Exec:
    return host.start(command, stdin=pieces, timeout=seconds)


class FromHosts:
    """Which nodes are asked through debug pods, and for which components. hosts: None for none."""

    def __init__(self, asker: Asker, listed: Listed, hosts: KeptHosts | None) -> None:
        self._asker = asker
        # Where no pods are known, nobody knows either which nodes have none.
        self._hosts = None if listed.pods is None else hosts
        self._listed = listed

    def looks(self, node: str) -> Looks:
        """The looks at a node: through its debug pod if no other pod leads there."""
        plans, ways = self._listed.plans.get(node, ()), self._listed.ways.get(node, ())
        asker = HostAsker(self._asker, self._hosts, node) if self._hosts and not ways else self._asker
        return Looks(asker, ways, plans)

    def further(self, node: str) -> Looks | None:
        """The looks at what is bound elsewhere on a node that other pods lead to; None for nothing."""
        plans = [
            replace(plan, questions=there)
            for plan in self._listed.plans.get(node, ())
            if (there := tuple(filter(is_for_host, plan.questions)))
        ]
        if not plans or not self._hosts or not self._listed.ways.get(node):
            return None
        return Looks(HostAsker(self._asker, self._hosts, node), (), plans)

    def again(self, asker: Asker, asked: Mapping[str, Asked]) -> Callable[[str], Asker]:
        """Who asks a node of a name at a later look. asker: of that look. asked: the answers of the first."""

        def on(node: str) -> Asker:
            host = asked[node].host
            is_open = host and isinstance(host, str)
            return HostAsker(asker, self._hosts, node) if self._hosts and is_open else asker

        return on

    def together(self, node: str, asked: Asked, further: Asked | None) -> Asked:
        """All the looks at a node as one."""
        if further is None:
            through = self._hosts and not self._listed.ways.get(node)
            return replace(asked, host=asked.way) if through else asked
        found = {process.component: process for process in further.processes}
        processes = (
            _joined(process, found[process.component], further.way) if process.component in found else process
            for process in asked.processes
        )
        return replace(asked, processes=tuple(processes), host=further.way)


def _joined(process: Process, there: Process, way: str | NoReply) -> Process:
    """A component with what it has answered at another address."""
    if not isinstance(way, NoReply):
        return replace(
            process,
            replies={**process.replies, **there.replies},
            metrics=process.metrics if there.metrics is None else there.metrics,
            certificate=there.certificate or process.certificate,
        )
    unseen = NoReply(Why.ELSEWHERE, silence.not_from_host(way.said))
    replies = {path: unseen if is_elsewhere(one) else one for path, one in process.replies.items()}
    return replace(
        process, replies=replies, metrics=unseen if is_elsewhere(process.metrics) else process.metrics
    )


def is_elsewhere(reply: object) -> bool:
    """Whether an answer is missing since a component is bound elsewhere."""
    return isinstance(reply, NoReply) and reply.why is Why.ELSEWHERE


def way_of(host: Host) -> str:
    """A debug pod as ways are written."""
    namespace, name = host.pod
    return name if namespace == KUBE_SYSTEM else f"{namespace}/{name}"
