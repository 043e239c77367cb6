"""A request approved: judged once more as it is at that moment, and its certificate seen issued.

An approval replaces the whole object through its subresource, so that one which has changed in between is
a conflict. Source: kubernetes/kubernetes pkg/registry/certificates/certificates/strategy.go.
"""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography import x509

from kubectl_admin.certificates.requests.facts import Request, der, request_of
from kubectl_admin.certificates.requests.gather import GROUP, REQUESTS, state, with_node
from kubectl_admin.certificates.requests.nodes import Nodes
from kubectl_admin.certificates.requests.policy import LONGEST, Judged, Verdict, judge
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Conflict, Forbidden, Gone, NotFound, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.node.debug_pod import NAME

WATCH = Right("watch", "certificatesigningrequests", group=GROUP)
TRIES = 5
REASON = "KubectlAdminApprove"
ISSUING = 30.0  # seconds in which a signer must have issued it; it takes below one
TURN = 5.0  # seconds of one watch


@dataclass(frozen=True, slots=True)
class Issued:
    """The certificate that a signer has made. serial: hexadecimal. problem: what is wrong with it."""

    serial: str
    ends: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    judged: as it was at that moment. approved: whether it was just now. issued: None while there is no
    certificate. problem: why it was not approved or not issued, in a sentence; "" where it was.
    """

    judged: Judged
    approved: bool = False
    issued: Issued | None = None
    problem: str = ""


def approve(cluster: Cluster, judged: Judged, nodes: Nodes, longest: int = LONGEST) -> Outcome:
    """Approves a request if it is still such as it was judged; the outcome says what came in between.

    Raises AdminError where the user may not approve, or the server does not answer.
    """
    name = judged.request.name
    for attempt in range(TRIES):
        try:
            document = cluster.get(f"{REQUESTS}/{name}")
        except NotFound:
            return Outcome(judged, problem="it is gone")
        now = judge(request_of(document), current(cluster, nodes, judged.node), longest)
        if not now.request.pending:
            mine = (
                attempt > 0 and now.request.uid == judged.request.uid and now.request.why == message(judged)
            )
            return (
                Outcome(now, approved=True)
                if mine
                else Outcome(now, problem=f"meanwhile {state(now.request)}")
            )
        if (now.request.uid, now.verdict) != (judged.request.uid, judged.verdict):
            return Outcome(now, problem="it is no longer what was judged: look at it again")
        try:
            cluster.put(f"{REQUESTS}/{name}/approval", with_approval(document, message(judged)))
            return Outcome(now, approved=True)
        except (Conflict, Unreachable) as error:  # looked at once more: an answer may have been lost
            problem = error
        except Forbidden as error:
            raise may_not(error, now.request.signer) from error
    raise problem


def current(cluster: Cluster, nodes: Nodes, node: str) -> Nodes:
    """The nodes, the one in question as it is now."""
    return with_node(cluster, nodes, node) if NAME.fullmatch(node) else nodes


def with_approval(document: dict[str, Any], words: str) -> dict[str, Any]:
    """The object with the condition that approves it."""
    condition = {"type": "Approved", "status": "True", "reason": REASON, "message": words}
    status = document.get("status") or {}
    return {**document, "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]}}


def message(judged: Judged) -> str:
    """What stands in the object for whoever asks later why it was approved."""
    return f"checked by kubectl admin certs csr: a kubelet's own request, for node {judged.node}"


def may_not(error: Forbidden, signer: str) -> AdminError:
    """What is said where the user may not approve: the subresource takes a right, and the signer another.

    Source: kubernetes/kubernetes plugin/pkg/admission/certificates/approval.
    """
    if "signerName" not in error.message:
        return error
    return AdminError(
        f"the user may not approve signers.{GROUP} {signer}",
        "docs/permissions.md has the roles that it needs",
    )


def await_issued(
    cluster: Cluster,
    outcomes: Collection[Outcome],
    *,
    seconds: float = ISSUING,
    clock: Callable[[], float] = time.monotonic,
) -> list[Outcome]:
    """The outcomes with their certificates, as far as they come within so many seconds."""
    waiting = {each.judged.request.uid: each for each in outcomes if each.approved}
    done: dict[str, Outcome] = {}
    late = (
        f"no certificate within {seconds:.0f} s: does kube-controller-manager run, with the authority's key?"
    )
    end = clock() + seconds
    try:
        while waiting and (left := end - clock()) > 0:
            for request in changes(cluster, min(left, TURN)):
                if request.uid in waiting and (request.certificate or request.failed or request.denied):
                    done[request.uid] = with_certificate(waiting.pop(request.uid), request)
                if not waiting:
                    break
    except Forbidden:  # it is approved all the same
        late = f"whether it is issued can't be seen: the user may not {WATCH}"
    done |= {uid: replace(each, problem=late) for uid, each in waiting.items()}
    return [done.get(each.judged.request.uid, each) for each in outcomes]


def changes(cluster: Cluster, seconds: float) -> Iterator[Request]:
    """All requests as they are, and then as they change, for so many seconds; it may end earlier."""
    try:
        for event in cluster.watch(REQUESTS, timeout=seconds):
            if event.get("type") in ("ADDED", "MODIFIED"):
                yield request_of(event["object"])
    except (Unreachable, Gone):
        time.sleep(1)  # an API server that restarts


def with_certificate(outcome: Outcome, request: Request) -> Outcome:
    """The outcome with the certificate of a request, or with why there is none."""
    if not request.certificate:
        return replace(outcome, problem=f"its signer has refused it: {request.why or 'no reason is given'}")
    try:
        found = x509.load_pem_x509_certificate(request.certificate.encode())
    except ValueError as error:
        return replace(outcome, problem=f"what its signer has issued is no certificate: {error}")
    content = outcome.judged.request.content
    same = content is not None and der(found) == content.public_key
    problem = "" if same else "it is for another key than the one that was asked for"
    return replace(
        outcome,
        issued=Issued(f"{found.serial_number:x}", found.not_valid_after_utc, problem),
        problem=problem,
    )


def may_be_approved(judged: Judged, *, named: bool) -> bool:
    """Whether it is approved: what is valid, and what is doubtful only where a person has named it."""
    return judged.verdict is Verdict.VALID or (named and judged.verdict is Verdict.DOUBTFUL)
