"""By which an object is known to be the same one, and unchanged. Pure."""

from collections.abc import Mapping

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete.facts import Json


def version_of(there: Mapping[str, object] | None) -> object:
    """The resourceVersion of an object; None for none."""
    return mapping(mapping(there).get("metadata")).get("resourceVersion")


def same(there: Json) -> Json:
    """Metadata, or preconditions, by which a write is refused where the object is another, or has changed."""
    return {"uid": there["metadata"].get("uid"), "resourceVersion": version_of(there)}
