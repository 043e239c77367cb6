"""A request approved: judged once more as it is at that moment, and its certificate seen issued.

An approval replaces the whole object through its subresource, so that one which has changed in between is
a conflict. Source: kubernetes/kubernetes pkg/registry/certificates/certificates/strategy.go.
"""

import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubectl_admin.certificates.requests.facts import Request, outline_of, request_of
from kubectl_admin.certificates.requests.gather import GROUP, REQUESTS, Census, state, with_node
from kubectl_admin.certificates.requests.issued import Issued, of_pem
from kubectl_admin.certificates.requests.nodes import Nodes
from kubectl_admin.certificates.requests.policy import MAX_DURATION, Judged, Verdict, judge
from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.access import ROLES, Right, may_not
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Conflict, Forbidden, Gone, NotFound
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import duration

WATCH = Right("watch", "certificatesigningrequests", group=GROUP)
APPROVE = Right("approve", "signers", group=GROUP)
TRIES = 5
REASON = "KubectlAdminApprove"
ISSUE_TIMEOUT = 30.0  # seconds in which a signer must have issued it; it takes below one
WATCH_TIMEOUT = 5.0  # seconds of one watch
RESTART_INTERVAL = 1.0  # seconds before a watch that an API server's restart has cut is begun again


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a request.

    judged: as it was at that moment. approved: whether it was just now. issued: None while there is no
    certificate. problem: why it was not approved or not issued, or is not what was judged, in a sentence;
    "" where it was. is_settled: whether nobody has to approve it any more: it is gone, or somebody else has
    decided about it.
    """

    judged: Judged
    approved: bool = False
    issued: Issued | None = None
    problem: str = ""
    is_settled: bool = False

    @property
    def differs(self) -> bool:
        """Whether the certificate is not what was judged."""
        return self.issued is not None and bool(self.issued.differences)


def approve_all(cluster: Cluster, chosen: Iterable[Judged], longest: int, outcomes: list[Outcome]) -> None:
    """Approves these one after another, and sees their certificates issued.

    outcomes: is given the outcome of each at once, so that they are known whatever ends this.
    Raises as `approve` does, once the certificates of those approved before have been seen issued.
    """
    census = Census(cluster)
    failure = None
    try:
        for one in chosen:
            outcomes.append(approve(cluster, one, census, longest))
    except AdminError as error:
        failure = error
    outcomes[:] = await_issued(cluster, outcomes)
    if failure:
        raise failure


def approve(cluster: Cluster, judged: Judged, census: Census, longest: int = MAX_DURATION) -> Outcome:
    """Approves a request if it is still such as it was judged; the outcome says what came in between.

    census: of the nodes as they are now, since another one may have got an address of this one since then.

    Raises AdminError where the user may not approve, or the server does not answer; a refusal that is about
    this one alone is in the outcome.
    """
    problem: AdminError
    name, words = judged.request.name, message(judged, secrets.token_hex(8))
    for _ in range(TRIES):
        try:
            document = cluster.get(f"{REQUESTS}/{name}")
        except NotFound:
            return Outcome(judged, problem="it no longer exists", is_settled=True)
        request = request_of(document)
        if words in said_of(document):  # by the approval before, whose answer was lost
            return Outcome(judged, approved=True)
        if not request.pending:
            return Outcome(judged, problem=f"somebody else was first: {state(request)}", is_settled=True)
        now = judge(request, current(cluster, census.nodes(), judged.node), longest)
        before = judged.request.uid, judged.verdict, judged.breaches
        if (request.uid, now.verdict, now.breaches) != before:
            return Outcome(now, problem="it has changed since it was judged: look at it again")
        try:
            cluster.put(f"{REQUESTS}/{name}/approval", with_approval(document, words))
            return Outcome(now, approved=True)
        except AdminError as error:
            problem = error
        if is_transient(problem) or isinstance(problem, Conflict):
            continue  # looked at once more: it has changed, or an answer may have been lost
        break
    if is_about_it(problem):
        return Outcome(judged, problem=problem.what)
    raise explained_refusal(problem, judged.request.signer)


def is_about_it(error: AdminError) -> bool:
    """Whether a refusal is about this one request, and says nothing of others.

    Source: apiserver pkg/admission/plugin/webhook/errors/statuserror.go, «denied the request»; policies say
    «denied request» (pkg/admission/plugin/policy/validating/dispatcher.go).
    """
    if not isinstance(error, ApiError):
        return False
    return error.status in (400, 409, 422) or re.search("denied (the )?request", error.message) is not None


def current(cluster: Cluster, nodes: Nodes, node: str) -> Nodes:
    """The nodes, the one in question as it is now."""
    return with_node(cluster, nodes, node) if node else nodes


def said_of(document: Mapping[str, Any]) -> list[str]:
    """The words of all that has been said of a request."""
    return [str(one.get("message")) for one in (document.get("status") or {}).get("conditions") or ()]


def with_approval(document: dict[str, Any], words: str) -> dict[str, Any]:
    """The object with the condition that approves it."""
    condition = {"type": "Approved", "status": "True", "reason": REASON, "message": words}
    status = document.get("status") or {}
    return {**document, "status": {**status, "conditions": [*(status.get("conditions") or ()), condition]}}


def message(judged: Judged, run: str) -> str:
    """The message in the object, for who asks later why it was approved.

    run: tells this approval from all others, so that one whose answer was lost is known again.
    """
    return f"checked by kubectl admin certs csr: a kubelet's own request, for node {judged.node} (run {run})"


def explained_refusal(error: AdminError, signer: str) -> AdminError:
    """The error where the user may not approve: the subresource takes a right, and the signer another.

    Any other error is returned as it is.
    Source: kubernetes/kubernetes plugin/pkg/admission/certificates/approval.
    """
    if not isinstance(error, Forbidden) or "signerName" not in error.message:
        return error
    return AdminError(may_not(error.user, f"{APPROVE} {signer}"), ROLES)


def await_issued(
    cluster: Cluster, outcomes: Collection[Outcome], *, seconds: float = ISSUE_TIMEOUT
) -> list[Outcome]:
    """The outcomes with their certificates, as far as they come within so many seconds.

    Raises no error of the API server: an approved request stays approved, and must be reported.
    """
    waiting = {each.judged.request.uid: each for each in outcomes if each.approved}
    done: dict[str, Outcome] = {}
    late = no_certificate(seconds)
    end = Deadline.after(seconds, cluster.clock)
    # One is watched by itself; of several, all are, rather than each with a watch of its own.
    name = next(iter(waiting.values())).judged.request.name if len(waiting) == 1 else ""
    try:
        while waiting and (left := end.left) > 0:
            for deleted, document in changes(cluster, min(left, WATCH_TIMEOUT), named(name)):
                uid = document["metadata"].get("uid")
                if uid not in waiting:
                    continue
                request = outline_of(document)
                if deleted or is_decided(request):
                    done[uid] = with_certificate(waiting.pop(uid), request)
                if not waiting:
                    break
    except Forbidden:
        late = f"can't see whether it is issued: the user may not {WATCH}"
    except AdminError as error:
        late = f"can't see whether it is issued: {error.what}"
    done |= {uid: replace(each, problem=late) for uid, each in waiting.items()}
    return [done.get(each.judged.request.uid, each) for each in outcomes]


def no_certificate(seconds: float) -> str:
    """The problem of a signer that has issued none within so many seconds."""
    return (
        f"no certificate was issued within {duration(seconds)}: does kube-controller-manager run, and have "
        "the authority's key?"
    )


def named(name: str) -> str:
    """The field selector of the request of this name; "" for all."""
    return f"metadata.name={name}" if name else ""


def changes(cluster: Cluster, seconds: float, fields: str = "") -> Iterator[tuple[bool, dict[str, Any]]]:
    """The objects of requests as they are, and then as they change, for so many seconds; it may end earlier.

    Each with whether it has just been deleted. fields: a field selector; "" for all of them. Nothing in them
    is taken apart.
    """
    query = [("fieldSelector", fields)] if fields else []
    try:
        for event in cluster.watch(REQUESTS, query, timeout=seconds):
            if event.get("type") in ("ADDED", "MODIFIED", "DELETED"):
                yield event["type"] == "DELETED", event["object"]
    except AdminError as error:
        if not is_transient(error) and not isinstance(error, Gone):
            raise
        cluster.clock.sleep(RESTART_INTERVAL)


def is_decided(request: Request) -> bool:
    """Whether a signer has done with a request that was approved."""
    return bool(request.certificate or request.failed or request.denied)


def with_certificate(outcome: Outcome, request: Request) -> Outcome:
    """The outcome with the certificate of a request, or with why there is none."""
    if not is_decided(request):
        return replace(outcome, problem="it was deleted before its certificate was seen")
    if not request.certificate:
        return replace(outcome, problem=f"its signer has refused it: {request.why or 'no reason is given'}")
    issued = of_pem(outcome.judged, request.certificate)
    return replace(outcome, issued=issued, problem="; ".join(issued.differences))


def may_be_approved(judged: Judged, *, named: bool) -> bool:
    """Whether to approve it: if it is valid, or if it is doubtful and a person has named it."""
    return judged.verdict is Verdict.VALID or (named and judged.verdict is Verdict.DOUBTFUL)
