"""The rights of a user, asked of the API server itself, so that all missing ones are said at once.

Source: SelfSubjectAccessReview of authorization.k8s.io/v1, which every authenticated user may create
(ClusterRole system:basic-user).
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from kubectl_admin.cluster.errors import Forbidden, NothingSent, Unreachable, UnsettledError
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.pool import LateError, ask_all

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ROLES = "docs/permissions.md has the roles that each verb needs"  # the hint of what a user may not do
REVIEW_TIMEOUT = 10.0  # seconds for all answers


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a resource («pods», «pods/exec»). namespace: "" for what belongs to none."""

    verb: str
    resource: str
    namespace: str = ""
    group: str = ""

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{self.verb} {resource}" + (f" in namespace {self.namespace}" if self.namespace else "")


def together(rights: Iterable[Right]) -> str:
    """Rights in a few words, grouped by resource: «get and list nodes; create pods/exec in namespace x».

    A right in one namespace is left out beside the same right in all namespaces.
    """
    named = dict.fromkeys(rights)
    groups: dict[str, list[str]] = {}
    for right in named:
        if not right.namespace or replace(right, namespace="") not in named:
            groups.setdefault(str(right).removeprefix(f"{right.verb} "), []).append(right.verb)
    return "; ".join(f"{enumerated(verbs)} {resource}" for resource, verbs in groups.items())


def enumerated(words: Sequence[str]) -> str:
    """«create», «create and get», «create, get and list»."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def require(cluster: "Cluster", rights: Iterable[Right]) -> None:
    """Raises AdminError, naming all of these rights that are missing: for what must not stop half-way.

    Raises Unreachable where that can't be known, since nobody answers, or an API server that is not ready: it
    knows no roles yet.
    """
    wanted = list(rights)
    if lacking := cluster.patiently(lambda: certainly_missing(cluster, wanted)):
        raise lacks(user(cluster), lacking)


@contextmanager
def explained(cluster: "Cluster", rights: Iterable[Right]) -> Iterator[None]:
    """Inside, a refusal for want of a right is an AdminError naming all of these that are missing."""
    try:
        yield
    except Forbidden as error:
        lacking = missing(cluster, rights)
        if not lacking:
            raise
        raise lacks(error.user, lacking) from error


def attributed(
    cluster: "Cluster", answers: Mapping[Key, Answer | AdminError], rights: Iterable[Right]
) -> dict[Key, Answer | AdminError]:
    """The answers of many nodes, in which a Forbidden says that one of these rights is missing.

    An API server hands on what a kubelet or a process answers, a refusal included: where the user has the
    rights, or the server does not say, it is an AdminError like any other of that node, and of no other.
    """
    refused = any(isinstance(answer, Forbidden) for answer in answers.values())
    if not refused or missing(cluster, rights):
        return dict(answers)
    return {
        key: AdminError(answer.what, answer.hint) if isinstance(answer, Forbidden) else answer
        for key, answer in answers.items()
    }


def lacks(user: str, rights: Iterable[Right]) -> AdminError:
    """The error that names rights that a user lacks."""
    return AdminError(may_not(user, together(rights)), ROLES)


def may_not(user: str, rights: str) -> str:
    """«user "jane" may not list nodes». user: "" where the API server, in its refusal, has named none."""
    return f'user "{user}" may not {rights}' if user else f"this user may not {rights}"


def user(cluster: "Cluster") -> str:
    """The name by which the API server knows the user; «?» where it does not tell (before 1.28)."""
    try:
        status = cluster.review(SELF, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
        return str(status["status"]["userInfo"]["username"])
    except (AdminError, KeyError, TypeError):
        return "?"


def missing(cluster: "Cluster", rights: Iterable[Right]) -> list[Right]:
    """Those of the rights that the user does not have; one without an answer is not counted."""
    return [right for right, granted in ask(cluster, rights).items() if granted is False]


def certainly_missing(cluster: "Cluster", rights: Sequence[Right]) -> list[Right]:
    """The same, and Unreachable is raised where that can't be known for now."""
    answers = ask(cluster, rights)
    for answer in answers.values():
        if isinstance(answer, LateError):
            raise Unreachable(f"Unable to connect to the server: {cluster.server} answers too slowly")
        if isinstance(answer, AdminError) and is_transient(answer):
            raise answer
    lacking = [right for right, granted in answers.items() if granted is False]
    ready = cluster.is_ready() if lacking else True
    if ready is False:
        raise NothingSent(f"the API server {cluster.server} is not ready, and knows no roles")
    if ready is None:
        error = lacks(user(cluster), lacking)
        raise UnsettledError(error.what, error.hint)
    return lacking


def ask(cluster: "Cluster", rights: Iterable[Right]) -> dict[Right, bool | AdminError]:
    """Whether the user has each of the rights, or why that is not known."""
    return ask_all({right: partial(is_granted, cluster, right) for right in rights}, deadline=REVIEW_TIMEOUT)


def is_granted(cluster: "Cluster", right: Right) -> bool:
    """Whether the user has the right, by the API server's own word; AdminError where it says nothing."""
    resource, _, subresource = right.resource.partition("/")
    asked = {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    status = cluster.review(REVIEWS, review, timeout=REVIEW_TIMEOUT).get("status")
    if not isinstance(status, dict):
        raise AdminError(f"the server has not said whether the user may {right}")
    return status.get("allowed") is True
