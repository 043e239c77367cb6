"""Which pod runs which member of the list. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kubectl_admin.control_plane.static_pods import ControlPlaneNode
from kubectl_admin.etcd.members.etcdctl import Alarm, Listed, Status
from kubectl_admin.etcd.members.facts import Member
from kubectl_admin.etcd.members.flags import parts
from kubectl_admin.etcd.members.pods import EtcdPod


def matched(
    pods: Sequence[EtcdPod],
    statuses: Mapping[EtcdPod, Status],
    problems: Mapping[EtcdPod, str],
    listed: Sequence[Listed],
    nodes: Sequence[ControlPlaneNode],
) -> tuple[Member, ...]:
    """Every member of the list with its pod, then the pods that run none of it; in the order of their names.

    A pod that answered runs the member that its answer names. One that did not runs the member of its name or
    its address, or, where its flags can't be read, that of its node. statuses, problems: the pods' answers,
    and why others gave none.
    """
    free = dict.fromkeys(pods)
    members = []
    for one in listed:
        node = _node(one, nodes)
        pod = next((pod for pod in free if _is(pod, statuses.get(pod), one, node)), None)
        if pod:
            del free[pod]
            node = pod.node
        members.append(Member(one.id, one.name or (pod.flags.name if pod else ""), node, pod, one))
    for pod in free:
        status = statuses.get(pod)
        members.append(Member(status.member_id if status else None, pod.flags.name, pod.node, pod))
    return tuple(
        replace(
            member,
            status=statuses.get(member.pod) if member.pod else None,
            problem=problems.get(member.pod, "") if member.pod else "no static pod runs it",
        )
        for member in sorted(members, key=lambda member: (member.title, member.node))
    )


def with_alarms(members: Iterable[Member], alarms: Sequence[Alarm]) -> tuple[Member, ...]:
    """The members with the alarms that each has raised."""
    return tuple(
        replace(member, alarms=tuple(alarm.kind for alarm in alarms if alarm.member_id == member.id))
        for member in members
    )


def _is(pod: EtcdPod, status: Status | None, listed: Listed, node: str) -> bool:
    """Whether the pod runs this member. node: the one of the member's name and addresses."""
    if status:
        return status.member_id == listed.id
    if pod.flags.config_file:
        return pod.node == node
    if listed.name:
        return pod.flags.name == listed.name
    # A member that was added and has not started has no name yet, only the address for its peers.
    return bool(set(pod.flags.advertise_peer_urls) & set(listed.peer_urls))


def _node(listed: Listed, nodes: Sequence[ControlPlaneNode]) -> str:
    """The node of a member without a pod, by its name or its addresses; "" where none is like it."""
    hosts = {parts(url)[1] for url in (*listed.peer_urls, *listed.client_urls)}
    return next((node.name for node in nodes if node.name == listed.name or hosts & set(node.addresses)), "")
