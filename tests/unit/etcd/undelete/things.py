"""Resources and objects as API servers give them, for the tests of this room."""

from typing import Any

from kubectl_admin.etcd.undelete.facts import Found, Key, Live, Resource

VERBS = ("get", "list", "create")
TABLE = """
v1 namespaces Namespace - ns
v1 pods Pod + po
v1 secrets Secret + -
v1 configmaps ConfigMap + cm
v1 services Service + svc
v1 serviceaccounts ServiceAccount + sa
v1 endpoints Endpoints + ep
v1 events Event + ev
v1 nodes Node - no
v1 resourcequotas ResourceQuota + quota
v1 persistentvolumes PersistentVolume - pv
v1 persistentvolumeclaims PersistentVolumeClaim + pvc
apps/v1 deployments Deployment + deploy
apps/v1 replicasets ReplicaSet + rs
apps/v1 statefulsets StatefulSet + sts
apps/v1 controllerrevisions ControllerRevision + -
batch/v1 jobs Job + -
batch/v1 cronjobs CronJob + cj
networking.k8s.io/v1 ingresses Ingress + ing
rbac.authorization.k8s.io/v1 roles Role + -
rbac.authorization.k8s.io/v1 clusterroles ClusterRole - -
rbac.authorization.k8s.io/v1 rolebindings RoleBinding + -
rbac.authorization.k8s.io/v1 clusterrolebindings ClusterRoleBinding - -
discovery.k8s.io/v1 endpointslices EndpointSlice + -
apiextensions.k8s.io/v1 customresourcedefinitions CustomResourceDefinition - crd
snapshot.storage.k8s.io/v1 volumesnapshots VolumeSnapshot + vs
example.com/v1 widgets Widget + wd
example.com/v1 tenants Tenant - -
""".strip().splitlines()


def _resource(line: str) -> Resource:
    api, plural, kind, namespaced, short = line.split()
    group, _, version = api.rpartition("/")
    shorts = () if short == "-" else (short,)
    return Resource(group, version, plural, kind, namespaced == "+", kind.lower(), shorts, VERBS)


RESOURCES = [_resource(line) for line in TABLE]
BY_KIND = {each.kind: each for each in RESOURCES}


def thing(kind: str, name: str, namespace: str = "shop", uid: str = "", **fields: Any) -> dict[str, Any]:
    """An object of a kind, as the API gives it; its UID is made of its name. metadata: more of it."""
    resource = BY_KIND[kind]
    metadata = {
        "name": name,
        "uid": uid or f"uid-{kind}-{name}",
        "resourceVersion": "7",
        **fields.pop("metadata", {}),
    }
    if resource.namespaced:
        metadata["namespace"] = namespace
    return {"apiVersion": resource.api_version, "kind": kind, "metadata": metadata, **fields}


def owned(by: dict[str, Any], *, controller: bool = False) -> dict[str, Any]:
    """A reference to an owner."""
    reference = {"apiVersion": by["apiVersion"], "kind": by["kind"], "name": by["metadata"]["name"]}
    return {**reference, "uid": by["metadata"]["uid"], **({"controller": True} if controller else {})}


def key(item: dict[str, Any]) -> Key:
    """The key of an object."""
    resource, metadata = BY_KIND[item["kind"]], item["metadata"]
    return Key(resource.group, resource.plural, metadata.get("namespace", ""), metadata["name"])


def found(then: dict[str, Any], now: dict[str, Any] | None = None, **more: Any) -> Found:
    """An object of the snapshot, which is missing unless it is given."""
    return Found(BY_KIND[then["kind"]], key(then), then, now, **more)


def live(**more: Any) -> Live:
    """A live cluster that serves all kinds, without volumes."""
    return Live(**{"resources": RESOURCES, **more})
