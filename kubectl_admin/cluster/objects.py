"""The form of an API server's answers before anybody looks into them: objects with a name, lists of those.

An answer that is something else comes from another server, a proxy or a bug; a sentence reports it, and an
empty one is never taken for a list of nothing. Pure.

Source: docs «Kubernetes API Concepts», resource URIs; apimachinery pkg/apis/meta/v1 types.go.
"""

from collections.abc import Mapping
from typing import Any

from kubectl_admin.cluster.decode import decode_object, mapping
from kubectl_admin.errors import AdminError

NOT_IT = "check that this address is the API server's"
MAPS = ("metadata", "spec", "status", "data")  # fields of an object that are objects themselves
LISTS = ("managedFields", "ownerReferences")  # fields of its metadata that are lists of objects


Object = Mapping[str, Any]
ObjectName = tuple[str, str]  # namespace and name; the namespace is "" for an object of the whole cluster


def name_of(item: Object) -> ObjectName:
    """Namespace and name of an object."""
    return item["metadata"].get("namespace") or "", item["metadata"]["name"]


def find_condition(item: Object, kind: str) -> Object:
    """The condition of this type in an object's status; empty if there is none."""
    for each in (item.get("status") or {}).get("conditions") or ():
        if each.get("type") == kind:
            return mapping(each)
    return {}


def has_condition(item: Object, kind: str) -> bool:
    """Whether this condition of an object is True. False and Unknown are not, nor is one that is missing."""
    return find_condition(item, kind).get("status") == "True"


def is_being_deleted(item: Object) -> bool:
    """Whether an object is to go as soon as its finalizers, and a pod's grace period, let it."""
    return bool(mapping(item.get("metadata")).get("deletionTimestamp"))


def is_ready(item: Object) -> bool:
    """Whether a node or a pod is Ready."""
    return has_condition(item, "Ready")


def decode_answer(body: bytes, path: str) -> dict[str, Any]:
    """The object of JSON that answers what was asked of a path; raises AdminError for none."""
    if not body:
        raise AdminError(f"the answer to {path} is empty", NOT_IT)
    return decode_object(body, f"the answer to {path}", NOT_IT)


def check_answer(document: Mapping[str, Any], path: str) -> None:
    """Raises AdminError unless the document is what the path names: a list, or an object with a name.

    Of paths that are not of resources («/version») any object will do.
    """
    match depth(path):
        case 0:
            return
        case 1:
            items_of(document, path)
        case _:
            check_object(document, f"the answer to {path}")


def answers_with_object(method: str, path: str) -> bool:
    """Whether a change is answered with what has become of the object, and not with a word of how it went."""
    return method in ("PUT", "PATCH") or (method == "POST" and depth(path) == 1)


def items_of(document: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """The objects of a list; raises AdminError unless it is one. A list of nothing may be null."""
    what = f"the answer to {path}"
    items = document.get("items", NOT_IT)
    items = [] if items is None else items
    if not isinstance(items, list) or not isinstance(document.get("metadata", {}), dict):
        raise AdminError(f"{what} is not a list of objects", NOT_IT)
    for place, item in enumerate(items):
        check_object(item, f"item {place} of {what}")
    return items


def version_of(document: Mapping[str, Any], path: str) -> str:
    """The resourceVersion of a list or an object, where a watch continues; raises AdminError for none."""
    version = mapping(document.get("metadata")).get("resourceVersion")
    if not isinstance(version, str) or not version:
        raise AdminError(f"the answer to {path} has no resourceVersion", NOT_IT)
    return version


def check_object(said: object, what: str) -> None:
    """Raises AdminError unless this is an object with a name, whose parts have the types that they must have.

    what: names it in the error.
    """
    check_parts(said, what)
    if not isinstance(mapping(mapping(said).get("metadata")).get("name"), str):
        raise AdminError(f"{what} is an object without a name", NOT_IT)


def check_parts(said: object, what: str) -> None:
    """The same without the name, which an object that only says how far a watch has come lacks."""
    if not isinstance(said, dict) or not isinstance(said.get("metadata"), dict):
        raise AdminError(f"{what} is not an object of the API", NOT_IT)
    metadata, status = said["metadata"], mapping(said.get("status"))
    odd = [field for field in MAPS if field in said and not isinstance(said[field], dict)]
    odd += [field for field in ("labels", "annotations") if not are_texts(metadata.get(field))]
    odd += [field for field in LISTS if not are_objects(metadata.get(field))]
    odd += ["status.conditions"] if not are_objects(status.get("conditions")) else []
    odd += ["spec.containers"] if not are_objects(mapping(said.get("spec")).get("containers")) else []
    if odd:
        raise AdminError(f"{what}: {odd[0]} is not what the API has there", NOT_IT)


def are_texts(said: object) -> bool:
    """Whether this is an object whose values are text; one that is not there is."""
    return said is None or (isinstance(said, dict) and all(isinstance(each, str) for each in said.values()))


def are_objects(said: object) -> bool:
    """Whether this is a list of objects; one that is not there is."""
    return said is None or (isinstance(said, list) and all(isinstance(each, dict) for each in said))


def depth(path: str) -> int:
    """How much of a path («/api/v1/namespaces/ns/pods/p») follows its group, version and namespace.

    1 is a list, 2 an object, 3 what belongs to one; 0 is nothing of the API's resources.
    """
    match path.split("/")[1:]:
        case ["api", _, *rest] | ["apis", _, _, *rest]:
            return len(rest[2:] if rest[:1] == ["namespaces"] and len(rest) > 2 else rest)
    return 0
