"""The judgement on single members, their pods and their nodes. Pure."""

from collections.abc import Iterator

from kubectl_admin.control_plane.static_pods import LABEL
from kubectl_admin.etcd.members.facts import Member, State
from kubectl_admin.etcd.members.rules import (
    LEARNER_NOT_PROMOTED,
    MEMBER_DOWN,
    MEMBER_WITHOUT_NODE,
    NODE_WITHOUT_MEMBER,
    POD_NO_ANSWER,
    POD_NOT_OF_CONTROL_PLANE,
    POD_WITHOUT_MEMBER,
)
from kubectl_admin.finding import Finding


def down(state: State) -> Iterator[Finding]:
    """Members that answer nobody."""
    for member in state.members:
        if not member.up and not (member.learner and member.unstarted):
            seen = f"; {member.unreachable}" if member.unreachable else ""
            yield MEMBER_DOWN.violation(
                subject=f"etcd member {member.title}",
                evidence=f"{_problem(member)}{seen}",
                fix=("start it" if member.unstarted else "look at its pod's log and its node")
                # The advice to remove a member is only for one that is known to be in the list.
                + (f"; if it is gone for good: etcdctl member remove {_id(member)}" if member.listed else ""),
                objects=member.objects,
            )


def unlisted(state: State) -> Iterator[Finding]:
    """Pods that run no member of the list."""
    if not state.listed:
        return
    for member in state.members:
        if member.pod and not member.listed and not member.pod.flags.config_file:
            seen = member.problem or f"it answers as a member of cluster {_cluster_id(member)}"
            yield POD_WITHOUT_MEMBER.violation(
                subject=f"pod {member.pod.name}",
                evidence=f"the list has no member {member.title}; {seen}",
                fix="remove its manifest and its data, and join the node again",
                objects=member.objects,
            )


def silent(state: State) -> Iterator[Finding]:
    """Members whose pods could not be asked, but which answer others."""
    for member in state.members:
        if member.up and member.problem:
            yield POD_NO_ANSWER.warning(
                subject=f"etcd member {member.title}",
                evidence=f"{_problem(member)}; it answers node {member.asked_from}",
                fix=("look at the node's kubelet and container runtime" if member.pod else ""),
                objects=member.objects,
            )


def learners(state: State) -> Iterator[Finding]:
    """Members that do not vote yet."""
    for member in state.members:
        if member.learner:
            started = "; it has not started" if member.unstarted else ""
            yield LEARNER_NOT_PROMOTED.warning(
                subject=f"etcd member {member.title}",
                evidence=f"it is a learner{started}",
                fix=f"promote or remove it before etcd is upgraded: etcdctl member promote {_id(member)}",
                objects=member.objects,
            )


def places(state: State) -> Iterator[Finding]:
    """Members without a control-plane node, and control-plane nodes without a member."""
    nodes = state.etcd.nodes
    if not state.listed:
        return
    names = {node.name for node in nodes}
    for member in state.members:
        if member.listed and member.node not in names:
            where = f"node {member.node} is not a control-plane node" if member.node else "it has no node"
            yield MEMBER_WITHOUT_NODE.warning(
                subject=f"etcd member {member.title}",
                evidence=f"{where}; its address is {', '.join(member.listed.peer_urls)}",
                fix=f"if its node has been removed: etcdctl member remove {_id(member)}",
                objects=member.objects,
            )
    if missing := [node.name for node in nodes if node.name not in {member.node for member in state.members}]:
        yield NODE_WITHOUT_MEMBER.warning(
            subject="etcd",
            evidence=f"found no member on {', '.join(missing)}",
            fix="join the node again (kubeadm reset, kubeadm join --control-plane)",
            objects=tuple(f"node/{name}" for name in missing),
        )


def impostors(state: State) -> Iterator[Finding]:
    """Pods that are labelled as etcd or an API server, and are not static pods of the control plane."""
    for one in state.etcd.impostors:
        label = f"kubectl label node {one.node} {LABEL}="
        yield POD_NOT_OF_CONTROL_PLANE.warning(
            subject=f"pod {one.pod}",
            evidence=f"{one.why}; it was not asked",
            fix=f"if {one.node or 'its node'} is a control-plane node, label it: {label}; if not, remove the "
            "pod, and find out who created it",
            objects=(f"node/{one.node}",) if one.node else (),
        )


def _problem(member: Member) -> str:
    return f"pod {member.pod.name}: {member.problem}" if member.pod else member.problem


def _cluster_id(member: Member) -> str:
    return f"{member.status.cluster_id:x}" if member.status else "?"


def _id(member: Member) -> str:
    return "ID" if member.id is None else f"{member.id:x}"
