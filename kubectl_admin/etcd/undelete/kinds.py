"""Kinds that need a treatment of their own: as resources, and by group and plural. Plain data."""

from kubectl_admin.etcd.undelete.facts import Resource

Name = tuple[str, str]  # group and plural

NAMESPACE = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
VOLUME = Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)
CLAIM = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced=True)
DEFINITION = Resource(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False
)

NAMESPACES, VOLUMES, CLAIMS, DEFINITIONS = (
    (each.group, each.plural) for each in (NAMESPACE, VOLUME, CLAIM, DEFINITION)
)
SNAPSHOTS = ("snapshot.storage.k8s.io", "volumesnapshots")
SECRETS = ("", "secrets")
SETS = ("apps", "statefulsets")
RBAC = "rbac.authorization.k8s.io"
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret
