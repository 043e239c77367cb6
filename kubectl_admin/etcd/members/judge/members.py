"""The judgement on the members: who is there, who answers, who leads. Pure."""

from collections.abc import Iterator, Sequence

from kubectl_admin.control_plane.static_pods import LABEL
from kubectl_admin.etcd.members.pods import parts
from kubectl_admin.etcd.members.state import Member, State
from kubectl_admin.finding import Finding, Severity

FAILURES = "https://etcd.io/docs/latest/op-guide/failures/"
RECONFIGURATION = "https://etcd.io/docs/latest/op-guide/runtime-configuration/"


def split(state: State) -> Iterator[Finding]:
    """Members of different clusters, as after a restore that did not name them all."""
    clusters: dict[int, list[Member]] = {}
    for member in state.members:
        if member.status:
            clusters.setdefault(member.status.cluster_id, []).append(member)
    if len(clusters) > 1:
        sides = "; ".join(f"{cluster:x}: {_titles(members)}" for cluster, members in clusters.items())
        yield Finding(
            Severity.VIOLATION,
            "clusters-differ",
            "etcd",
            "all members belong to one cluster",
            sides,
            "restore all members from one snapshot, each with the same --initial-cluster and token",
            "https://etcd.io/docs/latest/op-guide/recovery/",
            _objects(state.members),
        )


def unanswered(state: State) -> Iterator[Finding]:
    """What members were asked about the cluster as a whole, and none could say: it takes a quorum."""
    for gap in state.unanswered:
        yield Finding(
            Severity.VIOLATION,
            "cluster-no-answer",
            gap.what,
            "a cluster with a quorum gives its list of members and its alarms",
            f"no member could say: {gap.why}",
            "see that a majority of the members is up; what nobody could say is not known to be well",
            FAILURES,
        )


def tolerance(state: State) -> Iterator[Finding]:
    """How many members more may fail."""
    total, needed = len(state.voters), state.quorum
    if not total:
        return
    up = sum(member.up for member in state.voters)
    what = f"{up} of {total} voting members up, {needed} needed"
    if state.spare < 0:
        yield Finding(
            Severity.VIOLATION,
            "quorum-lost",
            "etcd",
            "a majority of the voting members is up",
            what,
            "bring members up again; only if their data is lost, restore a snapshot",
            FAILURES,
        )
    elif state.spare == 0:
        severity = Severity.NOTE if total == 1 else Severity.WARNING
        yield Finding(
            severity,
            "no-spare-member",
            "etcd",
            "one member may fail without harm",
            f"{what}: the next failure stops the cluster",
            "bring the others up again" if up < total else "run three control-plane nodes",
            f"{FAILURES}#majority-failure",
        )


def leaderless(state: State) -> Iterator[Finding]:
    """Members that know no leader, or different ones."""
    told = [(member, member.status) for member in state.members if member.status]
    without = [member for member, status in told if not status.leader]
    if without:
        yield Finding(
            Severity.VIOLATION,
            "no-leader",
            "etcd",
            "every member knows the leader; without one nothing can be written",
            f"no leader is known to {_titles(without)}",
            "see that a majority of the members is up and that they reach each other's port for peers (2380)",
            FAILURES,
            _objects(without),
        )
    leaders = {status.leader for _, status in told if status.leader}
    if len(leaders) > 1 and len({status.cluster_id for _, status in told}) == 1:
        yield Finding(
            Severity.WARNING,
            "leaders-differ",
            "etcd",
            "all members follow the same leader",
            "they name " + " and ".join(sorted(f"{leader:x}" for leader in leaders)),
            "ask again: an election may have been under way",
        )


def down(state: State) -> Iterator[Finding]:
    """Members that answer nobody."""
    for member in state.members:
        if not member.up and not (member.learner and member.unstarted):
            seen = f"; {member.unreachable}" if member.unreachable else ""
            yield Finding(
                Severity.VIOLATION,
                "member-down",
                f"etcd member {member.title}",
                "every member answers",
                f"{_problem(member)}{seen}",
                ("start it" if member.unstarted else "look at its pod's log and its node")
                # Whoever is in no list that could be read is not advised to be removed from it.
                + (f"; if it is gone for good: etcdctl member remove {_id(member)}" if member.listed else ""),
                FAILURES,
                member.objects,
            )


def unlisted(state: State) -> Iterator[Finding]:
    """Pods that run no member of the list."""
    if not state.listed:
        return
    for member in state.members:
        if member.pod and not member.listed and not member.pod.flags.config_file:
            seen = member.problem or f"it answers as a member of cluster {_cluster_id(member)}"
            yield Finding(
                Severity.VIOLATION,
                "pod-without-member",
                f"pod {member.pod.name}",
                "an etcd pod runs a member of the cluster's list",
                f"the list has no member {member.title}; {seen}",
                "remove its manifest and its data, and join the node again",
                RECONFIGURATION,
                member.objects,
            )


def silent(state: State) -> Iterator[Finding]:
    """Members whose pods could not be asked, but which answer others."""
    for member in state.members:
        if member.up and member.problem:
            yield Finding(
                Severity.WARNING,
                "pod-no-answer",
                f"etcd member {member.title}",
                "every member is asked in its own pod",
                f"{_problem(member)}; it answers node {member.asked_from}",
                "look at the node's kubelet and container runtime" if member.pod else "",
                objects=member.objects,
            )


def learners(state: State) -> Iterator[Finding]:
    """Members that do not vote yet."""
    for member in state.members:
        if member.learner:
            started = "; it has not started" if member.unstarted else ""
            yield Finding(
                Severity.WARNING,
                "learner-not-promoted",
                f"etcd member {member.title}",
                "a new member is promoted when it has caught up; kubeadm does both in one go",
                f"it is a learner{started}",
                f"etcdctl member promote {_id(member)}, or remove it; in any case before etcd is upgraded",
                "https://etcd.io/docs/latest/learning/design-learner/",
                member.objects,
            )


def versions(state: State) -> Iterator[Finding]:
    """Members of different versions, and a downgrade that is under way."""
    by_version: dict[str, list[Member]] = {}
    for member in state.members:
        if member.status:
            by_version.setdefault(member.status.version, []).append(member)
    if len(by_version) > 1:
        yield Finding(
            Severity.WARNING,
            "versions-differ",
            "etcd",
            "members have different versions only while they are being upgraded",
            "; ".join(f"{version}: {_titles(members)}" for version, members in sorted(by_version.items())),
            "upgrade the remaining members",
            "https://etcd.io/docs/latest/upgrades/",
        )
    targets = {member.status.downgrade_to for member in state.members if member.status}
    for target in sorted(targets - {""}):
        yield Finding(
            Severity.WARNING,
            "downgrade",
            "etcd",
            "a downgrade that was begun is carried out or cancelled",
            f"a downgrade to {target} is enabled",
            "etcdctl downgrade cancel, or go on with it",
            "https://etcd.io/docs/latest/downgrades/",
        )


def places(state: State) -> Iterator[Finding]:
    """Members without a control-plane node, and control-plane nodes without a member."""
    nodes = state.etcd.nodes
    if not state.listed:
        return
    names = {node.name for node in nodes}
    for member in state.members:
        if member.listed and member.node not in names:
            where = f"node {member.node} is no control-plane node" if member.node else "no node is its own"
            yield Finding(
                Severity.WARNING,
                "member-without-node",
                f"etcd member {member.title}",
                "every member runs on a control-plane node",
                f"{where}; its address is {', '.join(member.listed.peer_urls)}",
                f"if its node has been removed: etcdctl member remove {_id(member)}",
                "https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/",
                member.objects,
            )
    if missing := [node.name for node in nodes if node.name not in {member.node for member in state.members}]:
        yield Finding(
            Severity.WARNING,
            "node-without-member",
            "etcd",
            "every control-plane node runs a member",
            f"none is known on {', '.join(missing)}",
            "join the node again (kubeadm reset, kubeadm join --control-plane)",
            objects=tuple(f"node/{name}" for name in missing),
        )


def impostors(state: State) -> Iterator[Finding]:
    """Pods that are labelled as etcd or an API server, and are no static pods of the control plane."""
    for one in state.etcd.impostors:
        label = f"kubectl label node {one.node} {LABEL}="
        yield Finding(
            Severity.WARNING,
            "pod-not-of-control-plane",
            f"pod {one.pod}",
            "etcd and API servers are static pods of control-plane nodes; a pod's labels prove nothing",
            f"{one.why}; it was not asked",
            f"if {one.node or 'its node'} is a control-plane node, label it: {label}; if not, remove the "
            "pod, and find out who made it",
            objects=(f"node/{one.node}",) if one.node else (),
        )


def elsewhere(state: State) -> Iterator[Finding]:
    """API servers that use none of the members that are to be seen."""
    if not state.etcd.members or any(pod.flags.config_file for pod in state.etcd.members):
        return
    served = {
        parts(url)[1:]
        for pod in state.etcd.members
        for url in (*pod.flags.listen_client_urls, *pod.flags.advertise_client_urls)
    }
    for one in state.etcd.apiservers:
        if one.servers and not any(parts(url)[1:] in served for url in one.servers):
            yield Finding(
                Severity.WARNING,
                "apiserver-uses-another-etcd",
                "kube-apiserver",
                "the API servers use the etcd that runs in the cluster",
                f"--etcd-servers={','.join(one.servers)} is none of the members that are seen",
                "look at the API servers' manifest; what is said here may be about an etcd that nobody uses",
                objects=tuple(f"node/{node}" for node in one.nodes),
            )


def _problem(member: Member) -> str:
    return f"pod {member.pod.name}: {member.problem}" if member.pod else member.problem


def _cluster_id(member: Member) -> str:
    return f"{member.status.cluster_id:x}" if member.status else "?"


def _id(member: Member) -> str:
    return "ID" if member.id is None else f"{member.id:x}"


def _titles(members: Sequence[Member]) -> str:
    return ", ".join(member.title for member in members)


def _objects(members: Sequence[Member]) -> tuple[str, ...]:
    return tuple(name for member in members for name in member.objects)
