"""A drain's verdict on each pod: kubectl drain's own judgement, one filter a rule. Pure.

Source: kubernetes/kubectl pkg/drain/filters.go (1.36), which keeps only the last of several warnings.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kubectl_admin.drain.facts import Name, Pod

IGNORE_DAEMONSETS = "--ignore-daemonsets"
DELETE_EMPTYDIR_DATA = "--delete-emptydir-data"
FORCE = "--force"


class Action(StrEnum):
    """A pod's fate."""

    EVICT = "evict"
    DELETE = "delete"
    LEAVE = "leave"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Flags:
    """kubectl drain's flags of the same names, which decide about pods.

    grace_period: seconds given to each pod; None for what the pod itself says.
    skip_wait_for_delete_timeout: seconds; a pod whose grace ended longer ago is not waited for. 0: all are.
    own: labels of the debug pods of kubectl-admin, which stay whatever they look like.
    this_run: labels of those that the running command has created itself; none where it has none.
    """

    ignore_daemonsets: bool = False
    delete_emptydir_data: bool = False
    force: bool = False
    disable_eviction: bool = False
    grace_period: int | None = None
    skip_wait_for_delete_timeout: int = 0
    own: Mapping[str, str] | None = None
    this_run: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate of one pod, and why.

    why: a word or two for a table («DaemonSet», «no controller»). flag: it would allow a refused one.
    losses: sentences on all that is lost for good with such a pod.
    """

    pod: Pod
    action: Action
    why: str
    flag: str = ""
    losses: tuple[str, ...] = ()

    @property
    def leaves(self) -> bool:
        """Whether the pod is taken from the node."""
        return self.action in (Action.EVICT, Action.DELETE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A filter's word on a pod: that it stays or is refused, or (action None) what is lost with it."""

    action: Action | None = None
    why: str = ""
    flag: str = ""
    loss: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Facts for filters beside the pod: the flags, the DaemonSets that exist, the time."""

    flags: Flags
    daemonsets: frozenset[Name]
    now: datetime


def judge(pod: Pod, context: Context) -> Verdict:
    """The verdict on a pod. The first filter that keeps it decides."""
    losses = []
    for ask in FILTERS:
        answer = ask(pod, context)
        if answer is None:
            continue
        if answer.action is not None:
            return Verdict(pod, answer.action, answer.why, answer.flag)
        losses.append(answer.loss)
    if pod.finished:
        return Verdict(pod, Action.DELETE, "finished")
    action = Action.DELETE if context.flags.disable_eviction else Action.EVICT
    why = "terminating" if pod.deleted else pod.controller.kind if pod.controller else "no controller"
    return Verdict(pod, action, why, losses=tuple(losses))


def own(pod: Pod, context: Context) -> Answer | None:
    """Debug pods of kubectl-admin: the work on the node goes through one."""
    labels = context.flags.own
    if labels and labels.items() <= dict(pod.labels).items():
        this_run = context.flags.this_run
        is_mine = bool(this_run) and this_run.items() <= dict(pod.labels).items()
        return Answer(Action.LEAVE, "this run's own" if is_mine else "kubectl-admin")
    return None


def long_deleted(pod: Pod, context: Context) -> Answer | None:
    """Pods that should have ended long ago: the node does not answer, and waiting would be in vain."""
    if overdue(pod.deleted, context.now, context.flags.skip_wait_for_delete_timeout):
        return Answer(Action.LEAVE, "overdue")
    return None


def overdue(deleted: datetime | None, now: datetime, limit: int) -> bool:
    """Whether a pod's grace ended more than `limit` seconds ago; never for a limit of 0."""
    return limit > 0 and deleted is not None and int((now - deleted).total_seconds()) > limit


def daemonset(pod: Pod, context: Context) -> Answer | None:
    """Pods of a DaemonSet, which would be back at once. One whose DaemonSet is gone goes with --force."""
    if pod.controller is None or not pod.controller.daemonset or pod.finished:
        return None
    if (pod.namespace, pod.controller.name) not in context.daemonsets:
        if context.flags.force:
            return Answer(loss="their DaemonSet is gone: nothing recreates them")
        return Answer(Action.REFUSE, "DaemonSet gone", FORCE)
    if not context.flags.ignore_daemonsets:
        return Answer(Action.REFUSE, "DaemonSet", IGNORE_DAEMONSETS)
    return Answer(Action.LEAVE, "DaemonSet")


def mirror(pod: Pod, _context: Context) -> Answer | None:
    """Mirror pods: the kubelet runs them from a file, and the API server can't end them."""
    return Answer(Action.LEAVE, "static pod") if pod.mirror else None


def local_data(pod: Pod, context: Context) -> Answer | None:
    """Pods with an emptyDir, whose content goes with them."""
    if not pod.empty_dirs or pod.finished:
        return None
    if not context.flags.delete_emptydir_data:
        return Answer(Action.REFUSE, "emptyDir", DELETE_EMPTYDIR_DATA)
    return Answer(loss="the data in their emptyDir volumes")


def uncontrolled(pod: Pod, context: Context) -> Answer | None:
    """Pods without a controller, which nothing recreates."""
    if pod.controller is not None or pod.finished:
        return None
    if not context.flags.force:
        return Answer(Action.REFUSE, "no controller", FORCE)
    return Answer(loss="no controller: nothing recreates them")


FILTERS: tuple[Callable[[Pod, Context], Answer | None], ...] = (
    own,
    long_deleted,
    daemonset,
    mirror,
    local_data,
    uncontrolled,
)
