"""The restored etcd, seen from all its members: the list, the data, alarms, and what is left in it."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.wait import looks
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import APISERVER
from kubectl_admin.control_plane.pod import settings_of
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import gather as members_gather
from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import Etcdctl
from kubectl_admin.etcd.members.facts import State, missing, titles_of
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.etcd.restore.keys import prefix_of
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.etcd.stored.kinds import root_of
from kubectl_admin.report.text import some_of

RIGHTS: tuple[Right, ...] = members_gather.RIGHTS
MASTERLEASES = "masterleases/"
MEMBERS_TIMEOUT = 60.0  # seconds in which all members must be up
MEMBERS_INTERVAL = 2.0  # seconds between two looks
# An API server's entry ends 15 s after its last renewal, which a restored etcd counts anew.
# Source: kubernetes/kubernetes pkg/controlplane/reconcilers, lease.go.
ENTRY_TIMEOUT = 30.0  # seconds
STATUS = "kubectl admin etcd-status"
Result = TypeVar("Result")
Gather = Callable[..., State]
Ask = Callable[[Cluster, Callable[[Etcdctl], Any]], Any]


def verify(
    cluster: Cluster, record: Record, restored: Collection[str], *, gather: Gather = members_gather.gather
) -> Done:
    """Sees all members up, in the list as planned, with equal data and without an alarm.

    restored: nodes that were seen restored; others are not waited for. Raises AdminError for what is not so.
    """
    away = sorted(set(record.nodes) - set(restored))
    problem = ""
    for _ in looks(0 if away else MEMBERS_TIMEOUT, MEMBERS_INTERVAL, clock=cluster.clock):
        state = gather(cluster, compare=True)
        problem = problem_of(state, record)
        if not problem:
            count = len(state.members)
            data = f" and equal data at revision {state.hashed}" if count > 1 else ""
            return Done(f"{count} members of etcd as planned, without an alarm{data}")
    hint = f"the restored node follows by itself when it is back: {', '.join(away)}; then run this again"
    raise AdminError(problem, hint if away else f"see {STATUS}")


def problem_of(state: State, record: Record) -> str:
    """What is not as planned, in words; "" where all was seen."""
    problems = (problem_of_members(state, record), problem_of_data(state))
    return next(filter(None, problems), "")


def problem_of_members(state: State, record: Record) -> str:
    """The same of the list of members, and of each that is in it."""
    if not state.answered or not state.listed:
        return "no member of etcd gives the list of members"
    listed = {one.listed.name: one.listed.peer_urls for one in state.members if one.listed}
    if listed != {name: (url,) for name, url in record.members.items()}:
        there = ", ".join(f"{name or '(never started)'} {' '.join(urls)}" for name, urls in listed.items())
        return f"the list of members is not as planned: {there}"
    silent = [f"{one.title} ({why})" for one in state.members if (why := missing(one))]
    return f"not up: {some_of(silent)}" if silent else ""


def problem_of_data(state: State) -> str:
    """The same of alarms, and of the members' data."""
    if state.unanswered:
        return "; ".join(f"{gap.what}: {gap.why}" for gap in state.unanswered)
    if state.alarms:
        return f"alarms are raised: {some_of([one.kind for one in state.alarms])}"
    if len(state.voters) > 1 and state.differing:
        return f"the data of members differ: {some_of([pod.node for pod in state.differing])}"
    if len(state.voters) > 1 and not state.compared:
        return f"the data of {titles_of(state.voters)} could not be compared: {state.unhashed or 'no hash'}"
    return ""


def delete_keys(
    cluster: Cluster, record: Record, restored: Collection[str], *, ask: Ask | None = None
) -> Done:
    """Deletes the keys of this restore, once all nodes were seen restored.

    One that follows, or that has only acknowledged the decision, still reads them: without them it would
    never start its API server. ask: as `ask_any`. Raises AdminError where one was not seen so, or they can't
    be deleted.
    """
    if away := sorted(set(record.nodes) - set(restored)):
        raise AdminError(
            f"the keys of the restore are kept in etcd: not seen restored: {', '.join(away)}",
            "it follows by itself when it is back; then run this again",
        )
    prefix = prefix_of(record.id)

    def delete(ctl: Etcdctl) -> bool:
        if ctl.keys(prefix):
            ctl.delete(prefix)
        return not ctl.keys(prefix)

    if not (ask or ask_any)(cluster, delete):
        raise AdminError(f"etcd still has keys below {prefix}", "run this again")
    return Done("the keys of the restore are gone from etcd")


def entries_of_nobody(cluster: Cluster, prefix: str = "/registry", *, ask: Ask | None = None) -> Done:
    """Names the addresses of API servers that etcd has and no node of the control plane.

    They lead requests to the Service kubernetes nowhere. prefix: kube-apiserver's --etcd-prefix. ask: as
    `ask_any`. Raises AdminError where they can't be read.
    """
    lost: list[str] = []
    for _ in looks(ENTRY_TIMEOUT, MEMBERS_INTERVAL, clock=cluster.clock):
        there = (ask or ask_any)(cluster, lambda ctl: ctl.keys(f"{root_of(prefix)}{MASTERLEASES}"))
        known = addresses(cluster)
        lost = [key for key in there if key.rpartition("/")[2] not in known]
        if not lost:
            return Done("the Service kubernetes leads to API servers of this control plane alone")
    return Done(
        "the Service kubernetes leads to addresses of nobody",
        (
            rules.APISERVER_LEASE_OF_NOBODY.warning(
                subject=f"addresses of API servers: {some_of([key.rpartition('/')[2] for key in lost])}",
                evidence="etcd has them as those of API servers, and no control-plane node has them",
                fix=f"unless an API server runs there, in an etcd pod: etcdctl del {lost[0]}",
                objects=lost,
            ),
        ),
    )


def addresses(cluster: Cluster) -> set[str]:
    """The addresses of the control plane, and those that its API servers advertise."""
    found = static_pods.find(cluster)
    advertised = {
        settings_of(pod, APISERVER).get("advertise-address", "")
        for pod in found.pods
        if static_pods.component_of(pod) == APISERVER
    }
    return {address for node in found.nodes for address in node.addresses} | advertised


def ask_any(cluster: Cluster, ask: Callable[[Etcdctl], Result]) -> Result:
    """The answer of the first member that gives one; raises the last one's AdminError."""
    able = (members_gather.etcdctl(cluster, pod) for pod in pods.find(cluster).members if pod.access)
    return members_gather.first_answer(able, ask)
