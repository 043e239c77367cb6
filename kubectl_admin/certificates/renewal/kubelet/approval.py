"""Approves the request for a serving certificate that one kubelet makes, unless somebody else does."""

from collections.abc import Iterator

from kubectl_admin.certificates.renewable import SERVING
from kubectl_admin.certificates.renewal.work import Site
from kubectl_admin.certificates.requests import approve, gather
from kubectl_admin.certificates.requests.approve import WATCH, WATCH_TIMEOUT, Outcome
from kubectl_admin.certificates.requests.facts import SERVING as SIGNER
from kubectl_admin.certificates.requests.facts import Request, outline_of
from kubectl_admin.certificates.requests.issued import mismatch
from kubectl_admin.certificates.requests.policy import Judged, Verdict, judge
from kubectl_admin.cluster.access import Right, require
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError

RIGHTS = (
    *gather.RIGHTS,
    Right("get", "nodes"),
    Right("get", "certificatesigningrequests", group=gather.GROUP),
    WATCH,
    Right("update", "certificatesigningrequests/approval", group=gather.GROUP),
)


class Requests:
    """The cluster's requests for serving certificates. All of it raises AdminError where that can't be."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._census = gather.Census(cluster)

    def require_rights(self) -> None:
        """Raises AdminError that names what the user may not do of all that approving takes."""
        require(self._cluster, RIGHTS)

    def outlines(self) -> list[Request]:
        """All of them, the oldest first; their content is not read."""
        return list(gather.outlines(self._cluster, SIGNER))

    def changes(self) -> Iterator[Request]:
        """The same, and then those that come or change, for a few seconds."""
        selector = f"spec.signerName={SIGNER}"
        for deleted, document in approve.changes(self._cluster, WATCH_TIMEOUT, selector):
            if not deleted:
                yield outline_of(document)

    def judged(self, name: str) -> Judged:
        """The request of this name, as it is now, with what is to be done with it."""
        return judge(gather.request(self._cluster, name), self._census.nodes())

    def approve(self, judged: Judged) -> Outcome:
        """Approves a request that was judged."""
        return approve.approve(self._cluster, judged, self._census)

    def await_issued(self, outcome: Outcome) -> Outcome:
        """The outcome with the certificate, or with why there is none."""
        (outcome,) = approve.await_issued(self._cluster, [outcome])
        return outcome


class Approver:
    """Approves what one node's kubelet asks for next.

    mismatch: the error of a certificate that is not what was judged; kept for when the node is tidied up.
    """

    def __init__(self, requests: Requests, site: Site) -> None:
        self._requests, self._site = requests, site
        self._known = {request.uid for request in requests.outlines() if self._is_mine(request)}
        self.mismatch: AdminError | None = None

    def approve(self, seconds: float) -> str:
        """Approves the node's next request, unless somebody else does, as long as it comes in time.

        Returns why it was not approved; "" where it was.
        """
        for _ in self._site.poll(seconds):
            try:
                mine = self._next()
                if not mine:
                    continue
                if not mine.pending:
                    return ""
                judged = self._requests.judged(mine.name)
                if judged.request.pending and judged.verdict is not Verdict.VALID:
                    return f"its request {judged.request.name} is {judged.verdict}: " + "; ".join(
                        breach.evidence for breach in judged.breaches
                    )
                outcome = self._requests.approve(judged)
            except AdminError as error:
                if not is_transient(error):
                    return error.what
                continue
            if outcome.approved:
                self._site.tell(f"{SERVING}: request {judged.request.name} is valid, and was approved")
                return self._await_issued(outcome)
            self._site.tell(f"{SERVING}: request {judged.request.name} was not approved: {outcome.problem}")
        return "it has made no request"

    def _next(self) -> Request | None:
        """This node's next request, as soon as it is there; None where none came for a while."""
        new = (each for each in self._requests.changes() if each.uid not in self._known)
        return next(filter(self._is_mine, new), None)

    def _await_issued(self, outcome: Outcome) -> str:
        """Compares the certificate with what was judged; why it is not there, "" where it is."""
        outcome = self._requests.await_issued(outcome)
        if outcome.issued and outcome.differs:
            self.mismatch = mismatch(outcome.judged, outcome.issued)
        return outcome.problem

    def _is_mine(self, request: Request) -> bool:
        return request.username == f"system:node:{self._site.host.node}"
