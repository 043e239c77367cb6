"""Manifests and archives as they are made, for tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kubectl_admin.backup.differences import Keys
from kubectl_admin.backup.facts import (
    Archive,
    Database,
    Kind,
    Lost,
    Manifest,
    Piece,
    SavedNode,
    Volume,
)
from kubectl_admin.control_plane.component import APISERVER
from kubectl_admin.control_plane.pod import static_pod
from kubectl_admin.etcd.stored.encryption import Encryption

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
UID = "0b1f6c1e-4a7d-4b5e-9a53-0f4c2d9d0f11"
OLD, NEW = "0" * 64, "f" * 64
CA = {"ca": frozenset({OLD}), "front-proxy-ca": frozenset({OLD}), "etcd-ca": frozenset({OLD})}
MOUNTS = {
    "/etc/kubernetes": "/etc/kubernetes",
    "/etc/admission": "/srv/admission",
    "/etc/ssl/certs": "/etc/ssl/certs",
}
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ETCD = Piece("etcd.db.zst.age", Kind.ETCD, 4_000_000, "a" * 64, 20_000_000, "cp-2", (RECIPIENT,))
FILES = Piece("files-cp-1.tar.zst.age", Kind.FILES, 40_000, "b" * 64, 300_000, "cp-1", (RECIPIENT,))


def manifest(**changes):
    whole = Manifest(
        tool="kubectl-admin 0.1.0",
        taken=NOW,
        verified=NOW + timedelta(seconds=20),
        cluster="prod",
        uid=UID,
        server="v1.36.3",
        nodes=(
            SavedNode("cp-1", True, {"kubelet": "v1.36.3", "containerd": "2.1.0"}),
            SavedNode("cp-2", True, {"kubelet": "v1.36.3"}, "its host gives no answer"),
            SavedNode("w1", False),
        ),
        pieces=(ETCD, FILES),
        database=Database("cp-2", 4711, 900, "3.6.0"),
        keys=("secrets aescbc key1",),
        volumes=(Volume("pv-1", "csi.example", "handle/1", "db/data-0"),),
        lost=(Lost("KMS plugin vault", "it holds the key", "cp-1"),),
    )
    return replace(whole, **changes)


def archive(age=timedelta(0), kinds=(ETCD, FILES), *, name="", verified=True, missing=0, uid=UID):
    """An archive that is so old at NOW. missing: bytes that the store lacks of it."""
    taken = NOW - age
    made = manifest(
        taken=taken,
        verified=taken if verified else None,
        uid=uid,
        pieces=tuple(kinds),
        database=Database("cp-2", 1, 1) if ETCD in kinds else None,
    )
    return Archive(name or f"backup-{taken:%Y%m%dT%H%M%SZ}.tar", 5_000_000 - missing, 5_000_000, made)


def part(*words, component=APISERVER, mounts=MOUNTS, env=()):
    """A part of the control plane that is started by these words."""
    names = {inside: f"v{number}" for number, inside in enumerate(mounts)}
    container = {
        "name": component,
        "command": [component, *words],
        "env": list(env),
        "volumeMounts": [{"name": name, "mountPath": inside} for inside, name in names.items()],
    }
    return static_pod(
        {
            "metadata": {"name": f"{component}-cp-1", "labels": {"component": component}},
            "spec": {
                "nodeName": "cp-1",
                "containers": [container],
                "volumes": [
                    {"name": name, "hostPath": {"path": mounts[inside]}} for inside, name in names.items()
                ],
            },
        }
    )


def control_plane(node="cp-1", **changes):
    known = {
        "authorities": CA,
        "signs": frozenset({OLD}),
        "accepts": frozenset({OLD}),
        "encryption": Encryption(),
        **changes,
    }
    return Keys(node, **known)
