"""Whoever may not do what a drain needs is told what it is: docs/permissions.md, rule by rule."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_admin.drain.cordon import Cordon, cordon
from tests import permissions
from tests.apiserver.conftest import NAME
from tests.apiserver.drain.process import finished
from tests.apiserver.drain.world import DAEMONSET, REPLICASET, World, daemonset, owner, pod
from tests.lab.api import api_only
from tests.lab.versions import RELEASES
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


def test_who_may_not_evict_is_told_so_at_once(world):
    world.put(pod("one", world.node, owner=REPLICASET))
    role = {
        "metadata": {"name": "drain-without-evictions"},
        "rules": [
            {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"]},
        ],
    }
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "drain-without-evictions"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "viewer"}],
    }
    made = {"clusterroles": role, "clusterrolebindings": binding}
    for kind, body in made.items():
        world.cluster.post(f"/apis/{group}/v1/{kind}", body)
    try:
        answer = finished(world, "--as", "viewer")
    finally:
        for kind in made:
            world.cluster.delete(f"/apis/{group}/v1/{kind}/drain-without-evictions")
    assert answer.code == 1
    assert 'cannot create resource "pods/eviction"' in answer.err
    assert not world.is_cordoned


def test_what_a_preview_may_not_list_is_named(crowded):
    def act(path: Path) -> Ended:
        return run(
            *("drain", crowded.node, "--dry-run", "--ignore-daemonsets"), env=environ(KUBECONFIG=str(path))
        )

    tried(crowded, "drain", act, lambda right: right.verb in ("get", "list"))


def test_what_a_drain_may_not_do_is_named(world):
    """The watch of budgets is not among it: without it, held pods are asked again by the clock."""

    def act(path: Path) -> Ended:
        world.put(pod("web", world.node, owner=REPLICASET))
        with world.kubelet():
            answer = run(*drained, env=environ(KUBECONFIG=str(path)))
        world.clear()
        return answer

    drained = ("drain", world.node, "--yes", "--ignore-daemonsets")
    needed = ("patch nodes", "watch pods", "create pods/eviction")
    tried(world, "drain", act, lambda right: str(right) in needed)


def test_what_an_uncordon_may_not_do_is_named(world):
    moved = Cordon.begin(datetime.now(UTC), ["ReplicaSet/moving/web", "StatefulSet/moving/db"])

    def act(path: Path) -> Ended:
        cordon(world.cluster, world.node, moved)
        return run("uncordon", world.node, "--timeout", "5s", env=environ(KUBECONFIG=str(path)))

    # Whether it may watch is seen by whom the first list does not satisfy.
    tried(world, "uncordon", act, lambda right: right.verb != "watch")


def tried(
    world: World, section: str, act: Callable[[Path], Ended], taken: Callable[[permissions.Right], bool]
) -> None:
    """Whether each right of the page that is taken away is named then, and none where all are there."""
    version = RELEASES[0].kubernetes
    server = world.cluster.server
    stage = permissions.Stage(world.kubeconfig, [server], version, lambda who: api_only.user(NAME, who))
    permissions.check(permissions.try_out(stage, section, act, taken))
