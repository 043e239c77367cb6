"""Kinds that need a treatment of their own, by group and plural. Plain data."""

Name = tuple[str, str]  # group and plural

RBAC = "rbac.authorization.k8s.io"
NAMESPACES = ("", "namespaces")
DEFINITIONS = ("apiextensions.k8s.io", "customresourcedefinitions")
VOLUMES = ("", "persistentvolumes")
CLAIMS = ("", "persistentvolumeclaims")
SNAPSHOTS = ("snapshot.storage.k8s.io", "volumesnapshots")
TOKEN = "kubernetes.io/service-account-token"  # noqa: S105 - a type of Secret
