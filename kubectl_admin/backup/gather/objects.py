"""Objects of the API that a new cluster is made by, as a tar of JSON: kubeadm's settings, volumes and claims.

They are in the snapshot as well; here they can be read without etcd. No Secret is among them.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_admin.backup import ustar
from kubectl_admin.backup.facts import Volume
from kubectl_admin.backup.ustar import END, Entry, padded
from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.cluster.objects import Object, name_of
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.part_file import Draft

KUBE_PUBLIC = "kube-public"
SETTINGS = (
    (KUBE_SYSTEM, "kubeadm-config"),
    (KUBE_SYSTEM, "kubelet-config"),
    (KUBE_SYSTEM, "kube-proxy"),
    (KUBE_PUBLIC, "cluster-info"),
    (KUBE_PUBLIC, "kube-root-ca.crt"),
)
SNAPSHOTS = "snapshot.storage.k8s.io"
VOLUMES = "persistentvolumes"
LISTS = {
    VOLUMES: f"/api/v1/{VOLUMES}",
    "persistentvolumeclaims": "/api/v1/persistentvolumeclaims",
    "storageclasses": "/apis/storage.k8s.io/v1/storageclasses",
    "volumesnapshotclasses": f"/apis/{SNAPSHOTS}/v1/volumesnapshotclasses",
    "volumesnapshotcontents": f"/apis/{SNAPSHOTS}/v1/volumesnapshotcontents",
    "volumesnapshots": f"/apis/{SNAPSHOTS}/v1/volumesnapshots",
}
RIGHTS = (
    Right("get", "configmaps", KUBE_SYSTEM),
    Right("get", "configmaps", KUBE_PUBLIC),
    Right("list", VOLUMES),
    Right("list", "persistentvolumeclaims"),
    Right("list", "storageclasses", group="storage.k8s.io"),
    *(Right("list", f"volumesnapshot{kind}", group=SNAPSHOTS) for kind in ("classes", "contents", "s")),
)


def write(cluster: Cluster, draft: Draft) -> tuple[Volume, ...]:
    """Writes the tar, object by object as they come, and returns the volumes, whose data no backup holds.

    What the cluster does not have, as a kube-proxy, is left out. Raises AdminError for what can't be read.
    """
    volumes = list[Volume]()
    for namespace, name in SETTINGS:
        try:
            item = cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        except NotFound:
            continue
        _write(draft, f"configmaps/{namespace}/{name}", item)
    for resource, path in LISTS.items():
        for item in _listed(cluster, path):
            namespace, name = name_of(item)
            _write(draft, "/".join(filter(None, (resource, namespace, name))), item)
            if resource == VOLUMES:
                volumes.append(volume(item))
    draft.write(END)
    return tuple(volumes)


def volume(item: Object) -> Volume:
    """A PersistentVolume: where its data is. Of options of a driver nothing: they may be secret."""
    spec = mapping(item.get("spec"))
    claim = mapping(spec.get("claimRef"))
    claimed = f"{claim.get('namespace')}/{claim.get('name')}" if claim else ""
    csi = mapping(spec.get("csi"))
    if csi:
        driver, handle = str(csi.get("driver") or ""), str(csi.get("volumeHandle") or "")
    else:
        driver, source = _in_tree(spec)
        server = f"{source['server']}:" if isinstance(source.get("server"), str) else ""
        handle = f"{server}{source.get('path') or source.get('volumeID') or ''}"
    return Volume(str(item["metadata"]["name"]), driver, handle, claimed)


def _in_tree(spec: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The kind of a volume that no CSI driver has, and its source."""
    for kind in ("local", "hostPath", "nfs", "iscsi", "fc", "rbd", "cephfs", "glusterfs", "vsphereVolume"):
        if isinstance(spec.get(kind), dict):
            return kind, spec[kind]
    return "", {}


def _listed(cluster: Cluster, path: str) -> Iterator[Object]:
    """The objects of a list; none where the API has no such kind."""
    try:
        yield from cluster.list(path)
    except NotFound:
        return


def _write(draft: Draft, name: str, item: Object) -> None:
    metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
    text = (json.dumps({**item, "metadata": metadata}, indent=1) + "\n").encode()
    header = ustar.header(Entry(f"objects/{_safe(name)}.json", len(text)))
    draft.write(header + text.ljust(padded(len(text)), b"\0"))


def _safe(name: str) -> str:
    """A name of the API as the name of a file: some have «:» in them, and may be long."""
    parts = [part.replace(":", "_")[:200] for part in name.split("/")]
    return "/".join(parts)
