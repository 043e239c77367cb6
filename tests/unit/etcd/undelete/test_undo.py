"""What is taken back, and what of others must stay."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster.errors import ApiError, Conflict
from kubectl_admin.etcd.undelete import outcome
from kubectl_admin.etcd.undelete.entries import Deed, Entry, Head, Intent
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.undo import pending, staying, take_back
from tests.fakes.object_store import ObjectStore
from tests.unit.etcd.undelete.things import BY_KIND, RESOURCES, owned, thing

BEGAN = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
SPACE = "/api/v1/namespaces/shop"
OLD, NEW = "2026-11-01T00:00:00Z", "2026-11-30T16:00:05Z"


def journal(path: Path, *items: dict[str, Any]) -> Journal:
    """One that tells that these were made."""
    made = Journal.begin(path / "journal.jsonl", Head("op", "s.db", "", "", BEGAN))
    for item in items:
        resource, metadata = BY_KIND[item["kind"]], item["metadata"]
        intent = Intent(Deed.CREATE, resource, metadata.get("namespace", ""), metadata["name"])
        made.note(done(entry, item) for entry in made.intend([intent]))
    return made


def done(entry: Entry, item: dict[str, Any]) -> Entry:
    return replace(entry, uid=item["metadata"]["uid"], after=item)


def volume(policy: str, created: str) -> dict[str, Any]:
    reference = {"namespace": "shop", "name": "data", "uid": "uid-PersistentVolumeClaim-data"}
    spec = {"persistentVolumeReclaimPolicy": policy, "claimRef": reference}
    metadata = {"creationTimestamp": created}
    return thing("PersistentVolume", "v", metadata=metadata, spec=spec, status={"phase": "Bound"})


NAMESPACE = thing("Namespace", "shop")
MADE = "2026-11-30T16:00:03Z"
CLAIM = thing("PersistentVolumeClaim", "data", spec={"volumeName": "v"}, metadata={"creationTimestamp": MADE})


def outcomes(store: ObjectStore, noted: Journal, *, changed: bool = False) -> dict[str, str]:
    undone = take_back(store, noted, changed=changed)  # type: ignore[arg-type]
    return {one.entry.name: str(one.became) for one in undone}


def test_a_claim_that_is_left_is_not_deleted_with_its_namespace(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, NAMESPACE, CLAIM, volume("Delete", OLD))
    found = outcomes(store, journal(tmp_path, NAMESPACE, CLAIM))
    assert found == {"data": "left", "shop": "left"}
    assert store.sent == []


def test_a_claim_whose_volume_was_made_for_it_since_goes_with_it(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, NAMESPACE, CLAIM, volume("Delete", NEW))
    assert outcomes(store, journal(tmp_path, NAMESPACE, CLAIM)) == {"data": "deleted", "shop": "deleted"}


def test_an_object_that_can_not_be_deleted_keeps_its_namespace(tmp_path: Path) -> None:
    config = thing("ConfigMap", "a")
    store = ObjectStore(RESOURCES, NAMESPACE, config)

    def refuse(method: str, path: str, _body: object) -> None:
        if method == "DELETE" and path.endswith("/a"):
            raise ApiError(403, "Forbidden", "a webhook says no")

    store.hook = refuse
    assert outcomes(store, journal(tmp_path, NAMESPACE, config)) == {"a": "left", "shop": "left"}
    assert store.sent == []


@pytest.mark.parametrize(
    ("owner", "became"),
    [
        pytest.param(owned(thing("Tenant", "t")), "left", id="of-an-object-elsewhere"),
        pytest.param(owned(thing("ConfigMap", "ours")), "deleted", id="of-ours"),
        pytest.param(owned(thing("ConfigMap", "ours", uid="another")), "left", id="of-one-that-is-not-there"),
    ],
)
def test_what_others_own_counts_as_theirs(tmp_path: Path, owner: dict[str, Any], became: str) -> None:
    ours = thing("ConfigMap", "ours")
    stranger = thing("Secret", "stranger", metadata={"ownerReferences": [owner]})
    store = ObjectStore(RESOURCES, NAMESPACE, ours, stranger)
    store.resources = [each for each in RESOURCES if each.kind != "Pod"]
    assert outcomes(store, journal(tmp_path, NAMESPACE, ours))["shop"] == became


def test_a_namespace_stays_while_the_server_of_a_group_does_not_answer(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, NAMESPACE, stale=("away.example.com",))
    assert outcomes(store, journal(tmp_path, NAMESPACE)) == {"shop": "left"}
    assert store.sent == []


def test_a_definition_whose_objects_can_not_be_seen_stays(tmp_path: Path) -> None:
    spec = {"group": "hidden.example.com", "names": {"plural": "things"}}
    definition = thing("CustomResourceDefinition", "things.hidden.example.com", spec=spec)
    store = ObjectStore(RESOURCES, definition)
    assert outcomes(store, journal(tmp_path, definition)) == {"things.hidden.example.com": "left"}


def test_a_volume_of_another_life_is_left_alone(tmp_path: Path) -> None:
    then, now = volume("Retain", OLD), volume("Retain", NEW)
    now["metadata"]["uid"] = "another"
    del now["spec"]["claimRef"]["uid"]
    store = ObjectStore(RESOURCES, now)
    noted = journal(tmp_path)
    noted.intend([Intent(Deed.FREE, BY_KIND["PersistentVolume"], "", "v", then)])
    assert outcomes(store, noted) == {"v": "gone already"}
    assert store.sent == []


# Objects that have changed since.

OURS = {"manager": "kubectl-admin-op", "operation": "Update", "time": NEW}
EDIT = {"manager": "kubectl-edit", "operation": "Update", "time": NEW}
CONTROLLER = {"manager": "kube-controller-manager", "operation": "Update", "time": NEW}
STATUS = {"manager": "operator", "operation": "Update", "subresource": "status", "time": NEW}
ARGO_THEN = {"manager": "argocd", "operation": "Apply", "time": OLD}


def since(kind: str, *managers: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """An object of now, which these have written."""
    metadata = {"creationTimestamp": MADE, "managedFields": list(managers), **fields.pop("metadata", {})}
    return thing(kind, "a", metadata=metadata, **fields)


BEFORE: dict[str, dict[str, Any]] = {
    "ConfigMap": {"data": {"x": "1"}},
    "Deployment": {"spec": {"replicas": 2}},
    "Pod": {"spec": {}},
}


@pytest.mark.parametrize(
    ("now", "became"),
    [
        pytest.param(since("ConfigMap", OURS, data={"x": "1"}), "deleted", id="as-it-was"),
        pytest.param(since("ConfigMap", OURS, EDIT, data={"x": "1"}), "deleted", id="written-and-the-same"),
        pytest.param(since("ConfigMap", OURS, EDIT, data={"x": "2"}), "left", id="a-person"),
        pytest.param(since("ConfigMap", OURS, data={}), "left", id="removed-by-whom-is-not-told"),
        pytest.param(since("ConfigMap", data={"x": "2"}), "left", id="no-managers"),
        pytest.param(
            since("Deployment", OURS, CONTROLLER, spec={"replicas": 5}), "deleted", id="controllers"
        ),
        pytest.param(
            since("Deployment", ARGO_THEN, CONTROLLER, STATUS, spec={"replicas": 5}),
            "deleted",
            id="field-managers-of-before",
        ),
        pytest.param(
            since("ConfigMap", OURS, EDIT, data={"x": "1"}, metadata={"finalizers": ["x.io/y"]}),
            "deleted",
            id="finalizers",
        ),
        pytest.param(
            since("Pod", OURS, EDIT, spec={}, metadata={"annotations": {"cni.io/ip": "10.0.0.1"}}),
            "deleted",
            id="annotations-of-a-pod",
        ),
    ],
)
def test_one_that_a_person_has_changed_since_stays(tmp_path: Path, now: dict[str, Any], became: str) -> None:
    made = thing(now["kind"], "a", **BEFORE[now["kind"]])
    store = ObjectStore(RESOURCES, now)
    noted = journal(tmp_path, made)
    assert outcomes(store, noted) == {"a": became}
    if became == "left":
        assert store.sent == []
        assert outcomes(store, noted, changed=True) == {"a": "deleted"}


def test_one_that_has_changed_is_named_with_its_fields(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, since("ConfigMap", OURS, EDIT, data={"x": "2", "y": "3"}))
    noted = journal(tmp_path, thing("ConfigMap", "a", data={"x": "1"}))
    (undone,) = take_back(store, noted)  # type: ignore[arg-type]
    assert undone.why == "it has changed since it was made: data.x, data.y"


@pytest.mark.parametrize(
    ("managers", "became"),
    [([OURS], "deleted"), ([OURS, CONTROLLER, STATUS], "deleted"), ([OURS, EDIT], "left")],
)
def test_one_whose_answer_was_lost_is_told_by_its_field_managers(
    tmp_path: Path, managers: list[dict[str, Any]], became: str
) -> None:
    store = ObjectStore(RESOURCES, since("ConfigMap", *managers, data={"x": "2"}))
    noted = journal(tmp_path)
    noted.intend([Intent(Deed.CREATE, BY_KIND["ConfigMap"], "shop", "a")])
    assert outcomes(store, noted) == {"a": became}


def test_one_that_was_put_back_and_has_changed_since_gets_its_former_content_only_if_asked(
    tmp_path: Path,
) -> None:
    former, ours = thing("ConfigMap", "a", data={"x": "0"}), thing("ConfigMap", "a", data={"x": "1"})
    now = thing("ConfigMap", "a", data={"x": "2"}, metadata={"resourceVersion": "9"})
    store, noted = ObjectStore(RESOURCES, now), journal(tmp_path)
    (entry,) = noted.intend([Intent(Deed.REPLACE, BY_KIND["ConfigMap"], "shop", "a", former)])
    noted.note([done(entry, ours)])
    assert outcomes(store, noted) == {"a": "left"}
    assert outcomes(store, noted, changed=True) == {"a": "put back"}
    assert store.items[f"{SPACE}/configmaps/a"]["data"] == {"x": "0"}


def test_what_is_left_for_a_change_is_a_violation_that_names_the_way(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, since("ConfigMap", OURS, EDIT, data={"x": "2"}))
    noted = journal(tmp_path, thing("ConfigMap", "a", data={"x": "1"}))
    said = outcome.undone(list(take_back(store, noted)), noted.head)  # type: ignore[arg-type]
    assert [(one.rule, one.fix) for one in said.findings] == [
        ("undelete-not-undone", "take it back nevertheless: --changed")
    ]
    assert said.violated


def test_what_stays_since_it_has_changed_is_known_beforehand(tmp_path: Path) -> None:
    made = [thing("ConfigMap", "a", data={"x": "1"}), thing("ConfigMap", "same"), thing("ConfigMap", "gone")]
    store = ObjectStore(
        RESOURCES, since("ConfigMap", OURS, EDIT, data={"x": "2"}), thing("ConfigMap", "same")
    )
    noted = journal(tmp_path, *made)
    found = staying(store, noted)  # type: ignore[arg-type]
    assert found == {1: "it has changed since it was made: data.x"}
    assert store.sent == []
    plan = outcome.undo_plan(pending(noted), noted.head, found)
    assert [(one.rule, one.objects) for one in plan.findings] == [
        ("undelete-not-undone", ("configmap/shop/a",)),
    ]
    assert "left" in str(plan.tables[0].rows[-1])


def test_one_that_is_changed_at_the_moment_of_its_deletion_stays(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, since("ConfigMap", OURS, data={"x": "1"}))
    noted = journal(tmp_path, thing("ConfigMap", "a", data={"x": "1"}))

    def edit(method: str, path: str, body: Any) -> None:
        if method == "DELETE":
            assert body["preconditions"]["resourceVersion"] == "7"
            store.items[path] = since(
                "ConfigMap", OURS, EDIT, data={"x": "2"}, metadata={"resourceVersion": "8"}
            )
            raise Conflict(409, "Conflict", "the object has been modified")

    store.hook = edit
    assert outcomes(store, noted) == {"a": "left"}


def test_one_that_controllers_write_at_that_moment_is_deleted(tmp_path: Path) -> None:
    store = ObjectStore(RESOURCES, since("ConfigMap", OURS, data={"x": "1"}))
    noted = journal(tmp_path, thing("ConfigMap", "a", data={"x": "1"}))
    versions = iter("89")

    def write(method: str, path: str, _body: object) -> None:
        if method == "DELETE" and (version := next(versions, "")):
            store.items[path]["metadata"]["resourceVersion"] = version
            raise Conflict(409, "Conflict", "the object has been modified")

    store.hook = write
    assert outcomes(store, noted) == {"a": "deleted"}
