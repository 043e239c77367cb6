"""Asks every member of a cluster's etcd how it is, with etcdctl in the member's own pod.

No privileged pod and no shell: etcd's image has etcdctl, and the pod has the certificates. Where a pod does
not answer, other members are asked whether they reach the one in it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Forbidden, Unreachable
from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane import static_pods
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import hashes, pods
from kubectl_admin.etcd.members.etcdctl import HASH_TIMEOUT, Etcdctl, EtcdctlError, Status
from kubectl_admin.etcd.members.facts import Member, State, missing
from kubectl_admin.etcd.members.match import matched, with_alarms
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all

# The rights that it needs: a WebSocket begins as a GET, and since 1.35 servers ask for `create` as well.
RIGHTS = (
    *static_pods.RIGHTS,
    *(Right(verb, "pods/exec", KUBE_SYSTEM) for verb in ("create", "get")),
)
ETCDCTL_TIMEOUT = 10.0  # seconds for a run of etcdctl, which gives up before by itself
LOST = (
    "if the server is the right one, etcd may have lost its quorum, without which it answers nothing; "
    "on the control-plane nodes: crictl ps --all --name etcd"
)
NETWORK_TIMEOUT = 3.0  # seconds for an answer over the network; etcdctl waits so long if none comes
ALL_MEMBERS_TIMEOUT = 45.0  # seconds for the answers of all members together
ANSWER_LIMIT = 1 << 20  # bytes of what etcdctl writes

Answer = TypeVar("Answer")
Answered = Callable[[int], None]


def gather(cluster: Cluster, *, compare: bool | None = None, answered: Answered | None = None) -> State:
    """The state of a cluster's etcd.

    compare: whether to compare the members' data by their hashes; None: only where it is done in a moment.
    answered: called after each member's answer with the number of members, for progress.

    A member that does not answer is a Member with a problem. Raises AdminError where the API server can't be
    reached, where pods may not be listed, or where nothing may be run in them.
    """
    with explained(cluster, RIGHTS):
        etcd = find(cluster)
        talkers = {pod: etcdctl(cluster, pod) for pod in etcd.members if pod.access}
        answers = ask_all(
            {pod: ctl.status for pod, ctl in talkers.items()}, deadline=ALL_MEMBERS_TIMEOUT, answered=answered
        )
        for answer in answers.values():
            if isinstance(answer, Forbidden):
                raise answer
    statuses = {pod: answer for pod, answer in answers.items() if isinstance(answer, Status)}
    problems = {pod: flags_in_file(pod) for pod in etcd.members if pod not in talkers}
    problems |= {pod: why(answer) for pod, answer in answers.items() if isinstance(answer, AdminError)}
    # A voter that knows a leader answers for the cluster; others refuse, or wait until their time is over.
    order = sorted(statuses, key=lambda pod: (statuses[pod].learner, not statuses[pod].leader))
    able = {pod: talkers[pod] for pod in order}
    listed, alarms, unanswered = cluster_wide(able)
    members = with_alarms(matched(etcd.members, statuses, problems, listed, etcd.nodes), alarms)
    members = asked_from_others(members, able)
    found = hashes.compare(
        {pod: (talkers[pod], status) for pod, status in statuses.items() if not status.learner}, compare
    )
    return State(
        context=cluster.target.context,
        server=cluster.server,
        etcd=etcd,
        members=tuple(replace(one, hash=found.hashes.get(one.pod) if one.pod else None) for one in members),
        alarms=alarms,
        hashed=found.revision,
        unhashed=found.problem,
        unanswered=unanswered,
    )


def etcdctl(cluster: Cluster, pod: EtcdPod) -> Etcdctl:
    """etcdctl in a member's own pod, for that member; raises AdminError where its flags are in a file."""
    if pod.access is None:
        raise AdminError(f"pod {pod.namespace}/{pod.name}: {flags_in_file(pod)}")

    def run(words: Sequence[str]) -> ExecResult:
        # A hash of a large database is waited for as long as etcdctl itself waits.
        patience = ETCDCTL_TIMEOUT + (HASH_TIMEOUT if "hashkv" in words else 0)
        return cluster.exec(pod.namespace, pod.name, pod.container, words, timeout=patience).run(ANSWER_LIMIT)

    return Etcdctl(run, pod.access)


def find(cluster: Cluster) -> pods.Etcd:
    """The etcd of the static pods; the AdminError of a silent API server has a hint at etcd."""
    try:
        return pods.find(cluster)
    except AdminError as error:
        raise without_api(error) from error


def cluster_wide(able: Mapping[EtcdPod, Etcdctl]) -> tuple[Any, Any, tuple[Gap, ...]]:
    """The list of members and the alarms, each from the first member that gives it, () where none does; and
    which of these questions none has answered.
    """
    questions: dict[str, Callable[[Etcdctl], Any]] = {
        "the list of members": Etcdctl.members,
        "alarms": Etcdctl.alarms,
    }
    if not able:
        return (), (), ()
    answers = ask_all(
        {what: partial(first_answer, able.values(), ask) for what, ask in questions.items()},
        deadline=ALL_MEMBERS_TIMEOUT,
    )
    lost = tuple(Gap(what, why(answer)) for what, answer in answers.items() if isinstance(answer, AdminError))
    listed, alarms = (() if isinstance(answer, AdminError) else answer for answer in answers.values())
    return listed, alarms, lost


def asked_from_others(members: Sequence[Member], able: Mapping[EtcdPod, Etcdctl]) -> tuple[Member, ...]:
    """The members, silent ones with the answers that two others got from them over the network."""
    silent = {place: addresses(member) for place, member in enumerate(members) if not member.up}
    answers = ask_all(
        {
            (place, pod): replace(ctl.at(urls[0]), patience=NETWORK_TIMEOUT).status
            for place, urls in silent.items()
            for pod, ctl in list(able.items())[:2]
            if urls
        },
        deadline=ALL_MEMBERS_TIMEOUT,
    )
    heard: dict[int, dict[EtcdPod, Status | AdminError]] = {place: {} for place in silent}
    for (place, pod), answer in answers.items():
        heard[place][pod] = answer
    return tuple(
        as_heard(member, heard[place]) if place in silent else member for place, member in enumerate(members)
    )


def as_heard(member: Member, answers: Mapping[EtcdPod, Status | AdminError]) -> Member:
    """A silent member with its answer to another, or with why there was none."""
    unreachable = "" if addresses(member) else "it has no client address"
    for pod, answer in answers.items():
        if isinstance(answer, Status):
            return replace(member, id=answer.member_id, status=answer, asked_from=pod.node)
        unreachable = f"from node {pod.node}: {why(answer)}"
    return replace(member, unreachable=unreachable)


def require_answer(state: State) -> None:
    """Raises AdminError where no member has answered: then nothing is known of etcd."""
    if state.answered:
        return
    if state.etcd.external:
        raise AdminError(
            "etcd runs outside of the cluster and was not asked",
            "run etcdctl on one of the control-plane nodes, with the files that the API server names",
        )
    if not state.members:
        raise AdminError("found no static pod of etcd, so no member was asked")
    silent = "; ".join(f"{member.title}: {missing(member)}" for member in state.members)
    raise AdminError(
        f"no member of etcd could be asked: {silent}",
        "the state of etcd is unknown; look on the control-plane nodes: crictl ps --all --name etcd",
    )


def addresses(member: Member) -> tuple[str, ...]:
    """Where others reach a member: by the list, or by its own flags."""
    if member.listed and member.listed.client_urls:
        return member.listed.client_urls
    return member.pod.flags.advertise_client_urls if member.pod else ()


def first_answer(able: Iterable[Etcdctl], ask: Callable[[Etcdctl], Answer]) -> Answer:
    """The first answer of any of them; raises the last one's AdminError."""
    problem = AdminError("no member could be asked")
    for ctl in able:
        try:
            return ask(ctl)
        except AdminError as error:
            problem = error
    raise problem


def without_api(error: AdminError) -> AdminError:
    """The error with what it may mean for etcd, where it is the API server that can't answer."""
    silent = isinstance(error, Unreachable) or (isinstance(error, ApiError) and error.status >= 429)
    if silent and not error.hint:
        error.hint = LOST
    return error


def why(error: AdminError) -> str:
    """An error in the words of its origin, without those of everybody in between."""
    match error:
        case EtcdctlError():
            return error.detail
        case ApiError():
            return error.message
        case Unreachable() if "timeout" in error.what:
            # Not the server's silence: it waits for the kubelet before it answers.
            return "no answer in time through the API server and the kubelet"
    return error.what


def flags_in_file(pod: EtcdPod) -> str:
    """Why a member can't be asked in its pod: its flags are in a file."""
    return f"its flags are in {pod.flags.config_file} on node {pod.node}, which is not read"
