"""What a run that was cut has not noted in an object that it has made. Pure.

A reference to an owner that is made later, and the field managers of before, are noted once the object is
there. Its field managers tell that a run has made it: what a person has made, or has taken out of his own, is
his affair.
"""

from collections.abc import Mapping

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete.facts import Item, Json, Lack, State
from kubectl_admin.etcd.undelete.owners import references
from kubectl_admin.report.text import some_of

MANAGER = "kubectl-admin"  # of all writes; those of a run have its id behind it


def manager_of(operation: str) -> str:
    """The field manager by which the writes of a run are known."""
    return f"{MANAGER}-{operation}"


def lack_of(item: Item) -> Lack | None:
    """What is left to be noted in an object; None for nothing, and where no run has made it."""
    if item.now is None or item.held or item.state not in (State.THERE, State.CHANGED):
        return None
    makers = [
        name for one in managers(item.now) if (name := str(one.get("manager"))).startswith(f"{MANAGER}-")
    ]
    if not makers:
        return None
    noted = {one.get("uid") for one in references(item.now)}
    owners = tuple(owner for owner in item.owners if not owner.uid or owner.uid not in noted)
    there = {manager_key(one) for one in managers(item.now)}
    is_without = any(manager_key(one) not in there for one in applied(item.then))
    return Lack(tuple(makers), owners, managers=is_without) if owners or is_without else None


def said(lack: Lack) -> str:
    """What is left to be noted, for a person."""
    titles = [owner.key.title if owner.key else str(owner.reference.get("name")) for owner in lack.owners]
    owners = [f"its owner {some_of(titles)}"] if titles else []
    fields = ["its field managers"] if lack.managers else []
    return f"a run that was cut has not noted {' and '.join([*owners, *fields])} in it"


def managers(item: Mapping[str, object]) -> list[Json]:
    """The field managers of an object."""
    fields = mapping(item.get("metadata")).get("managedFields")
    return [one for one in (fields if isinstance(fields, list) else ()) if isinstance(one, dict)]


def applied(item: Mapping[str, object]) -> list[Json]:
    """Those of them that have applied it (server-side)."""
    return [one for one in managers(item) if one.get("operation") == "Apply" and not one.get("subresource")]


def manager_key(one: Mapping[str, object]) -> tuple[object, ...]:
    """By which a field manager is one of its kind."""
    return tuple(one.get(name) for name in ("manager", "operation", "subresource", "apiVersion"))
