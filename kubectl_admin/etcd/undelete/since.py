"""Whether anybody but controllers has changed an object since a run has made it. Pure.

Its field managers tell who has written it. One who only removes fields may not be among them: a field that is
gone counts as a person's change. Source: docs «Server-Side Apply», field management.
"""

from collections.abc import Mapping
from typing import Any

from kubectl_admin.cluster.decode import decode_moment, mapping
from kubectl_admin.etcd.undelete.compare import changes
from kubectl_admin.etcd.undelete.facts import ABSENT, Change, Json
from kubectl_admin.etcd.undelete.unfinished import managers

# Kubernetes' own, which write specs as well: the number of replicas, the volume of a claim, its class.
COMPONENTS = frozenset(
    {"cloud-controller-manager", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet"}
)
FINALIZERS, ANNOTATIONS = "metadata.finalizers", "metadata.annotations"
NETWORK_OF = "Pod"  # networks note the addresses of a pod in its annotations


def changed_since(made: Json | None, there: Json, manager: str) -> list[str] | None:
    """The fields in which it is another now, if not only controllers have written them; [] for none.

    None where that is not known, since the answer was lost when it was made. made: as the server has answered
    then. manager: of the run that has made it.
    """
    is_written = _is_written(there, manager)
    if made is None:
        return None if is_written else []
    found = [one for one in changes(made, there) if not _is_usual(one, there)]
    return [one.path for one in found if is_written or _is_removed(one)]


def _is_written(there: Json, manager: str) -> bool:
    """Whether anybody else than this run and Kubernetes itself has written it, but its status, since it is
    there; or whether that is not told.
    """
    writers = managers(there)
    since = decode_moment(mapping(there.get("metadata")).get("creationTimestamp"))
    return not writers or any(
        one.get("manager") not in (manager, *COMPONENTS)
        and one.get("subresource") != "status"
        and not _is_before(one, since)
        for one in writers
    )


def _is_before(one: Mapping[str, Any], since: Any) -> bool:
    """Whether a field manager is of a former life of the object, noted in it again."""
    at = decode_moment(one.get("time"))
    return bool(at and since and at < since)


def _is_usual(change: Change, there: Json) -> bool:
    """Whether it is one that controllers of any name make."""
    if change.path == FINALIZERS:
        return True
    return there.get("kind") == NETWORK_OF and change.path.startswith(ANNOTATIONS)


def _is_removed(change: Change) -> bool:
    """Whether something is gone."""
    both = isinstance(change.then, list) and isinstance(change.now, list)
    return change.now is ABSENT or (both and len(change.now) < len(change.then))
