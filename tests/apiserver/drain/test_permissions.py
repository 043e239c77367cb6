"""Whoever may not do what a drain needs is told what it is: docs/permissions.md, rule by rule."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_admin.drain.cordon import Cordon, cordon
from tests import permissions
from tests.apiserver.drain.process import finished
from tests.apiserver.drain.world import DAEMONSET, REPLICASET, World, daemonset, owner, pod
from tests.program import Ended, environ, run

pytestmark = pytest.mark.lab


@pytest.fixture
def crowded(world: World) -> World:
    """A node with pods that make every listing necessary."""
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    world.put(
        daemonset("agent"),
        pod("agent", world.node, owner=DAEMONSET),
        pod("db-0", world.node, owner=owner("StatefulSet", "db"), volumes=[data]),
        pod("web", world.node, owner=REPLICASET),
    )
    return world


def test_who_may_not_evict_is_told_so_at_once(world, stage):
    world.put(pod("one", world.node, owner=REPLICASET))
    role = {
        "kind": "ClusterRole",
        "metadata": {"name": "drain-without-evictions"},
        "rules": [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"]},
        ],
    }
    with permissions.bound(stage, {"viewer": [role]}):
        answer = finished(world, "--as", "viewer")
    assert answer.code == 1
    assert 'cannot create resource "pods/eviction"' in answer.err
    assert not world.is_cordoned


def test_what_a_preview_may_not_list_is_named(crowded, stage):
    def act(path: Path) -> Ended:
        return run(
            *("drain", crowded.node, "--dry-run", "--ignore-daemonsets"), env=environ(KUBECONFIG=str(path))
        )

    tried(stage, "drain", act, lambda right: right.verb in ("get", "list"))


def test_what_a_drain_may_not_do_is_named(world, stage):
    """The watch of budgets is not among it: without it, held pods are asked again by the clock."""

    def act(path: Path) -> Ended:
        world.put(pod("web", world.node, owner=REPLICASET))
        with world.kubelet():
            answer = run(*drained, env=environ(KUBECONFIG=str(path)))
        world.clear()
        return answer

    drained = ("drain", world.node, "--yes", "--ignore-daemonsets")
    needed = ("patch nodes", "watch pods", "create pods/eviction")
    tried(stage, "drain", act, lambda right: str(right) in needed)


def test_what_an_uncordon_may_not_do_is_named(world, stage):
    moved = Cordon.begin(datetime.now(UTC), ["ReplicaSet/moving/web", "StatefulSet/moving/db"])

    def act(path: Path) -> Ended:
        cordon(world.cluster, world.node, moved)
        return run("uncordon", world.node, "--timeout", "5s", env=environ(KUBECONFIG=str(path)))

    # Whether it may watch is seen by whom the first list does not satisfy.
    tried(stage, "uncordon", act, lambda right: right.verb != "watch")


def tried(
    stage: permissions.Stage,
    section: str,
    act: Callable[[Path], Ended],
    taken: Callable[[permissions.Right], bool],
) -> None:
    """Whether each right of the page that is taken away is named then, and none where all are there."""
    permissions.check(permissions.try_out(stage, section, act, taken))
