"""Follows a restore that the control-plane nodes carry out by themselves, until its end is seen.

Nothing here takes part in it: whoever follows may be cut off or end at any moment, and the nodes come to the
same end. That the API answers proves nothing, since the former data may be back: the keys of the nodes do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import Etcdctl
from kubectl_admin.etcd.members.gather import etcdctl
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.etcd.restore.keys import Keys, majority, parse, prefix_of
from kubectl_admin.pool import ask_all
from kubectl_admin.report.text import duration

POLL_INTERVAL = 0.25  # seconds between two looks
ANSWER_TIMEOUT = 3.0  # seconds for an answer of an API server that is there
# Seconds for the answers of all members together: a kubelet that has just been started may answer nobody.
LOOK_TIMEOUT = 15.0
STATUS_HINT = (
    "the nodes come to an end by themselves, restored or as before; see how far each is: "
    "kubectl admin etcd-restore --status"
)


class End(StrEnum):
    """How a restore has ended."""

    RESTORED = "restored"
    AS_BEFORE = "asBefore"


class NeverBegunError(AdminError):
    """The word to begin was not given, and never will be."""

    def __init__(self) -> None:
        super().__init__("the word to begin was not given, so nothing was changed", "run the command again")


@dataclass(frozen=True, slots=True)
class Followed:
    """The end of a restore.

    without_api: seconds from the last answer of the API before to the first after, the longest such time.
    """

    end: End
    keys: Keys
    without_api: float


def read_keys(
    cluster: Cluster, operation: str, *, etcdctl: Callable[[Cluster, EtcdPod], Etcdctl] = etcdctl
) -> Keys:
    """The keys of a restore from any member that gives them, which takes a quorum.

    Raises AdminError where none does.
    """
    members = [pod for pod in pods.find(cluster).members if pod.access]
    prefix = prefix_of(operation)
    questions = {pod: partial(etcdctl(cluster, pod).keys, prefix) for pod in members}
    problem = AdminError("no static pod of etcd was found")
    for answer in ask_all(questions, deadline=LOOK_TIMEOUT).values():
        if not isinstance(answer, AdminError):
            return parse(answer, operation)
        problem = answer
    raise problem


def follow(  # noqa: PLR0913 - what is followed, how long, and by what
    cluster: Cluster,
    operation: str,
    nodes: Sequence[str],
    *,
    timeout: float,
    say: Callable[[str], None],
    unread: Callable[[], bool] = lambda: True,
    read: Callable[[Cluster, str], Keys] = read_keys,
    is_forbidden: Callable[[], bool] = lambda: False,
) -> Followed:
    """Waits until a majority of the nodes is on one side for good.

    cluster: one that does not try again by itself. operation: id of the restore. timeout: seconds.
    unread: is called where the API answers and no member gives its keys, until it says that it has done all
    that it can about that. read: as `read_keys`. is_forbidden: asked as long as no node has begun: whether
    none ever will, as it was not known whether they have the word. Raises NeverBegunError then, and
    AdminError where neither side is seen in that time.
    """
    clock = cluster.clock
    answered, silent, longest = clock.monotonic(), False, 0.0
    told = why = ""
    helped = False
    for _ in looks(timeout, POLL_INTERVAL, clock=clock):
        if not is_serving(cluster):
            if not silent:
                say("the API does not answer: the control-plane nodes have stopped it")
            silent = True
            continue
        if silent:
            silent, gap = False, clock.monotonic() - answered
            longest = max(longest, gap)
            say(f"the API answers again after {gap:.1f} s")
        try:
            keys, why = read(cluster, operation), ""
        except AdminError as error:
            why = f": {error.what}"
            helped = helped or unread()
            continue
        finally:
            answered = clock.monotonic()
        if (words := in_words(keys, nodes)) != told:
            say(told := words)
        if keys.are_restored(nodes):
            return Followed(End.RESTORED, keys, longest)
        if keys.are_as_before(nodes):
            return Followed(End.AS_BEFORE, keys, longest)
        if keys == Keys() and is_forbidden():
            raise NeverBegunError
    raise AdminError(f"the end of the restore was not seen within {duration(timeout)}{why}", STATUS_HINT)


def is_serving(cluster: Cluster) -> bool:
    """Whether an API server answers that it is ready. A look may fail in any way: the next one may not."""
    try:
        cluster.get_text("/readyz", timeout=ANSWER_TIMEOUT)
    except AdminError:
        return False
    return True


def in_words(keys: Keys, nodes: Sequence[str]) -> str:
    """How far it is, in a sentence."""
    need = majority(nodes)
    if keys.acknowledged:
        return f"restored: {named(keys.acknowledged)} of {len(nodes)} (needed: {need})"
    if keys.back:
        return f"back at the former data: {named(keys.back)} of {len(nodes)} (needed: {need})"
    if keys.here or keys.decided:
        return f"the restored etcd runs: {named(keys.here)} of {len(nodes)} (needed: {need})"
    if keys.going:
        return f"about to begin: {named(keys.going)} of {len(nodes)}"
    return "no node has begun yet"


def named(nodes: frozenset[str]) -> str:
    """Nodes in the order of their names; «none»."""
    return ", ".join(sorted(nodes)) or "none"
