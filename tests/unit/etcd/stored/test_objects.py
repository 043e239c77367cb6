"""The objects of a snapshot, kind by kind."""

import json
from contextlib import contextmanager
from uuid import UUID

import pytest

from kubectl_admin.etcd.snapshot.verify import indexed, opened_database, quiet
from kubectl_admin.etcd.stored.objects import cluster, found, objects
from tests.unit.etcd.diff.history import CLUSTER, SYSTEM, History, stored
from tests.unit.etcd.stored.encoded import kept


@pytest.fixture
def opened(tmp_path):
    @contextmanager
    def opened(history):
        with opened_database(history.save(tmp_path / "a.db")) as database:
            yield indexed(database, quiet)

    return opened


def node(name, **metadata):
    return kept({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, **metadata}})


def pod(name):
    return kept({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}})


def custom(kind):
    return json.dumps({"apiVersion": "a.io/v1", "kind": kind, "metadata": {"name": "x"}}).encode()


def test_the_objects_of_a_kind_as_they_are_last(opened):
    history = History().put(b"/registry/minions/w1", node("w1"))
    history.put(b"/registry/minions/w2", node("w2")).put(b"/registry/pods/shop/w3", pod("w3"))
    history.put(b"/registry/minions/w1", node("w1", uid="1")).delete(b"/registry/minions/w2")
    with opened(history) as latest:
        (one,) = objects(latest, "/registry", "minions")
    assert (one.key, one.place, one.namespace, one.name) == ("/registry/minions/w1", "minions", "", "w1")
    assert one.content["metadata"] == {"name": "w1", "uid": "1"}


def test_several_kinds_in_one_pass(opened):
    history = History()
    keys = [
        b"/registry/pods/pods/pods",
        b"/registry/services/specs/specs/web",
        b"/registry/minions/minions",
        b"/registry/a.io/things/things",
        b"/registry/a.io/things/shop/one",
    ]
    # Of another shape than the kind has, or of other places.
    others = [
        b"/registry/pods/loose",
        b"/registry/pods/a/b/c",
        b"/registry/pods//b",
        b"/registry/minions/a/b",
        b"/registry/minions/",
        b"/registry/podsets/a/b",
        b"/other/pods/a/b",
        b"/registry/services/endpoints/a/b",
        b"/registry/pods/shop/" + b"x" * 5000,
    ]
    for key in keys + others:
        history.put(key[:120], pod("x")) if len(key) < 120 else history
    with opened(history) as latest:
        listed = list(objects(latest, "/registry/", "pods", "services/specs", "minions", "a.io/things"))
    assert [(each.place, each.namespace, each.name) for each in listed] == [
        ("pods", "pods", "pods"),
        ("services/specs", "specs", "web"),
        ("minions", "", "minions"),
        ("a.io/things", "", "things"),
        ("a.io/things", "shop", "one"),
    ]


def test_one_object_by_its_name(opened):
    history = History().put(b"/registry/a.io/things/shop/x", custom("Thing"))
    with opened(history) as latest:
        assert found(latest, "/registry", "a.io/things", "x", "shop").content["kind"] == "Thing"
        assert found(latest, "/registry", "a.io/things", "y", "shop") is None
        assert found(latest, "/registry", "a.io/things", "x") is None


def test_objects_that_can_not_be_read_are_told(opened):
    history = History().put(b"/registry/secrets/a/sealed", b"k8s:enc:aescbc:v1:key1:\0\1\2")
    history.put(b"/registry/secrets/a/odd", b"odd").put(b"/registry/secrets/a/half", b"k8s:enc:")
    with opened(history) as latest:
        sealed, odd, half = objects(latest, "/registry", "secrets")
    assert (sealed.content, sealed.encrypted, sealed.problem) == (None, "k8s:enc:aescbc:v1:key1:", "")
    assert (odd.content, odd.encrypted, odd.problem) == (
        None,
        "",
        "it is neither protobuf nor JSON as the API server writes them",
    )
    assert half.encrypted == "k8s:enc:"


def test_encrypted_objects_are_decrypted_where_somebody_can(opened):
    asked = []

    def unseal(*value):
        asked.append(value[:3])
        return pod("x") if value[3].endswith(b"1") else None

    history = History().put(b"/registry/pods/a/one", b"k8s:enc:aescbc:v1:k:1")
    history.put(b"/registry/pods/a/two", b"k8s:enc:aescbc:v1:k:2").put(b"/registry/pods/a/three", pod("x"))
    history.put(b"/registry/services/specs/a/b", b"k8s:enc:aescbc:v1:k:2")
    history.put(b"/registry/a.io/things/a/b", b"k8s:enc:aescbc:v1:k:2")
    with opened(history) as latest:
        listed = list(objects(latest, "/registry", "pods", "services/specs", "a.io/things", unseal=unseal))
    assert [each.content is not None for each in listed] == [True, False, True, False, False]
    assert {each.encrypted for each in listed if each.content is None} == {"k8s:enc:aescbc:v1:k:"}
    assert asked == [
        ("", "pods", b"/registry/pods/a/one"),
        ("", "pods", b"/registry/pods/a/two"),
        ("", "services", b"/registry/services/specs/a/b"),
        ("a.io", "things", b"/registry/a.io/things/a/b"),
    ]


def test_the_cluster_that_a_snapshot_is_of(opened):
    with opened(History()) as latest:
        assert cluster(latest, "/registry") == (str(CLUSTER), "")
        assert (
            cluster(latest, "/other")[1] == "it has no key /other/namespaces/kube-system (see --etcd-prefix)"
        )
    with opened(History(None).put(SYSTEM, b"k8s:enc:x")) as latest:
        assert cluster(latest, "/registry") == (None, "namespace kube-system is encrypted at rest")
    with opened(History(None).put(SYSTEM, stored(None))) as latest:
        assert cluster(latest, "/registry")[0] is None
    assert str(UUID(int=7)) == str(CLUSTER)
