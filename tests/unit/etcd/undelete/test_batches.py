from typing import Any

from kubectl_admin.etcd.undelete.batches import BATCH, batches, lacking
from kubectl_admin.etcd.undelete.facts import Item, Owner, State
from tests.unit.etcd.undelete.things import BY_KIND, key, owned, thing


def item(then: dict[str, Any], *owners: dict[str, Any]) -> Item:
    """An object that is missing."""
    ties = tuple(Owner(owned(one), key(one), comes_back=True) for one in owners)
    return Item(BY_KIND[then["kind"]], key(then), then, None, State.MISSING, owners=ties)


def names(items: list[Item]) -> list[list[str]]:
    return [[one.key.name for one in batch] for batch in batches(items)]


def test_objects_of_a_kind_are_made_together() -> None:
    items = [item(thing("ConfigMap", name)) for name in "ab"] + [item(thing("Secret", "c"))]
    assert names(items) == [["a", "b"], ["c"]]


def test_no_more_than_a_batch_is_begun_at_once() -> None:
    items = [item(thing("ConfigMap", f"{number:03}")) for number in range(2 * BATCH + 1)]
    assert [len(batch) for batch in names(items)] == [BATCH, BATCH, 1]


def test_an_owner_is_made_before_what_it_owns() -> None:
    first = thing("ConfigMap", "a")
    items = [item(first), item(thing("ConfigMap", "b")), item(thing("ConfigMap", "c"), first)]
    assert names(items) == [["a", "b"], ["c"]]


def test_what_needs_a_refused_object_is_left_out() -> None:
    space, owner = thing("Namespace", "shop"), thing("Widget", "w")
    names = {"group": "example.com", "names": {"plural": "widgets"}}
    kind = thing("CustomResourceDefinition", "widgets.example.com", spec=names)
    assert lacking(item(thing("ConfigMap", "a")), [item(space)]) == "its namespace could not be made"
    assert lacking(item(thing("ConfigMap", "a", "other")), [item(space)]) == ""
    assert lacking(item(owner), [item(kind)]) == "its kind could not be made"
    why = "its owner widget.example.com/w in shop could not be made"
    assert lacking(item(thing("ConfigMap", "a"), owner), [item(owner)]) == why


def test_a_set_that_would_make_an_empty_claim_is_left_out() -> None:
    spec = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    claims = [item(thing("PersistentVolumeClaim", f"data-db-{number}")) for number in range(2)]
    why = "it would make an empty claim data-db-0, whose volume could not be bound"
    assert lacking(item(thing("StatefulSet", "db", spec=spec)), claims) == why
    assert lacking(item(thing("StatefulSet", "web", spec=spec)), claims) == ""
    assert lacking(item(thing("StatefulSet", "db", "other", spec=spec)), claims) == ""
