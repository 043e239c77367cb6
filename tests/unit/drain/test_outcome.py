"""How a drain has ended, and what taking a node back would do."""

from types import SimpleNamespace

import pytest

from kubectl_admin.drain import outcome
from kubectl_admin.drain.cordon import Cordon
from kubectl_admin.drain.drain import Drained, Run
from kubectl_admin.drain.evict import Evictions, Moved
from kubectl_admin.drain.filters import Flags
from kubectl_admin.drain.preview import preview
from kubectl_admin.drain.progress import DrainProgress
from kubectl_admin.drain.recovery import Seen
from tests.unit.drain.samples import NOW, facts, node, pod

PODS = [pod("a"), pod("b"), pod("c")]


def ended(*, gone=(), late=(), stayed=(), left=(), cordoned=True):
    return Drained(Moved(tuple(gone), tuple(late), tuple(stayed), tuple(left)), not cordoned, 61.0)


def report(drained):
    return outcome.drained(preview(facts(*PODS), Flags(), NOW), drained)


def test_every_pod_of_a_drain_is_in_its_outcome():
    shown = report(ended(gone=PODS[:1], late=PODS[1:2], stayed=PODS[2:]))
    assert [(item["name"], item["outcome"]) for item in shown.items()] == [
        ("a", "gone"),
        ("b", "notWaitedFor"),
        ("c", "stayed"),
    ]
    assert list(shown.names()) == ["pod/a"]
    assert shown.fields["node"] == "w1"
    assert shown.fields["cordonedBefore"] is False
    assert shown.paragraphs[0].startswith("node/w1 drained in 1m1s: 1 pods gone, 1 not waited for")


def test_a_drain_that_has_failed_says_of_every_pod_how_far_it_has_come():
    shown = report(ended(gone=PODS[:1], left=PODS[1:]))
    assert [(item["name"], item["outcome"]) for item in shown.items()] == [
        ("a", "gone"),
        ("b", "stillThere"),
        ("c", "stillThere"),
    ]
    assert shown.kind == report(ended()).kind
    assert shown.fields.keys() == report(ended()).fields.keys()
    assert shown.paragraphs == ["node/w1 not drained after 1m1s: 1 pods gone, 2 still there"]


@pytest.mark.parametrize("before", [True, False])
def test_of_a_drain_that_has_not_begun_all_pods_are_still_there(before):
    seen = preview(facts(*PODS, node=node("w1", unschedulable=before)), Flags(), NOW)
    drained = Run(seen).so_far
    assert (drained.was_cordoned, drained.seconds) == (before, 0.0)
    assert {each.name for each in drained.moved.left} == {"a", "b", "c"}


def test_a_run_knows_its_cordon_and_its_evictions():
    run = Run(preview(facts(*PODS), Flags(), NOW))
    run.cordon = Cordon("run", "today", (), cordoned=True)
    watch = SimpleNamespace(pods=None)
    run.evictions = Evictions(None, watch, Flags(), None, DrainProgress(), 0.0)
    assert not run.so_far.was_cordoned
    assert run.so_far.moved == Moved((), ())


def test_what_came_and_stayed_is_left_to_do():
    assert report(ended(stayed=PODS)).violated
    assert not report(ended(gone=PODS, late=PODS)).violated


def test_a_node_that_was_cordoned_before_is_said_to_be():
    assert report(ended(cordoned=False)).fields["cordonedBefore"] is True


def test_what_taking_a_node_back_would_do():
    mark = Cordon("run", "today", ("Deployment/shop/web",), True)
    seen = Seen(node("w1", unschedulable=True, ready=False), mark)
    (said,) = outcome.uncordoning("w1", seen, wait=True).paragraphs
    assert said == (
        "node w1 is cordoned, and will be uncordoned; it is not Ready, so uncordon waits for that"
        " first; then uncordon waits until these are healthy: Deployment/shop/web"
    )
    (short,) = outcome.uncordoning("w1", seen, wait=False).paragraphs
    assert "healthy" not in short


def test_a_node_that_is_not_cordoned_stays_so():
    shown = outcome.uncordoning("w1", Seen(node("w1"), None), wait=True)
    assert shown.paragraphs == ["node w1 is not cordoned"]
    assert next(iter(shown.items())) == {"name": "w1", "cordoned": False, "ready": True, "moved": []}
