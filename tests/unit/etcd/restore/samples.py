"""A snapshot of a sound cluster, and that cluster, for the tests of this room."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kubectl_admin.control_plane.flags import flags
from kubectl_admin.control_plane.pod import PARTS, StaticPod
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.restore.look.facts import Authorities, ControlPlane, LiveFacts, SnapshotFacts, Told
from kubectl_admin.etcd.snapshot.contents import Member, Raft
from kubectl_admin.etcd.snapshot.facts import Snapshot, Verdict
from kubectl_admin.etcd.snapshot.reading import NOTHING
from kubectl_admin.etcd.stored.encryption import Encryption
from tests.unit.etcd.members import samples
from tests.unit.etcd.members.samples import apiserver_command, etcd_command

UID = "0580feda-c74a-4f04-abf0-1fd71ac85db6"
OUR_CA = frozenset({"ab" * 32})
OURS = Authorities(OUR_CA, given={"kube-public/cluster-info": OUR_CA, "kube-system/kube-root-ca.crt": OUR_CA})
MEMBERS = (Member("1", "cp-1", (), (), learner=False),)
RAFT = Raft(frozenset({"1"}), frozenset())


def snapshot(**contents: Any) -> Snapshot:
    """The content of a file; contents: what differs in it."""
    sound = replace(
        NOTHING, revision=1000, storage_version="3.6.0", cluster_version="3.6.0", members=MEMBERS, raft=RAFT
    )
    return Snapshot(
        path=Path("a.db"),
        size=(100 << 20) + 32,
        sha256="00",
        hash_right=True,
        database_size=100 << 20,
        in_use=60 << 20,
        page_size=4096,
        entries=20,
        revisions=10,
        contents=replace(sound, **contents),
        full=None,
    )


def file(read: Snapshot | None = None, *findings: Any, **changes: Any) -> SnapshotFacts:
    """The facts of a file that may be restored; changes: what is otherwise."""
    sound = SnapshotFacts(
        verdict=Verdict(Path("a.db"), read or snapshot(), findings),
        cluster=Told(UID),
        kubernetes=Told("v1.36.3"),
        authorities=OURS,
        objects=500,
    )
    return replace(sound, **changes)


def part(component: str, node: str, *more: str) -> StaticPod:
    """A part of the control plane as kubeadm sets it up; more: further flags."""
    words = {
        "etcd": etcd_command(node, f"192.0.2.{node[-1]}"),
        "kube-apiserver": apiserver_command(),
    }.get(component, [component])
    return StaticPod(
        name=f"{component}-{node}",
        node=node,
        component=component,
        flags=flags([*words, *more]),
        mounts={"/var/lib/etcd": "/var/lib/etcd", "/etc/kubernetes": "/etc/kubernetes"},
        started=None,
    )


def control_plane(name: str, **changes: Any) -> ControlPlane:
    """A control-plane node; changes: what is otherwise."""
    sound = ControlPlane(
        name,
        ready=True,
        pods=tuple(part(component, name) for component in PARTS),
        encryption=Encryption(),
        encryption_why="",
        authorities=OURS,
    )
    return replace(sound, **changes)


def cluster(state: State | None = None, **changes: Any) -> LiveFacts:
    """A cluster of three control planes; changes: what is otherwise."""
    sound = LiveFacts(
        state=state or samples.three(),
        cluster=Told(UID),
        server=Told("v1.36.3"),
        kubernetes=Told("v1.36.3"),
        nodes={name: control_plane(name) for name in ("cp-1", "cp-2", "cp-3")},
    )
    return replace(sound, **changes)


def with_node(node: ControlPlane) -> LiveFacts:
    """A cluster with this one among its three."""
    sound = cluster()
    return replace(sound, nodes={**sound.nodes, node.name: node})
