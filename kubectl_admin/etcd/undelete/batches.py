"""How many objects of a plan are made at a time, and which are of no use once others are refused. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from kubectl_admin.etcd.undelete.entries import Deed, Intent
from kubectl_admin.etcd.undelete.facts import Item, Json, State
from kubectl_admin.etcd.undelete.kinds import CLAIMS
from kubectl_admin.etcd.undelete.rehearse import coming
from kubectl_admin.etcd.undelete.volumes import claims_of

BATCH = 64  # objects


def intent(item: Item) -> Intent:
    """The change that an item is."""
    deed = Deed.CREATE if item.state is State.MISSING else Deed.REPLACE
    return Intent(deed, item.resource, item.key.namespace, item.key.name, item.now)


def noted(item: Item, made: Json) -> Json:
    """The object as the server has answered, for the journal: without who has written which field."""
    metadata = {name: value for name, value in made["metadata"].items() if name != "managedFields"}
    head = {"apiVersion": item.resource.api_version, "kind": item.resource.kind}
    return {**made, **head, "metadata": metadata}


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in their order, some at a time: they are of one kind, and none of them owns another."""
    batch: list[Item] = []
    for item in items:
        owners = {owner.key for owner in item.owners if not owner.later}
        if batch and (
            len(batch) == BATCH
            or (batch[-1].key.group, batch[-1].key.plural) != (item.key.group, item.key.plural)
            or any(other.key in owners for other in batch)
        ):
            yield batch
            batch = []
        batch.append(item)
    if batch:
        yield batch


def lacking(item: Item, failed: Sequence[Item]) -> str:
    """Why an item is of no use without those that could not be made; "" where it is. Pure."""
    spaces, kinds = coming(failed)
    if item.key.namespace in spaces:
        return "its namespace could not be made"
    if (item.resource.group, item.resource.plural) in kinds:
        return "its kind could not be made"
    keys = {each.key: each for each in failed}
    owner = next((keys[one.key] for one in item.owners if one.key in keys), None)
    if owner:
        return f"its owner {owner.title} could not be made"
    claims = {each.key.name for each in failed if is_claim_of(each, item)}
    if made := sorted(claims & set(claims_of(item.then, claims))):
        return f"it would make an empty claim {made[0]}, whose volume could not be bound"
    return ""


def is_claim_of(claim: Item, item: Item) -> bool:
    """Whether this is a claim in the namespace of an item."""
    is_claim = (claim.resource.group, claim.resource.plural) == CLAIMS
    return is_claim and claim.key.namespace == item.key.namespace
