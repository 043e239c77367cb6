"""The snapshot's side: what is stored means the same as what the API would have said."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.etcd.restore.consequences.collect import DATABASES, Collector
from kubectl_admin.etcd.restore.consequences.facts import Side
from kubectl_admin.etcd.restore.consequences.stored import places, side
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.snapshot.verify import indexed, opened_database
from tests.unit.etcd.diff.history import History
from tests.unit.etcd.restore.consequences.objects import (
    attachment,
    content,
    csi,
    database,
    endpoints,
    node,
    volume,
    webhook,
    workload,
)
from tests.unit.etcd.stored.encoded import kept

KINDS = {
    "minions": "v1 Node",
    "persistentvolumes": "v1 PersistentVolume",
    "volumeattachments": "storage.k8s.io/v1 VolumeAttachment",
    "endpointslices": "discovery.k8s.io/v1 EndpointSlice",
    "services/specs": "v1 Service",
    "validatingwebhookconfigurations": "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
    "mutatingwebhookconfigurations": "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
    "deployments": "apps/v1 Deployment",
    "statefulsets": "apps/v1 StatefulSet",
    "daemonsets": "apps/v1 DaemonSet",
    "cronjobs": "batch/v1 CronJob",
    "jobs": "batch/v1 Job",
    "snapshot.storage.k8s.io/volumesnapshotcontents": "snapshot.storage.k8s.io/v1 VolumeSnapshotContent",
    "postgresql.cnpg.io/clusters": "postgresql.cnpg.io/v1 Cluster",
    "crd.projectcalico.org/ipamblocks": "crd.projectcalico.org/v1 IPAMBlock",
    "cilium.io/ciliumnodes": "cilium.io/v2 CiliumNode",
}
OUTSIDE = {
    "metadata": {"namespace": "ns", "name": "out"},
    "spec": {"type": "ExternalName", "externalName": "x"},
}
NIGHTLY = {
    "metadata": {"namespace": "ns", "name": "nightly"},
    "spec": {"jobTemplate": {"spec": workload("", "backup:2")["spec"]}},
}
EVERYTHING: list[tuple[str, dict[str, Any]]] = [
    ("minions", node("w1", "10.0.1.0/24", "fd00:1::/64", images=["docker.io/library/nginx:1"])),
    ("persistentvolumes", volume("disk", "ns/a", csi=csi("1"), kept=True)),
    ("persistentvolumes", volume("mount", "ns/b", on="w1", local={"path": "/mnt/a"})),
    ("persistentvolumes", volume("old", hostPath={"path": "/srv"})),
    ("persistentvolumes", volume("share", nfs={"server": "10.0.0.9", "path": "/x"})),
    ("volumeattachments", attachment("tie", "w1", "disk")),
    ("services/specs", OUTSIDE),
    ("endpointslices", endpoints("ns/policy", ("w1", True), ("w2", False))),
    ("endpointslices", endpoints("ns/gone", ("w2", False))),
    ("validatingwebhookconfigurations", webhook("policy", "ns/policy", ["pods", "nodes"])),
    ("mutatingwebhookconfigurations", webhook("inject", "ns/inject", ["*"])),
    ("deployments", workload("web", "nginx:1")),
    ("deployments", workload("off", "off:1", replicas=0)),
    ("statefulsets", workload("db", "db:1")),
    ("daemonsets", workload("net", "net:1")),
    ("cronjobs", NIGHTLY),
    ("jobs", workload("once", "once:1")),
    ("snapshot.storage.k8s.io/volumesnapshotcontents", content("s", "s-1")),
    ("postgresql.cnpg.io/clusters", database("main", "main-1")),
    ("crd.projectcalico.org/ipamblocks", {"metadata": {"name": "10-0-0-0-26"}}),
    ("cilium.io/ciliumnodes", {"metadata": {"name": "w1"}}),
]


def key(place: str, item: dict[str, Any]) -> bytes:
    metadata = item["metadata"]
    return "/".join(filter(None, ("/registry", place, metadata.get("namespace"), metadata["name"]))).encode()


def whole(place: str, item: dict[str, Any]) -> dict[str, Any]:
    version, kind = KINDS[place].split()
    return {"apiVersion": version, "kind": kind, **item}


def read(tmp_path: Path, history: History) -> Side:
    with opened_database(history.save(tmp_path / "a.db")) as opened:
        latest = indexed(opened, lambda _done, _total: None)
        assert isinstance(latest, Latest)
        return side(latest)


def test_it_means_what_the_api_would_have_said(tmp_path):
    history, collector = History(), Collector()
    for place, item in EVERYTHING:
        custom = "." in place.partition("/")[0]
        value = json.dumps(whole(place, item)).encode() if custom else kept(whole(place, item))
        history.put(key(place, item), value)
        collector.take(*places()[place], item)
    found = read(tmp_path, history)
    assert found == collector.side()
    assert (len(found.volumes), len(found.hooks), len(found.templates), len(found.address_kinds)) == (
        4,
        2,
        5,
        2,
    )


def test_every_resource_has_its_place():
    assert set(places()) == set(KINDS)


@pytest.mark.parametrize("value", [b"k8s:enc:aescbc:v1:key1:xx", b"nonsense", b'{"kind": "Cluster"}'])
def test_what_can_not_be_read_is_counted(tmp_path, value):
    history = History().put(b"/registry/postgresql.cnpg.io/clusters/db/main", value)
    group, resource = DATABASES
    assert read(tmp_path, history).unread == {f"{resource}.{group}": 1}
