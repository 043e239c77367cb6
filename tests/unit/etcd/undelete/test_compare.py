"""In which fields two objects differ, and one of them with those put back."""

import pytest

from kubectl_admin.etcd.undelete.compare import changes, is_same
from kubectl_admin.etcd.undelete.facts import ABSENT, Change
from kubectl_admin.etcd.undelete.merge import put_back
from tests.unit.etcd.undelete.things import owned, thing


def deployment(**spec):
    return thing("Deployment", "web", spec=spec)


def containers(*named):
    return deployment(template={"spec": {"containers": [dict(one) for one in named]}})


def deep(depth, end):
    made = end
    for _ in range(depth):
        made = {"x": made}
    return thing("Widget", "w", spec=made)


def test_ids_times_status_and_owners_are_no_change():
    now = deployment(replicas=1)
    now["metadata"] |= {"uid": "other", "resourceVersion": "99", "generation": 4}
    now["metadata"]["ownerReferences"] = [owned(thing("Widget", "w"))]
    assert not changes(deployment(replicas=1), {**now, "status": {"replicas": 1}})
    assert not changes(deployment(replicas=1), {**now, "apiVersion": "apps/v1beta1"})


def test_fields_by_their_paths():
    then = deployment(replicas=3, paused=True)
    then["metadata"]["labels"] = {"app.kubernetes.io/name": "web", "tier": "a"}
    now = deployment(replicas=5, strategy={})
    now["metadata"]["labels"] = {"app.kubernetes.io/name": "shop", "tier": "a"}
    assert changes(then, now) == (
        Change("metadata.labels[app.kubernetes.io/name]", "web", "shop"),
        Change("spec.paused", True, ABSENT),
        Change("spec.replicas", 3, 5),
        Change("spec.strategy", ABSENT, {}),
    )


def test_lists_of_named_parts_are_compared_by_name():
    a, b = {"name": "app", "image": "v1"}, {"name": "log", "image": "l"}
    path = "spec.template.spec.containers"
    assert changes(containers(a, b), containers({**a, "image": "v2"}, b)) == (
        Change(f"{path}[name=app].image", "v1", "v2"),
    )
    assert changes(containers(a), containers(a, b)) == (Change(f"{path}[name=log]", ABSENT, b),)
    assert changes(containers(a, b), containers(b, a)) == (
        Change(f"{path} (order)", ["app", "log"], ["log", "app"]),
    )


@pytest.mark.parametrize(
    ("then", "now"),
    [([1, 2], [2, 1]), ([{"name": "a"}, {"name": "a"}], [{"name": "a"}]), ([{"name": 1}], [{"name": 2}])],
)
def test_other_lists_are_compared_as_a_whole(then, now):
    assert changes(deployment(x=then), deployment(x=now)) == (Change("spec.x", then, now),)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        (None, {}, False),
        ([], {}, False),
        ("1", 1, False),
    ],
)
def test_values_of_other_types_are_others(one, other, same):
    assert is_same(one, other) is same


@pytest.mark.parametrize("depth", [10, 100, 900])
def test_parts_of_any_depth(depth):
    assert not changes(deep(depth, 1), deep(depth, 1))
    (change,) = changes(deep(depth, 1), deep(depth, 2))
    assert change.path.startswith("spec.x.x")
    assert is_same(put_back(deep(depth, 1), deep(depth, 2)), deep(depth, 1))


def test_only_what_differs_is_put_back():
    uid = {"controller-uid": "new"}
    then = thing("Job", "m", spec={"suspend": True, "template": {"metadata": {"labels": {"a": "b"}}}})
    now = thing(
        "Job",
        "m",
        uid="new",
        metadata={
            "finalizers": ["x"],
            "ownerReferences": [owned(thing("Widget", "w"))],
            "labels": {"new": "1"},
        },
        spec={
            "suspend": False,
            "parallelism": 2,
            "selector": {"matchLabels": uid},
            "template": {"metadata": {"labels": {"a": "c", **uid}}},
        },
        status={"active": 1},
    )
    made = put_back(then, now)
    assert made["spec"] == {
        "suspend": True,
        "selector": {"matchLabels": uid},
        "template": {"metadata": {"labels": {"a": "b", **uid}}},
    }
    assert made["status"] == {"active": 1}
    metadata = {**now["metadata"]}
    del metadata["finalizers"], metadata["labels"]
    assert made["metadata"] == metadata
    assert not changes(then, made)


def test_named_parts_are_put_back_in_their_order():
    a, b = {"name": "app", "image": "v1"}, {"name": "log", "image": "l"}
    now = containers(b, {**a, "image": "v2"}, {"name": "third"})
    assert not changes(containers(a, b), put_back(containers(a, b), now))


def test_a_map_that_is_gone_is_put_back():
    then, now = thing("ConfigMap", "a", data={"x": "1"}), thing("ConfigMap", "a")
    assert put_back(then, now)["data"] == {"x": "1"}
    assert "data" not in put_back(now, then)
