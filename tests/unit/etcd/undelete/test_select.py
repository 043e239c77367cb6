"""Which resources and objects a person's words name."""

from dataclasses import replace

import pytest

from kubectl_admin.errors import UsageError
from kubectl_admin.etcd.undelete import select
from kubectl_admin.etcd.undelete.facts import Asked, Resource, Thing
from tests.unit.etcd.undelete.things import BY_KIND, RESOURCES, VERBS, found, thing


def asked(*words: str, namespace: str | None = None, everywhere: bool = False, selector: str = "") -> Asked:
    return Asked(namespace, everywhere, select.things(words), selector)


def wanted(*words: str, **more: object) -> set[tuple[str, str, str, bool]]:
    chosen = select.wanted(RESOURCES, asked(*words, **more), "usual")  # type: ignore[arg-type]
    return {(each.resource.kind, each.namespace, each.name, each.implied) for each in chosen}


@pytest.mark.parametrize(
    "word",
    ["deployments", "deployment", "Deployment", "deploy", "deployments.apps", "deploy.apps", "DEPLOY",
     "deployments.v1.apps"],
)  # fmt: skip
def test_every_word_of_kubectl_names_a_kind(word):
    assert select.resource_for(RESOURCES, word) is BY_KIND["Deployment"]


@pytest.mark.parametrize("word", ["deploys", "deployments.batch", "all", "", "."])
def test_a_word_that_names_no_kind_is_refused(word):
    with pytest.raises(UsageError):
        select.resource_for(RESOURCES, word)


def test_a_short_name_gives_way_to_a_name():
    other = Resource("x.io", "v1", "deploy", "Deploy", namespaced=True, verbs=VERBS)
    assert select.resource_for([*RESOURCES, other], "deploy") is other


def test_of_two_groups_the_first_counts_and_the_other_has_its_group():
    other = Resource("x.io", "v1", "services", "Service", namespaced=True, verbs=VERBS)
    assert select.resource_for([*RESOURCES, other], "services") is BY_KIND["Service"]
    assert select.resource_for([*RESOURCES, other], "services.x.io") is other


def test_words_with_commas_and_names():
    assert select.things(["deploy,svc", "cm/a", "deploy"]) == (
        Thing("deploy"),
        Thing("svc"),
        Thing("cm", "a"),
    )


@pytest.mark.parametrize("word", ["", ",", "deploy,", "deploy/", "/a", "deploy/a/b", "deploy,svc/a"])
def test_words_that_are_none(word):
    with pytest.raises(UsageError):
        select.things([word])


def test_a_namespace_is_all_that_is_in_it_and_itself_without_what_is_always_made():
    chosen = wanted(namespace="shop")
    assert ("Namespace", "", "shop", False) in chosen
    assert ("Deployment", "shop", "", False) in chosen
    assert not {"Event", "Node", "PersistentVolume", "ControllerRevision"} & {each[0] for each in chosen}


def test_everywhere_has_what_is_in_no_namespace_as_well():
    chosen = wanted(everywhere=True)
    assert {("PersistentVolume", "", "", False), ("Namespace", "", "", False)} <= chosen
    assert "Node" not in {each[0] for each in chosen}


def test_a_kind_brings_the_namespaces_that_it_needs():
    assert wanted("deploy", everywhere=True) == {
        ("Deployment", "", "", False),
        ("Namespace", "", "", True),
    }
    assert wanted("deploy/web") == {("Deployment", "usual", "web", False), ("Namespace", "", "usual", True)}
    assert wanted("pv/a", namespace="shop") == {("PersistentVolume", "", "a", False)}
    assert ("Namespace", "", "shop", True) in wanted(namespace="shop", selector="a=b")


def test_a_namespace_that_is_named_is_not_implied():
    assert wanted("ns/shop", "cm", namespace="shop") == {
        ("Namespace", "", "shop", False),
        ("ConfigMap", "shop", "", False),
    }


def test_what_is_named_may_be_what_is_always_made():
    assert ("Event", "shop", "", False) in wanted("events", namespace="shop")


def test_what_can_not_be_made_is_no_kind():
    fixed = replace(BY_KIND["Deployment"], verbs=("get", "list"))
    with pytest.raises(UsageError):
        select.wanted([fixed], asked("deploy"))


@pytest.mark.parametrize(
    "wrong",
    [
        asked(),
        asked(namespace=""),
        asked(namespace="a", everywhere=True),
        asked("cm/a", selector="a=b"),
        asked("cm/a", everywhere=True),
    ],
)
def test_what_contradicts_itself_is_refused(wrong):
    with pytest.raises(UsageError):
        select.check(wrong)


def test_a_named_object_that_was_not_found_is_told():
    there = found(thing("ConfigMap", "a"), named=True)
    assert select.absent(asked("cm/a", "cm/b", "svc/a", "deploy"), [there]) == [
        Thing("cm", "b"),
        Thing("svc", "a"),
    ]
