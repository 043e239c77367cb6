"""The API server's answers to evictions, read. Pure.

Sources: kubernetes 1.36 pkg/registry/core/pod/storage/eviction.go; for what webhooks and policies refuse
apiserver pkg/admission/plugin/webhook/errors and pkg/admission/plugin/policy/validating; for 429 without a
budget apiserver pkg/server/filters.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubectl_admin.cluster.errors import ApiError, Conflict, Forbidden, NotFound, Unreachable
from kubectl_admin.errors import AdminError

BUDGET = "DisruptionBudget"  # the cause of a refusal that a budget is the reason for
NAMESPACE_ENDS = "NamespaceTerminating"
PRECONDITION = "UID in"
SEVERAL = "more than one PodDisruptionBudget"
ADMISSION = re.compile(r"admission webhook \"|failed calling webhook \"|ValidatingAdmissionPolicy '")


class Kind(StrEnum):
    """The result of an eviction."""

    ACCEPTED = "accepted"
    GONE = "gone"  # there is no such pod any more, or another one of that name
    BUDGET = "budget"
    SEVERAL_BUDGETS = "several budgets"
    WEBHOOK = "webhook"
    NAMESPACE = "namespace is terminating"
    BUSY = "busy"  # the API server, not a budget, wants to be left alone
    UNREACHABLE = "unreachable"
    FAILED = "failed"  # the server could not do it this time
    FORBIDDEN = "forbidden"  # it never will


@dataclass(frozen=True, slots=True)
class Answer:
    """The meaning of one answer.

    says: why not, for a person. after: seconds that the server asks to wait; None where it does not.
    """

    kind: Kind
    says: str = ""
    after: float | None = None

    @property
    def final(self) -> bool:
        """Whether asking again is of no use."""
        return self.kind in (Kind.ACCEPTED, Kind.GONE, Kind.FORBIDDEN)


# Seconds until an eviction is asked for again, and by how much that grows to at most the last.
# A budget's change is watched, so for budgets this is only the case that the watch misses it.
PAUSES: Mapping[Kind, tuple[float, float]] = {
    Kind.BUDGET: (5.0, 15.0),
    Kind.SEVERAL_BUDGETS: (5.0, 15.0),
    Kind.WEBHOOK: (1.0, 10.0),
    Kind.NAMESPACE: (2.0, 10.0),
    Kind.BUSY: (1.0, 15.0),
    Kind.UNREACHABLE: (0.5, 3.0),
    Kind.FAILED: (1.0, 10.0),
}


def pause(answer: Answer, tries: int) -> float:
    """Seconds until the next try. tries: how many there were with an answer of this kind."""
    first, longest = PAUSES[answer.kind]
    backoff = min(first * 1.5 ** (tries - 1), longest)
    # A budget's refusal carries «try again after 0 or 10 s», whatever the budget is like.
    return max(backoff, answer.after or 0.0) if answer.kind is not Kind.BUDGET else backoff


def meaning(error: AdminError | None) -> Answer:
    """An eviction's answer, read; None is the good one."""
    match error:
        case None:
            return Answer(Kind.ACCEPTED)
        case NotFound():
            return Answer(Kind.GONE)
        case Conflict() if PRECONDITION in error.message:
            return Answer(Kind.GONE)  # the name has passed to another pod
        case Unreachable():
            return Answer(Kind.UNREACHABLE, error.what)
        case ApiError():
            return refused(error)
    return Answer(Kind.FORBIDDEN, error.what)


def refused(error: ApiError) -> Answer:
    """The meaning of a refusal: of the first rule that applies."""
    causes = causes_of(error)
    rules = (
        (BUDGET in causes, Kind.BUDGET),
        (NAMESPACE_ENDS in causes, Kind.NAMESPACE),
        (ADMISSION.search(error.message) is not None, Kind.WEBHOOK),
        (SEVERAL in error.message, Kind.SEVERAL_BUDGETS),
        (error.status == 429, Kind.BUSY),
        (error.status >= 500 or isinstance(error, Conflict), Kind.FAILED),
        # Not for want of a permission: a budget whose numbers are off, or an admission plugin of the server.
        (isinstance(error, Forbidden) and not error.verb, Kind.FAILED),
    )
    for applies, kind in rules:
        if applies:
            return Answer(kind, causes.get(BUDGET) or error.message, error.retry_after)
    return Answer(Kind.FORBIDDEN, error.what)


def causes_of(error: ApiError) -> dict[str, str]:
    """The causes in a refusal's details, with what each says."""
    causes: Any = error.details.get("causes") or ()
    return {str(cause.get("reason")): str(cause.get("message") or "") for cause in causes}
