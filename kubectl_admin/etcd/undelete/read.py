"""An object of the API, read or not there, and the words of a server that refuses to tell it."""

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Forbidden, NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.facts import Json, Key, Resource
from kubectl_admin.pool import OddError


def get(cluster: Cluster, path: str) -> Json | None:
    """The object at a path; None where there is none."""
    try:
        found: Json = cluster.get(path)
    except NotFound:
        return None
    return found


def kinded(resource: Resource, item: Json) -> Json:
    """The object with its kind, which those of a list lack."""
    return {**item, "apiVersion": resource.api_version, "kind": resource.kind}


def key_of(resource: Resource, item: Json) -> Key:
    metadata = item["metadata"]
    return Key(resource.group, resource.plural, str(metadata.get("namespace") or ""), metadata["name"])


def is_answer(error: AdminError) -> bool:
    """Whether a server has answered, with a refusal or with something odd. Silence tells of nothing."""
    return isinstance(error, ApiError | OddError) or type(error) is AdminError


def permission(error: AdminError) -> str:
    """The right that is missing, where it is that."""
    return f"{error.verb} {error.resource}" if isinstance(error, Forbidden) and error.verb else ""


def words(error: AdminError) -> str:
    """The server's own words."""
    return str(getattr(error, "message", "") or error.what)
