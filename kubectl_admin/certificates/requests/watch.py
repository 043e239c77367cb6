"""Requests approved as they come, until somebody ends it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Never

from kubectl_admin.certificates.requests import gather
from kubectl_admin.certificates.requests.approve import (
    ISSUE_TIMEOUT,
    WATCH,
    Outcome,
    approve,
    changes,
    current,
    is_decided,
    may_be_approved,
    no_certificate,
    with_certificate,
)
from kubectl_admin.certificates.requests.facts import Request, outline_of, taken_apart
from kubectl_admin.certificates.requests.issued import mismatch
from kubectl_admin.certificates.requests.nodes import Nodes
from kubectl_admin.certificates.requests.policy import FEW, Breach, Judged, Verdict, is_nodes_own, judge
from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.report.text import duration

# Seconds after which all pending requests are judged again: a node may have got its addresses.
ROUND_INTERVAL = 60.0
RETRY_INTERVAL = 3.0  # seconds before an API server that does not answer is asked again
RIGHTS = (*gather.RIGHTS, WATCH, Right("get", "nodes"))
Tell = Callable[[Judged, Outcome | None], None]


@dataclass(frozen=True, slots=True)
class Reported:
    """A report on a request. version: its resourceVersion. basis: as in `basis_of`."""

    version: str
    verdict: Verdict
    breaches: tuple[Breach, ...]
    node: str
    basis: object

    def is_so(self, request: Request, nodes: Nodes) -> bool:
        """Whether it would be judged the same again."""
        same = self.version == request.version
        return same and self.basis == basis_of(self.verdict, nodes, self.node)


def basis_of(verdict: Verdict, nodes: Nodes, node: str) -> object:
    """The facts of nodes that a verdict rests on; a doubtful one on those of all nodes."""
    if verdict is Verdict.NOT_JUDGED:
        return None
    return (nodes.get(node), nodes.server) if verdict is Verdict.REFUSED else nodes


@dataclass(frozen=True, slots=True)
class Calls:
    """A Follower's calls to the cluster.

    nodes: reads all nodes. refresh: reads one of them again. changes: watches requests for some seconds.
    parse: takes a request apart, which costs the most.
    """

    nodes: Callable[[Cluster], Nodes] = gather.nodes
    refresh: Callable[[Cluster, Nodes, str], Nodes] = current
    approve: Callable[[Cluster, Judged, gather.Census, int], Outcome] = approve
    changes: Callable[[Cluster, float], Iterable[tuple[bool, dict[str, Any]]]] = changes
    parse: Callable[[Request], Request] = taken_apart


class Follower:
    """The reports on pending requests, so that nothing is reported twice.

    tell: is given a request that was judged, with its outcome; None where it is left alone.
    say: is given a sentence on what can't be judged.
    """

    def __init__(
        self,
        cluster: Cluster,
        longest: int,
        tell: Tell,
        say: Callable[[str], None],
        calls: Calls = Calls(),
    ) -> None:
        self._cluster, self._longest, self._tell, self._say = cluster, longest, tell, say
        self._calls = calls
        self._census = gather.Census(cluster)
        self._gaps: tuple[Gap, ...] = ()
        self._nodes = Nodes()
        self._reported: dict[str, Reported] = {}
        # The requests of each node that were taken apart in this round, and the nodes of which more has come.
        self._looked = Counter[str]()
        self._many: set[str] = set()
        # Approved and not issued yet, by UID, each with when it is late: the one watch tells of them, too.
        self._waiting: dict[str, tuple[Outcome, Deadline]] = {}

    def round(self) -> None:
        """All requests that are there now, and those that come within ROUND_INTERVAL seconds.

        Raises AdminError, besides the server's errors, for a certificate that is not what was judged.
        """
        nodes = self._calls.nodes(self._cluster)
        for gap in nodes.server.gaps:
            if gap not in self._gaps:
                self._say(f"{gap.what} is not judged: {gap.why}")
        self._gaps = nodes.server.gaps
        # Kept where nothing has changed: the very same is quickly compared, thousands of nodes or not.
        self._nodes = self._nodes if self._nodes == nodes else nodes
        self._looked.clear()
        for deleted, document in self._calls.changes(self._cluster, ROUND_INTERVAL):
            request = outline_of(document)
            if request.uid in self._waiting:
                if deleted or is_decided(request):
                    self._finish(request.uid, with_certificate(self._waiting[request.uid][0], request))
            elif request.pending and not deleted:
                self._look_at(request)
            else:
                self._reported.pop(request.uid, None)
            self._give_up()
        self._give_up()

    def give_up_all(self) -> None:
        """Tells of what has been approved and not been seen issued."""
        for uid, (outcome, _) in list(self._waiting.items()):
            self._finish(uid, replace(outcome, problem="the run ended before its certificate was issued"))

    def _look_at(self, outline: Request) -> None:
        before = self._reported.get(outline.uid)
        if (before and before.is_so(outline, self._nodes)) or self._is_too_many(outline):
            return
        request = self._calls.parse(outline)
        judged = judge(request, self._nodes, self._longest)
        # A node that joins asks for its certificate moments after its object was made.
        nodes = self._calls.refresh(self._cluster, self._nodes, judged.node)
        judged = judge(request, nodes, self._longest)
        if may_be_approved(judged, named=False):
            outcome = self._calls.approve(self._cluster, judged, self._census, self._longest)
            # It may be about another request of that name, which has taken its place.
            if outcome.approved:
                self._waiting[request.uid] = outcome, Deadline.after(ISSUE_TIMEOUT, self._cluster.clock)
            else:
                self._finish(request.uid, outcome)
            return
        basis = basis_of(judged.verdict, nodes, judged.node)
        self._reported[request.uid] = Reported(
            request.version, judged.verdict, judged.breaches, judged.node, basis
        )
        if not before or (before.verdict, before.breaches) != (judged.verdict, judged.breaches):
            self._tell(judged, None)

    def _is_too_many(self, request: Request) -> bool:
        """Whether a request is left to another round, since its node has had its share of this one."""
        if not is_nodes_own(request):
            return False
        user = request.username
        self._looked[user] += 1
        if self._looked[user] <= FEW:
            return False
        if user not in self._many:
            self._many.add(user)
            self._say(
                f"{user} has more than {FEW} pending requests: {FEW} are judged "
                f"every {duration(ROUND_INTERVAL)}"
            )
        return True

    def _finish(self, uid: str, outcome: Outcome) -> None:
        """Tells what has become of the request `uid`; raises where its certificate is not what was judged."""
        self._waiting.pop(uid, None)
        try:
            self._tell(outcome.judged, outcome)
        finally:
            # Whether anybody reads what is shown or not: this goes before.
            if outcome.issued and outcome.differs:
                raise mismatch(outcome.judged, outcome.issued)

    def _give_up(self) -> None:
        """Tells of those whose certificates are late."""
        for uid, (outcome, late) in list(self._waiting.items()):
            if late.left < 0:
                self._finish(uid, replace(outcome, problem=no_certificate(ISSUE_TIMEOUT)))


def follow(cluster: Cluster, longest: int, tell: Tell, say: Callable[[str], None]) -> Never:
    """Approves valid requests as they come, and reports each once; it ends only by being interrupted.

    longest: seconds that a certificate may last. say: is given a sentence where the server does not answer,
    and on what can't be judged. Raises AdminError where it refuses, and at once for a certificate that is not
    what was judged.
    """
    follower = Follower(cluster, longest, tell, say)
    silent = False
    try:
        while True:
            try:
                with explained(cluster, RIGHTS):
                    follower.round()
                silent = False
            except AdminError as error:
                if not is_transient(error):
                    raise
                if not silent:
                    say(f"{error.what}; trying again")
                silent = True
                cluster.clock.sleep(RETRY_INTERVAL)
    finally:
        follower.give_up_all()
