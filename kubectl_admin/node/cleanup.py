"""`kubectl admin cleanup`: finds all that this tool has left in a cluster, and removes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from kubectl_admin.cluster.access import Right, explained, missing, together
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding
from kubectl_admin.node import rules
from kubectl_admin.node.debug_pod import Options, rights
from kubectl_admin.node.host import Say
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.left_out import LeftOutError
from kubectl_admin.node.leftovers import MOST, LeftDirectory, LeftPod, delete_pod, directories, pods
from kubectl_admin.node.operation import Operation, Owner
from kubectl_admin.node.pod_removal import is_gone
from kubectl_admin.node.workspace import discard
from kubectl_admin.report import Column, Report, Table

# Beside what a debug pod takes.
RIGHTS = (Right("list", "nodes"), Right("list", "pods"), Right("delete", "pods"))
ABANDONED, IN_USE, HALF_WAY, UNKNOWN = "abandoned", "in use", "half-way upgrade", "unknown"
RESTORE = "restore"  # of etcd
NOTHING = "nothing is left in the cluster"
NOTHING_SEEN = "nothing was found, but not every host could be looked at"
KEPT = (IN_USE, HALF_WAY)  # whatever is in one of these states is removed with --force alone


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of this tool's: a pod, or a directory on a node's host with the job in it.

    state: abandoned (certainly nobody uses it), in use (its process or job runs), half-way upgrade (a node's
    upgrade was cut or has failed, and needs it), restore (of etcd, in whatever state), unknown (its process
    was started on another machine, and may run there).
    """

    what: LeftPod | LeftDirectory
    state: str

    @property
    def name(self) -> str:
        """«pod/kube-system/kubectl-admin-…» or «node/cp-1/var/lib/kubectl-admin/…»."""
        if isinstance(self.what, LeftPod):
            return f"pod/{self.what.namespace}/{self.what.name}"
        return f"node/{self.what.node}{self.what.path}"


def find(
    hosts: Hosts,
    nodes: Sequence[str],
    answered: Callable[[int], None],
    data: Callable[[Cluster], Mapping[str, str]] = lambda _: {},
) -> tuple[list[Leftover], list[Finding]]:
    """All that is left in the cluster, and as findings all that could not be looked at.

    nodes: those whose hosts are looked at; all where none is named. answered: called after each of them.
    data: tells etcd's data directory by node, where that is known; it may list nodes and pods. Raises
    AdminError for one that there is not.
    """
    cluster, needed = hosts.cluster, rights(hosts.options.namespace)
    with explained(cluster, [*RIGHTS, *needed]):
        for name in nodes:
            read_node(cluster, name)
        names = list(nodes) or [name for (name,) in cluster.table("/api/v1/nodes").named("Name")]
        left: list[LeftPod | LeftDirectory] = list(pods(cluster))
        where = data(cluster)
    answers = hosts.ask(names, lambda host: directories(host, where.get(host.node, "")), answered=answered)
    refused = any(isinstance(answer, Forbidden) for answer in answers.values())
    lacking = missing(cluster, needed) if refused else []
    blind = []
    for name, answer in answers.items():
        if isinstance(answer, LeftOutError):
            hosts.say(answer.what)
        elif isinstance(answer, AdminError):
            blind.append(unseen(name, answer, lacking))
        else:
            left += answer
            if len(answer) >= MOST - 1:  # this run's own is not among them
                blind.append(many(name))
    return [Leftover(each, state_of(each)) for each in left], blind


def state_of(left: LeftPod | LeftDirectory) -> str:
    """Whether somebody still uses it."""
    if isinstance(left, LeftDirectory) and left.is_restore:
        return RESTORE
    if left.is_abandoned:
        return ABANDONED
    if (isinstance(left, LeftDirectory) and left.active) or is_here(left.owner):
        return IN_USE
    if isinstance(left, LeftDirectory) and left.is_half_way:
        return HALF_WAY
    return UNKNOWN


def removable(left: Sequence[Leftover], *, force: bool) -> list[Leftover]:
    """Those that are removed. force: whether what is in use, and what an upgrade needs, is as well.

    A restore of etcd is removed by the verb alone that knows how far it is: half-way, nothing else could put
    the data of a node back.
    """
    return [each for each in left if each.state != RESTORE and (force or each.state not in KEPT)]


def is_here(owner: Owner | None) -> bool:
    """Whether it belongs to a process that runs on this machine now."""
    return owner is not None and owner.is_alive()


def unseen(node: str, error: AdminError, lacking: Sequence[Right]) -> Finding:
    """A node whose host could not be looked at. lacking: rights that the user does not have."""
    fix = error.hint or "run it again when the node is back"
    if isinstance(error, Forbidden) and lacking:
        fix = f"docs/permissions.md has what it takes; missing: {together(lacking)}"
    return rules.HOST_NOT_READ.warning(
        subject="leftovers", evidence=error.what, fix=fix, objects=(f"node/{node}",)
    )


def many(node: str) -> Finding:
    """A node of which only the first directories are shown."""
    return rules.MANY_DIRECTORIES.warning(
        subject="leftovers",
        says=f"of a node's directories {MOST:,} are shown at most",
        evidence=f"node {node} has more",
        fix="look at /var/lib/kubectl-admin there; remove these, and run it again",
        objects=(f"node/{node}",),
    )


def half_way(left: Leftover) -> Finding:
    """The note about a node whose upgrade is half way."""
    node = left.what.node
    return rules.HALF_WAY_UPGRADE.note(
        subject=f"upgrade of node {node}",
        evidence=f"{left.name} is there, and no run works on it",
        fix=f"resume it: kubectl admin drain-upgrade {node}; --force removes the only record of it",
        objects=(f"node/{node}",),
    )


def restore(left: Leftover) -> Finding:
    """The note about a restore of etcd that is there."""
    node = left.what.node
    return rules.RESTORE_THERE.note(
        subject=f"restore of etcd on node {node}",
        evidence=f"{left.name} is there, and is not removed here",
        fix="see how far it is: kubectl admin etcd-restore --status; when it is over: --prune",
        objects=(f"node/{node}",),
    )


def report(left: Sequence[Leftover], findings: Sequence[Finding]) -> Report:
    """Leftovers as a table and as a document."""
    columns = [Column("NAME"), Column("STATE"), Column("OWNER"), Column("CREATED", wide=True)]
    return Report(
        kind="LeftoverList",
        items=lambda: map(document, left),
        names=lambda: (each.name for each in left),
        tables=[Table(columns, [row(each) for each in left])] if left else [],
        paragraphs=[] if left else [NOTHING_SEEN if findings else NOTHING],
        findings=[
            *findings,
            *(half_way(each) for each in left if each.state == HALF_WAY),
            *(restore(each) for each in left if each.state == RESTORE),
        ],
    )


def row(left: Leftover) -> list[str]:
    """Its row in the table."""
    owner, created = left.what.owner, left.what.created if isinstance(left.what, LeftPod) else ""
    return [left.name, left.state, owner.person if owner else "<unknown>", created]


def document(left: Leftover) -> dict[str, object]:
    """The same as plain data."""
    owner = left.what.owner
    kind = "Pod" if isinstance(left.what, LeftPod) else "Directory"
    person, pid = (owner.person, owner.pid) if owner else (None, None)
    return {
        "kind": kind,
        "name": left.name,
        "node": left.what.node,
        "state": left.state,
        "owner": person,
        "process": pid,
    }


def question(chosen: Sequence[Leftover], context: str) -> str:
    """Asked of a person before these are removed."""
    states = [each.state for each in chosen]
    warnings = {
        UNKNOWN: "may be in use on another machine",
        IN_USE: "in use",
        HALF_WAY: "the only record of a half-way upgrade",
    }
    counts = [f"{states.count(state)} {what}" for state, what in warnings.items() if state in states]
    warned = f" ({'; '.join(counts)})" if counts else ""
    return f"remove {len(chosen)} of these{warned} from context {context}"


def remove(
    cluster: Cluster, left: Sequence[Leftover], options: Options, say: Say, outcomes: dict[str, str]
) -> None:
    """Removes what is left, nodes in parallel.

    outcomes: is given "" by the name of each that is removed, or why it was not, as soon as that is known.
    """
    # An operation of its own: that of `find` may be over, since a node was late, and opens no host any more.
    hosts = Hosts(cluster, Operation.begin(), options, say)
    names: dict[str, list[str]] = {}
    questions: dict[str, Callable[[], None]] = {}
    for each in left:
        if isinstance(each.what, LeftPod):
            names[each.name] = [each.name]
            questions[each.name] = partial(remove_pod, cluster, each.what, each.name, outcomes)
        else:
            names.setdefault(each.what.node, []).append(each.name)
    for node in {each.what.node for each in left if isinstance(each.what, LeftDirectory)}:
        there = {
            each.name: each.what
            for each in left
            if isinstance(each.what, LeftDirectory) and each.what.node == node
        }
        questions[node] = partial(discard_all, hosts, node, there, outcomes)
    for key, answer in hosts.ask_all(questions).items():
        for name in names[key]:
            if isinstance(answer, AdminError):
                outcomes.setdefault(name, answer.what)


def so_far(chosen: Sequence[Leftover], outcomes: Mapping[str, str]) -> dict[str, str]:
    """The fate of all that was to be removed, in its order, also where the run has ended before."""
    return {each.name: outcomes.get(each.name, "the run ended before") for each in chosen}


def outcome(removed: Mapping[str, str], left: Sequence[Leftover], findings: Sequence[Finding]) -> Report:
    """All that was removed, or was not. removed: as `so_far` has it. The others: as for `report`."""
    failed = {name: problem for name, problem in removed.items() if problem}
    gone = [name for name in removed if name not in failed]
    rows = [[name, f"not removed: {problem}" if problem else "removed"] for name, problem in removed.items()]
    return Report(
        kind="Cleanup",
        items=lambda: (
            {**document(each), "removed": each.name in gone, "problem": removed.get(each.name) or None}
            for each in left
        ),
        names=lambda: gone,
        tables=[Table([Column("NAME"), Column("OUTCOME")], rows)],
        findings=[*findings, *([not_removed(failed)] if failed else [])],
    )


def not_removed(failed: Mapping[str, str]) -> Finding:
    """These were not removed, and why."""
    return rules.NOT_REMOVED.violation(
        subject="leftovers",
        evidence="; ".join(f"{name}: {problem}" for name, problem in failed.items()),
        fix="run it again when its node is back",
        objects=failed,
    )


def remove_pod(cluster: Cluster, pod: LeftPod, name: str, outcomes: dict[str, str]) -> None:
    """Removes a pod; AdminError if it is still there after a while, as where its node is down.

    outcomes: as for `discard_all`.
    """
    delete_pod(cluster, pod)
    if not is_gone(cluster, pod.namespace, pod.name):
        raise AdminError(f"it is being deleted, but node {pod.node} has not ended it yet")
    outcomes[name] = ""


def discard_all(hosts: Hosts, node: str, left: Mapping[str, LeftDirectory], outcomes: dict[str, str]) -> None:
    """Removes directories of one node's host, with their jobs.

    outcomes: is given "" by the name of each that is removed, or why it was not. Raises AdminError where the
    host can't be opened.
    """
    with hosts.open(node) as there:
        for name, directory in left.items():
            try:
                discard(there, directory.name)
                outcomes[name] = ""
            except AdminError as error:
                outcomes[name] = error.what
