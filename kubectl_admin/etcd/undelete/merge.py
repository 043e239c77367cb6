"""A live object with its changed fields as they were in the snapshot, and all else as it is. Pure.

Of an object that is there, much can't be set again: the selector of a Job, the node of a pod. Only the fields
that `compare` has found are other than they are now.
"""

from typing import Any

from kubectl_admin.etcd.undelete.compare import DEPTH, by_name, is_same
from kubectl_admin.etcd.undelete.facts import ABSENT, Json
from kubectl_admin.etcd.undelete.written import as_written


def put_back(then: Json, now: Json) -> Json:
    """The body that replaces the live object: with its version, its owners and its status.

    then, now: as the API gave them, with their kinds.
    """
    old, new = as_written(then), as_written(now)
    for side in (old, new):
        side["metadata"].pop("ownerReferences", None)
    head = {"apiVersion": now.get("apiVersion"), "kind": now.get("kind")}
    merged: Json = _merged(old, new, now, DEPTH)
    return {**merged, **head}


def _merged(then: Any, new: Any, now: Any, depth: int) -> Any:
    """A part of the object. then: as a person wrote it. new: as a person wrote it now. now: as it is."""
    if is_same(then, new):
        return now
    if depth and isinstance(then, dict) and isinstance(now, dict):
        written = new if isinstance(new, dict) else {}
        made = {field: value for field, value in now.items() if field in then or field not in written}
        for field, value in then.items():
            below = written.get(field, ABSENT)
            made[field] = value if field not in now else _merged(value, below, now[field], depth - 1)
        return made
    if depth and isinstance(then, list) and isinstance(new, list) and isinstance(now, list):
        old, named, there = (by_name(one) for one in (then, new, now))
        if old is not None and named is not None and there is not None:
            both = named.keys() & there.keys()
            return [
                _merged(one, named[name], there[name], depth - 1) if name in both else one
                for name, one in old.items()
            ]
    return then
