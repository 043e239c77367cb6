"""Requests approved as they come, until somebody ends it."""

import time
from collections.abc import Callable
from typing import Never

from kubectl_admin.certificates.requests import gather
from kubectl_admin.certificates.requests.approve import (
    WATCH,
    Outcome,
    approve,
    await_issued,
    changes,
    current,
    may_be_approved,
)
from kubectl_admin.certificates.requests.facts import Request
from kubectl_admin.certificates.requests.nodes import Nodes
from kubectl_admin.certificates.requests.policy import Breach, Judged, Verdict, judge
from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap

ROUND = 60.0  # seconds after which all that is pending is judged anew: its node may have got its addresses
PAUSE = 3.0  # seconds before an API server that does not answer is asked again
RIGHTS = (*gather.RIGHTS, WATCH, Right("get", "nodes"))
Tell = Callable[[Judged, Outcome | None], None]


class Follower:
    """What has been told of the requests that are pending, so that nothing is told twice.

    tell: is given a request that was judged, with what became of it; None where it is left alone.
    say: is given a sentence on what can't be judged.
    """

    def __init__(self, cluster: Cluster, longest: int, tell: Tell, say: Callable[[str], None]) -> None:
        self._cluster, self._longest, self._tell, self._say = cluster, longest, tell, say
        self._gaps: tuple[Gap, ...] = ()
        self._told: dict[str, tuple[Verdict, tuple[Breach, ...]]] = {}

    def round(self) -> None:
        """Everything that is there now, and what comes within ROUND seconds."""
        nodes = gather.nodes(self._cluster)
        for gap in nodes.server.gaps:
            if gap not in self._gaps:
                self._say(f"{gap.what} is not judged: {gap.why}")
        self._gaps = nodes.server.gaps
        for request in changes(self._cluster, ROUND):
            if request.pending:
                self._look_at(request, nodes)
            else:
                self._told.pop(request.uid, None)

    def _look_at(self, request: Request, nodes: Nodes) -> None:
        judged = judge(request, nodes, self._longest)
        # A node that joins asks for its certificate moments after its object was made.
        judged = judge(request, current(self._cluster, nodes, judged.node), self._longest)
        if may_be_approved(judged, named=False):
            outcome = approve(self._cluster, judged, nodes, self._longest)
            self._tell(outcome.judged, await_issued(self._cluster, [outcome])[0])
        elif self._told.get(request.uid) != (judged.verdict, judged.breaches):
            self._told[request.uid] = judged.verdict, judged.breaches
            self._tell(judged, None)


def follow(cluster: Cluster, longest: int, tell: Tell, say: Callable[[str], None]) -> Never:
    """Approves what is valid as it comes, and tells of everything once; it ends only by being interrupted.

    longest: seconds that a certificate may last. say: is given a sentence where the server does not answer,
    and on what can't be judged. Raises AdminError where it refuses.
    """
    follower = Follower(cluster, longest, tell, say)
    silent = False
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
            time.sleep(PAUSE)
