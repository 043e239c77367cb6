"""Objects of many kinds in a namespace, and how it is deleted: what etcd-undelete is tried on."""

import contextlib
import json
from collections.abc import Iterable
from typing import Any

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import ApiError, NotFound
from kubectl_admin.etcd.undelete.discovery import discover
from tests.permissions import Stage

Object = dict[str, Any]
Named = tuple[str, str]  # kind and name
GROUP = "undelete.example.com"
WIDGETS = f"/apis/{GROUP}/v1/namespaces"
POD = {"containers": [{"name": "c", "image": "none"}]}
RBAC = "rbac.authorization.k8s.io/v1"
APPLIER = "argocd-controller"


def one(space: str, kind: str, name: str, version: str = "v1", **fields: Any) -> Object:
    """An object in a namespace."""
    metadata = {"name": name, "namespace": space, **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def template(name: str) -> Object:
    return {"metadata": {"labels": {"app": name}}, "spec": POD}


def of_every_kind(space: str) -> list[Object]:
    """What a person writes for an application."""
    selector = {"matchLabels": {"app": "web"}}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    headless = {"clusterIP": "None", "ports": [{"port": 80}]}
    port = {"port": 80, "name": "http"}
    job = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "web"}
    user = {"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}
    rule = {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
    return [
        one(space, "ConfigMap", "web", data={"a": "1"}, metadata={"labels": {"app": "web"}}),
        one(space, "ConfigMap", "kept", metadata={"finalizers": ["example.com/kept"]}),
        one(space, "Secret", "web", stringData={"password": "back again"}),
        one(space, "ServiceAccount", "web"),
        one(space, "Service", "web", spec={"type": "NodePort", "ports": [port], "selector": {"app": "web"}}),
        one(space, "Service", "db", spec=headless),
        one(space, "Deployment", "web", "apps/v1", spec={"selector": selector, "template": template("web")}),
        one(
            space,
            "StatefulSet",
            "db",
            "apps/v1",
            spec={
                "selector": selector,
                "template": template("web"),
                "serviceName": "db",
                "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
            },
        ),
        one(space, "CronJob", "tidy", "batch/v1", spec={"schedule": "@daily", "jobTemplate": {"spec": job}}),
        one(space, "PodDisruptionBudget", "web", "policy/v1", spec={"minAvailable": 1, "selector": selector}),
        one(space, "Role", "web", RBAC, rules=[rule]),
        one(space, "RoleBinding", "web", RBAC, roleRef=role, subjects=[user]),
        one(space, "Widget", "owner", f"{GROUP}/v1", spec={"size": 3}),
    ]


def definition() -> Object:
    """The kind Widget."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": "Widget", "plural": "widgets"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def owned(space: str, owner: Object, kind: str, name: str, version: str = "v1", **fields: Any) -> Object:
    """An object that another one owns, and controls."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {"ownerReferences": [reference], **fields.pop("metadata", {})}
    return one(space, kind, name, version, metadata=metadata, **fields)


def volume(name: str, space: str, claim: str, uid: str) -> Object:
    """A volume that is bound to a claim."""
    reference = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": space,
        "name": claim,
        "uid": uid,
    }
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": f"/srv/{name}"},
        "claimRef": reference,
    }
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def fill(stage: Stage, cluster: Cluster, space: str, many: int = 0) -> None:
    """Makes all of it in a new namespace; what controllers would make of it as well."""
    stage.kubectl("create", "namespace", space)
    items = of_every_kind(space)
    items += [one(space, "ConfigMap", f"many-{number}", data={"n": str(number)}) for number in range(many)]
    stage.kubectl("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
    deployment = kinded(cluster.get(f"/apis/apps/v1/namespaces/{space}/deployments/web"), items[6])
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template("web")}
    replicas = owned(space, deployment, "ReplicaSet", "web-1", "apps/v1", spec=spec)
    made = cluster.post(f"/apis/apps/v1/namespaces/{space}/replicasets", replicas)
    cluster.post(f"/api/v1/namespaces/{space}/serviceaccounts", one(space, "ServiceAccount", "default"))
    pod = owned(space, kinded(made, replicas), "Pod", "web-1-x", spec=POD)
    cluster.post(f"/api/v1/namespaces/{space}/pods", pod)
    widget = cluster.get(f"{WIDGETS}/{space}/widgets/owner")
    cluster.post(f"/api/v1/namespaces/{space}/configmaps", owned(space, widget, "ConfigMap", "of-widget"))
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    of_widget = owned(space, widget, "PersistentVolumeClaim", "claim-of-widget", spec=spec)
    cluster.post(f"/api/v1/namespaces/{space}/persistentvolumeclaims", of_widget)
    applied = one(space, "ConfigMap", "applied", data={"by": "argo"})
    cluster.patch(
        f"/api/v1/namespaces/{space}/configmaps/applied",
        applied,
        "application/apply-patch+yaml",
        [("fieldManager", APPLIER)],
    )
    keep(cluster, space)


def keep(cluster: Cluster, space: str) -> None:
    """A claim of the StatefulSet, bound to a volume."""
    name = f"{space}-data"
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "volumeName": name,
        "storageClassName": "",
    }
    annotations = {"pv.kubernetes.io/bind-completed": "yes", "pv.kubernetes.io/bound-by-controller": "yes"}
    body = one(space, "PersistentVolumeClaim", "data-db-0", spec=claim, metadata={"annotations": annotations})
    made = cluster.post(f"/api/v1/namespaces/{space}/persistentvolumeclaims", body)
    cluster.post("/api/v1/persistentvolumes", volume(name, space, "data-db-0", made["metadata"]["uid"]))
    set_phase(cluster, name, "Bound")


def set_phase(cluster: Cluster, name: str, phase: str) -> None:
    """A volume's phase, as its controller would set it."""
    path = f"/api/v1/persistentvolumes/{name}/status"
    cluster.patch(path, {"status": {"phase": phase}}, MERGE_PATCH)


def empty(cluster: Cluster, space: str) -> None:
    """Deletes the namespace with all that is in it, as its controller does; volumes are released."""
    with contextlib.suppress(ApiError):
        cluster.delete(f"/api/v1/namespaces/{space}")
    wipe(cluster, space)
    try:
        there = cluster.get(f"/api/v1/namespaces/{space}")
    except NotFound:
        return
    there["spec"] = {"finalizers": []}
    cluster.put(f"/api/v1/namespaces/{space}/finalize", there)


def wipe(cluster: Cluster, space: str) -> None:
    """Deletes all objects in the namespace, past their finalizers; volumes are released."""
    for resource in discover(cluster).preferred:
        if not resource.namespaced:
            continue
        for item in list(cluster.list(resource.path(space))):
            path = resource.path(space, item["metadata"]["name"])
            if item["metadata"].get("finalizers"):
                cluster.patch(path, {"metadata": {"finalizers": None}}, MERGE_PATCH)
            try:
                cluster.delete(path, {"gracePeriodSeconds": 0, "propagationPolicy": "Background"})
            except NotFound:
                continue
            if resource.plural == "persistentvolumeclaims":
                try:
                    set_phase(cluster, f"{space}-data", "Released")
                except NotFound:
                    continue


def release(cluster: Cluster, space: str) -> None:
    """Removes the finalizers of the claims, as the controller does that protects those in use."""
    for item in list(cluster.list(f"/api/v1/namespaces/{space}/persistentvolumeclaims")):
        path = f"/api/v1/namespaces/{space}/persistentvolumeclaims/{item['metadata']['name']}"
        cluster.patch(path, {"metadata": {"finalizers": None}}, MERGE_PATCH)


def kinded(made: Object, asked: Object) -> Object:
    return {**made, "apiVersion": asked["apiVersion"], "kind": asked["kind"]}


def read(cluster: Cluster, space: str) -> dict[Named, Object]:
    """All objects of a namespace, by kind and name."""
    found = {}
    for resource in discover(cluster).preferred:
        if resource.namespaced and resource.plural != "events":
            for item in cluster.list(resource.path(space)):
                found[resource.kind, item["metadata"]["name"]] = item
    return found


OF_ONE_LIFE = ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")


def lasting(item: Object) -> Object:
    """An object but for ids, times and status."""
    copy: Object = json.loads(json.dumps(item))
    copy.pop("status", None)
    metadata = copy["metadata"]
    for field in OF_ONE_LIFE:
        metadata.pop(field, None)
    for name in [name for name in metadata.get("annotations") or () if name.startswith("pv.kubernetes.io/")]:
        del metadata["annotations"][name]
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    for reference in metadata.get("ownerReferences") or ():
        reference.pop("uid")
    return copy


def all_lasting(items: dict[Named, Object], without: Iterable[str]) -> dict[Named, Object]:
    """Those of them that come back, as they do. without: kinds that controllers make."""
    made = ("ServiceAccount", "default")
    return {key: lasting(item) for key, item in items.items() if key[0] not in without and key != made}
