"""In which order objects are made."""

from dataclasses import replace

import pytest

from kubectl_admin.etcd.undelete.facts import Item, Key, Owner, State
from kubectl_admin.etcd.undelete.order import ordered
from tests.unit.etcd.undelete.things import BY_KIND, key, owned, thing


def item(kind, name, *owners, namespace="shop"):
    """A missing object; owners: others that come back."""
    then = thing(kind, name, namespace)
    ties = tuple(Owner(owned(one.then), one.key, comes_back=True) for one in owners)
    return Item(BY_KIND[kind], key(then), then, None, State.MISSING, owners=ties)


def names(items):
    return [one.key.name for one in ordered(items).items]


def test_kinds_come_before_what_needs_them():
    kinds = [
        "Namespace", "CustomResourceDefinition", "ClusterRole", "ServiceAccount", "ConfigMap",
        "PersistentVolume", "PersistentVolumeClaim", "Service", "Ingress", "Widget", "Deployment",
        "ResourceQuota",
    ]  # fmt: skip
    assert names([item(kind, kind) for kind in sorted(kinds)]) == kinds


def test_an_owner_comes_before_what_it_owns_whatever_the_kinds():
    sets = item("Deployment", "web")
    config = item("ConfigMap", "a", sets)
    deep = item("Secret", "b", config)
    assert names([deep, config, sets, item("ConfigMap", "z"), item("Deployment", "a")]) == [
        "web",
        "a",
        "z",
        "b",
        "a",
    ]


def test_a_namespace_and_a_definition_come_before_all_in_them_even_after_their_owners():
    tenant = item("Tenant", "t")
    space = item("Namespace", "shop", tenant)
    definition = item("CustomResourceDefinition", "widgets.example.com")
    widget = item("Widget", "w")
    inside = item("ConfigMap", "a", widget)
    assert names([inside, widget, definition, space, tenant]) == [
        "t",
        "shop",
        "widgets.example.com",
        "w",
        "a",
    ]


def test_a_claim_does_not_wait_for_its_owner_which_would_make_an_empty_one():
    database = item("Widget", "db")
    result = ordered([database, item("PersistentVolumeClaim", "data", database)])
    assert [one.key.name for one in result.items] == ["data", "db"]
    assert [owner.later for owner in result.items[0].owners] == [True]
    assert not result.cycles


@pytest.mark.parametrize("length", [1, 2, 3, 7])
def test_a_ring_is_cut_once(length):
    ring = [item("Widget", f"w{number}") for number in range(length)]
    ring = [
        replace(one, owners=item("Widget", one.key.name, ring[number - 1]).owners)
        for number, one in enumerate(ring)
    ]
    result = ordered(ring)
    assert len(result.items) == length
    (cycle,) = result.cycles
    assert sorted(cycle) == sorted(one.key for one in ring)
    assert [owner.later for one in result.items for owner in one.owners].count(True) == 1
    places = [one.key for one in result.items]
    for one in result.items:
        for owner in one.owners:
            assert owner.later or places.index(owner.key) < places.index(one.key)
    # The first of it is made before its owner, which is the last.
    (late,) = [one for one in result.items for owner in one.owners if owner.later]
    assert (late.key, late.owners[0].key) == (cycle[0], cycle[-1])


def test_rings_that_share_parts_are_all_cut():
    a, b, c = (item("Widget", name) for name in "abc")
    items = [item("Widget", "a", b, c), item("Widget", "b", a, c), item("Widget", "c", a, b)]
    result = ordered(items)
    places = [one.key for one in result.items]
    assert len(places) == 3
    for one in result.items:
        for owner in one.owners:
            assert owner.later is (places.index(owner.key) > places.index(one.key))


def test_a_ring_through_a_namespace_is_cut_at_an_owner():
    space, widget = item("Namespace", "shop"), item("Widget", "w")
    # No API server lets that hold: what is in no namespace can't be owned by what is in one.
    result = ordered([item("Namespace", "shop", widget), widget])
    assert [one.key for one in result.items] == [space.key, widget.key]
    assert result.cycles == ((space.key, widget.key),)


def test_a_namespace_that_owns_what_is_in_it():
    space = item("Namespace", "shop")
    assert names([item("ConfigMap", "a", space), space]) == ["shop", "a"]


def test_a_definition_of_definitions_is_no_ring():
    odd = item("CustomResourceDefinition", "customresourcedefinitions.apiextensions.k8s.io")
    assert not ordered([odd]).cycles


def test_owners_of_which_nothing_is_known_do_no_harm():
    there = Owner({}, Key("", "configmaps", "shop", "x"), uid="u")
    coming = Owner({}, Key("", "configmaps", "shop", "elsewhere"), comes_back=True)
    odd = replace(item("Widget", "w"), owners=(there, coming, Owner({}, None)))
    (one,) = ordered([odd]).items
    assert not any(owner.later for owner in one.owners)


def test_a_long_line_of_owners():
    line = [item("Widget", "w0")]
    for number in range(1, 3000):
        line.append(item("Widget", f"w{number}", line[-1]))
    assert [one.key.name for one in ordered(reversed(line)).items] == [one.key.name for one in line]
