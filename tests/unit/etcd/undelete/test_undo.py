"""What is taken back, and what of others must stay."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.etcd.undelete.entries import Deed, Entry, Head, Intent
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.undo import take_back
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
        made.note(done(entry, metadata["uid"]) for entry in made.intend([intent]))
    return made


def done(entry: Entry, uid: str) -> Entry:
    return Entry(entry.number, entry.deed, entry.resource, entry.namespace, entry.name, entry.at, uid=uid)


def volume(policy: str, created: str) -> dict[str, Any]:
    reference = {"namespace": "shop", "name": "data", "uid": "uid-PersistentVolumeClaim-data"}
    spec = {"persistentVolumeReclaimPolicy": policy, "claimRef": reference}
    metadata = {"creationTimestamp": created}
    return thing("PersistentVolume", "v", metadata=metadata, spec=spec, status={"phase": "Bound"})


NAMESPACE = thing("Namespace", "shop")
MADE = "2026-11-30T16:00:03Z"
CLAIM = thing("PersistentVolumeClaim", "data", spec={"volumeName": "v"}, metadata={"creationTimestamp": MADE})


def outcomes(store: ObjectStore, noted: Journal) -> dict[str, str]:
    return {one.entry.name: str(one.became) for one in take_back(store, noted)}  # type: ignore[arg-type]


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
