"""The state of etcd as its members' own metrics and answers tell it, for the judge of etcd-status. Pure.

Metrics tell neither the id of the cluster nor the term, a hash, or a member's addresses: these stay unknown.
The list of members is what their known peers come to.

Source: etcd server/etcdserver/metrics.go, api/membership/metrics.go, api/rafthttp/metrics.go.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kubectl_admin.control_plane.component import ETCD, Component
from kubectl_admin.control_plane.static_pods import ControlPlaneNode
from kubectl_admin.etcd.members.etcdctl import Alarm, Listed, Status
from kubectl_admin.etcd.members.facts import Member, State
from kubectl_admin.etcd.members.flags import flags_of
from kubectl_admin.etcd.members.pods import ApiserverFlags, Etcd, EtcdPod, alike, etcd_of_apiserver
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.checks import failed_checks
from kubectl_admin.health.components.series import samples, value
from kubectl_admin.health.facts import Facts, Process, Reply

SOME_LEADER = (1 << 64) - 1  # the id of a leader that is not among those that were asked
UNHEARD = "it gave no metrics, and no other member has a connection with it"
ALARM = "ALARM "  # how /health begins its reason


def etcd_state(facts: Facts) -> State:
    """The state of a cluster's etcd, as far as metrics tell it."""
    processes = _processes(facts, Component.ETCD)
    return State(
        context=facts.context,
        server=facts.server,
        etcd=Etcd(
            members=tuple(_pod(process) for process in processes),
            apiservers=_apiservers(facts, processes),
            nodes=tuple(ControlPlaneNode(node.name) for node in facts.nodes if node.is_control_plane),
        ),
        members=tuple(_members(processes)),
        alarms=tuple(Alarm(None, kind) for kind in sorted({*_alarms(processes)})),
    )


def is_placed(state: State) -> bool:
    """Whether it is known which member of the list runs in which pod."""
    matched = {member.pod for member in state.members if member.listed and member.pod}
    return all(pod in matched for pod in state.etcd.members)


def reason_of_health(process: Process) -> str:
    """Why /health says that a member is not well: «ALARM NOSPACE», «RAFT NO LEADER»; "" where it does not."""
    reply = process.replies.get("/health")
    if not isinstance(reply, Reply) or reply.is_fine:
        return ""
    try:
        document = json.loads(reply.text)
    except (ValueError, RecursionError):
        return ""
    return str(document.get("reason") or "") if isinstance(document, dict) else ""


def _members(processes: Sequence[Process]) -> Iterator[Member]:
    """The members that answered, then those that they know besides."""
    answered = {identity: process for process in processes if (identity := _id(process)) is not None}
    known = Counter(peer for process in answered.values() for peer in _peers(process, metrics.KNOWN_PEERS))
    heard = {peer for process in answered.values() for peer in _peers(process, metrics.ACTIVE_PEERS)}
    leaders = [identity for identity, process in answered.items() if value(process, metrics.IS_LEADER)]
    for identity, process in answered.items():
        status = _status(identity, process, leaders)
        yield _member(identity, process, heard, status)
    silent = [process for process in processes if process not in answered.values()]
    others = [peer for peer, count in known.items() if peer not in answered and count > len(answered) / 2]
    for identity in others:
        # Which pod an id belongs to is known only where one of each is left.
        only = silent[0] if len(silent) == len(others) == 1 else None
        yield _member(identity, only, heard, None)


def _member(identity: int, process: Process | None, heard: set[int], status: Status | None) -> Member:
    pod = _pod(process) if process else None
    name = pod.flags.name if pod and process and process.flags else ""
    return Member(
        id=identity,
        name=name or (process.node if process else ""),
        node=process.node if process else "",
        pod=pod,
        listed=Listed(identity, name or f"{identity:x}", (), (), bool(status and status.learner)),
        status=status,
        problem="" if status or identity in heard else UNHEARD,
        heard=identity in heard,
    )


def _status(identity: int, process: Process, leaders: Sequence[int]) -> Status:
    size = int(value(process, metrics.DATABASE_SIZE) or 0)
    in_use = value(process, metrics.DATABASE_IN_USE)
    index = int(value(process, metrics.COMMITTED) or 0)
    applied = value(process, metrics.APPLIED)
    has_leader = value(process, metrics.HAS_LEADER) != 0.0  # one that is not known is taken to be there
    leader = identity if identity in leaders else next(iter(leaders), SOME_LEADER)
    version = next(iter(samples(process, metrics.MEMBER_VERSION)), None)
    return Status(
        cluster_id=0,
        member_id=identity,
        revision=0,
        term=0,
        version=version.labels.get("server_version", "") if version else "",
        leader=leader if has_leader else 0,
        index=index,
        applied=index if applied is None else int(applied),
        size=size,
        in_use=size if in_use is None else int(in_use),
        learner=value(process, metrics.IS_LEARNER) == 1.0,
        quota=int(value(process, metrics.QUOTA) or 0),
    )


def _id(process: Process) -> int | None:
    for sample in samples(process, metrics.MEMBER_ID):
        if sample.value:
            return _hexadecimal(sample.labels.get("server_id", ""))
    return None


def _peers(process: Process, name: str) -> Iterator[int]:
    """The ids of a member's peers for which a metric is not 0."""
    for sample in samples(process, name):
        peer = _hexadecimal(sample.labels.get("Remote", ""))
        if sample.value > 0 and peer is not None:
            yield peer


def _hexadecimal(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None


def _alarms(processes: Sequence[Process]) -> Iterator[str]:
    """The alarms that members tell of: all know those of the others, and /health names one."""
    for process in processes:
        reason = reason_of_health(process)
        if reason.startswith(ALARM):
            yield reason.removeprefix(ALARM)
        if "data_corruption" in failed_checks(process, "/readyz"):
            yield "CORRUPT"


def _pod(process: Process) -> EtcdPod:
    pod = process.pod
    return EtcdPod(
        node=process.node,
        namespace=pod.namespace if pod else "",
        name=pod.name if pod else f"{ETCD}-{process.node}",
        uid="",
        container=ETCD,
        container_id="",
        image="",
        ready=bool(pod and pod.ready),
        flags=flags_of(process.flags),
    )


def _apiservers(facts: Facts, members: Sequence[Process]) -> tuple[ApiserverFlags, ...]:
    """The etcd that API servers name; none where the members' own addresses are not known."""
    if not all(process.flags for process in members):
        return ()
    flags: Mapping[str, ApiserverFlags] = {
        process.node: etcd_of_apiserver(process.node, process.flags)
        for process in _processes(facts, Component.APISERVER)
        if process.flags
    }
    return alike(flags)


def _processes(facts: Facts, component: Component) -> list[Process]:
    found = (node.process(component) for node in facts.nodes)
    return [process for process in found if process is not None and (process.pod or process.replies)]
