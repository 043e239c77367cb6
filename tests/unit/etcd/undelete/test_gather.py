"""What is asked of a snapshot and of the live cluster, and what is made of odd answers."""

from typing import Any

import pytest

from kubectl_admin.cluster.errors import ApiError, Broken, Forbidden
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.undelete import judge
from kubectl_admin.etcd.undelete.facts import Asked, Found, Resource
from kubectl_admin.etcd.undelete.gather import Gathered, gather, refuse_malformed
from kubectl_admin.etcd.undelete.select import things
from kubectl_admin.finding import Severity
from tests.fakes.object_store import ObjectStore
from tests.unit.etcd.undelete.things import BY_KIND, RESOURCES, thing

NAMESPACE = thing("Namespace", "shop")


def gathered(past: ObjectStore, live: ObjectStore, *words: str, space: str | None = "shop") -> Gathered:
    asked = Asked(space, everywhere=space is None, things=things(words))
    return gather(past, live, asked, "default")  # type: ignore[arg-type]


def by_name(found: tuple[Found, ...]) -> dict[str, Found]:
    return {one.key.name: one for one in found}


def stored(store: ObjectStore, place: str, item: dict[str, Any]) -> ObjectStore:
    """An object under another name than its own."""
    store.items[place] = item
    return store


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(thing("ConfigMap", "a", namespace="kube-system"), id="of-another-namespace"),
        pytest.param(thing("ConfigMap", "a", namespace=""), id="of-none"),
    ],
)
def test_an_object_that_claims_to_be_elsewhere_is_not_read(lie: dict[str, Any]) -> None:
    past = ObjectStore(RESOURCES, NAMESPACE, thing("ConfigMap", "b"))
    stored(past, "/api/v1/namespaces/shop/configmaps/a", lie)
    found = gathered(past, ObjectStore(RESOURCES, NAMESPACE))
    assert by_name(found.found).keys() == {"shop", "b"}
    assert [(gap.what, "shop" in gap.why) for gap in found.unread] == [("configmaps of the snapshot", True)]


def test_two_objects_of_one_name_are_not_told_apart() -> None:
    past = ObjectStore(RESOURCES, NAMESPACE, thing("ConfigMap", "a"))
    stored(past, "/api/v1/namespaces/shop/configmaps/other", thing("ConfigMap", "a"))
    found = gathered(past, ObjectStore(RESOURCES, NAMESPACE))
    assert by_name(found.found).keys() == {"shop"}
    assert [gap.what for gap in found.unread] == ["configmaps of the snapshot"]


def test_one_that_is_asked_for_by_name_has_that_name() -> None:
    past = ObjectStore(RESOURCES, NAMESPACE)
    stored(past, "/api/v1/namespaces/shop/configmaps/a", thing("ConfigMap", "b"))
    found = gathered(past, ObjectStore(RESOURCES, NAMESPACE), "cm/a")
    assert (found.found, len(found.unread)) == ((), 1)


def test_it_is_told_where_a_single_object_was_looked_for() -> None:
    past, live = ObjectStore(RESOURCES, NAMESPACE), ObjectStore(RESOURCES, NAMESPACE)
    config, volume = things(["cm/cart", "pv/v"])
    asked = Asked(None, everywhere=False, things=(config, volume))
    assert gather(past, live, asked, "default").places == {config: "default"}  # type: ignore[arg-type]
    assert gathered(past, live, "cm/cart").places == {config: "shop"}


def test_a_selector_that_the_server_can_not_read_is_wrong_usage() -> None:
    class Api:
        def get(self, _path: str, query: list[tuple[str, str]]) -> None:
            assert ("labelSelector", "=x") in query
            raise ApiError(400, "BadRequest", "found '=', expected: identifier")

    with pytest.raises(UsageError, match=r"-l '=x' is no selector: found '='"):
        refuse_malformed(Api(), "=x")  # type: ignore[arg-type]


@pytest.mark.parametrize("side", ["past", "live"])
def test_odd_objects_of_a_kind_stop_only_that_kind(side: str) -> None:
    items = [NAMESPACE, thing("ConfigMap", "a"), *(thing("Widget", f"w{number}") for number in range(9))]
    stores = {"past": ObjectStore(RESOURCES, *items), "live": ObjectStore(RESOURCES, NAMESPACE)}

    def odd(_method: str, path: str, _body: object) -> None:
        if path.endswith("/widgets"):
            raise AdminError("item 3 of the answer: spec is not what the API has there")

    stores[side].hook = odd
    found = gathered(stores["past"], stores["live"])
    widgets = [one for one in found.found if one.key.plural == "widgets"]
    assert by_name(found.found)["a"].unknown == ""
    assert all("not what the API has" in one.unknown for one in widgets)
    assert bool(found.unread) is (side == "past")


def test_a_server_that_is_silent_ends_it() -> None:
    live = ObjectStore(RESOURCES, NAMESPACE)

    def silent(_method: str, path: str, _body: object) -> None:
        if "configmaps" in path:
            raise Broken("hung up")

    live.hook = silent
    with pytest.raises(Broken):
        gathered(ObjectStore(RESOURCES, NAMESPACE, thing("ConfigMap", "a")), live)


def definition(plural: str) -> dict[str, Any]:
    version = {"name": "v1", "served": True}
    spec = {"group": "late.example.com", "names": {"plural": plural}, "versions": [version]}
    condition = {"type": "Established", "status": "True"}
    name = f"{plural}.late.example.com"
    return thing("CustomResourceDefinition", name, spec=spec, status={"conditions": [condition]})


def test_a_kind_that_the_snapshot_serves_late_is_waited_for() -> None:
    past = ObjectStore(RESOURCES, NAMESPACE, definition("latecomers"))
    late = Resource("late.example.com", "v1", "latecomers", "Latecomer", True, verbs=BY_KIND["Pod"].verbs)
    past.clock.meanwhile = lambda _: past.resources.append(late) if late not in past.resources else None
    item = thing("ConfigMap", "a")
    item |= {"kind": "Latecomer", "apiVersion": "late.example.com/v1"}
    stored(past, "/apis/late.example.com/v1/namespaces/shop/latecomers/a", item)
    assert "a" in by_name(gathered(past, ObjectStore(RESOURCES, NAMESPACE)).found)


def test_a_kind_that_the_snapshot_never_serves_is_not_taken_for_one_without_objects() -> None:
    past = ObjectStore(RESOURCES, NAMESPACE, definition("latecomers"))
    found = gathered(past, ObjectStore(RESOURCES, NAMESPACE))
    assert [gap.what for gap in found.unread] == ["latecomers.late.example.com of the snapshot"]


def test_a_kind_that_cannot_be_listed_is_unread() -> None:
    past = ObjectStore(RESOURCES, NAMESPACE)

    def broken(_method: str, path: str, _body: object) -> None:
        if path.endswith("customresourcedefinitions"):
            raise ApiError(500, "InternalError", "can't be decoded")

    past.hook = broken
    found = gathered(past, ObjectStore(RESOURCES, NAMESPACE))
    assert [gap.what for gap in found.unread] == [
        "customresourcedefinitions.apiextensions.k8s.io of the snapshot"
    ]


def test_what_is_there_in_a_namespace_that_is_being_deleted_is_not_back() -> None:
    going = thing("Namespace", "shop", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    config = thing("ConfigMap", "a")
    found = gathered(ObjectStore(RESOURCES, NAMESPACE, config), ObjectStore(RESOURCES, going, config), "cm/a")
    planned = judge.plan(found.found, found.live, found.gaps)
    assert [(one.rule, one.severity) for one in planned.findings] == [
        ("undelete-terminating", Severity.VIOLATION)
    ]


def test_claims_that_are_being_deleted_are_seen_with_a_set() -> None:
    sets = thing("StatefulSet", "db", spec={"volumeClaimTemplates": [{"metadata": {"name": "data"}}]})
    claim = thing(
        "PersistentVolumeClaim", "data-db-0", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}
    )
    past = ObjectStore(RESOURCES, NAMESPACE, sets)
    live = ObjectStore(RESOURCES, NAMESPACE, claim, thing("PersistentVolumeClaim", "data-db-1"))
    assert gathered(past, live, "sts/db").live.leaving == {("shop", "data-db-0")}

    def refuse(_method: str, path: str, _body: object) -> None:
        if path.endswith("/persistentvolumeclaims"):
            raise Forbidden(403, "Forbidden", "no")

    live.hook = refuse
    found = gathered(past, live, "sts/db")
    assert (found.live.leaving, [gap.what for gap in found.gaps]) == (None, ["claims"])
