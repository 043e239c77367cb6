"""What may leave: the judgement on every kind of pod is kubectl's own."""

import itertools
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubectl_admin.drain import drain
from kubectl_admin.drain.filters import Action, Flags
from tests.apiserver.drain.kinds import KINDS
from tests.apiserver.drain.world import NOW, World, daemonset, made_namespace, pod

pytestmark = pytest.mark.lab

SWITCHES = ("ignore_daemonsets", "delete_emptydir_data", "force", "disable_eviction")
COMBINATIONS = [
    dict(zip(SWITCHES, values, strict=True)) for values in itertools.product((False, True), repeat=4)
]


@pytest.fixture(scope="module")
def kinds(kubeconfig: Path) -> Iterator[World]:
    """A node with a pod of every kind."""
    world = made_namespace(kubeconfig, "kinds", "worker-1")
    world.put(daemonset("agent"), *(pod(name, world.node, **kind) for name, kind in KINDS.items()))
    for name in KINDS:
        if name.startswith("terminating"):
            grace = {} if name == "terminating-slowly" else NOW
            world.cluster.delete(world.path("pods", name), grace)
    yield world
    world.clear()


@pytest.mark.parametrize(
    "switches", COMBINATIONS, ids=lambda each: "+".join(k for k in each if each[k]) or "none"
)
def test_the_judgement_on_every_kind_of_pod_is_kubectls(kinds, switches):
    flags = [f"--{name.replace('_', '-')}={str(value).lower()}" for name, value in switches.items()]
    assert our_judgement(kinds, Flags(**switches)) == kubectls_judgement(kinds, *flags)


def test_what_of_it_is_kubectls_without_flags_and_with_all(kinds):
    """The table itself, so that a comparison of nothing with nothing is noticed."""
    none = kubectls_judgement(kinds)
    assert [name for name, said in none.items() if said == "go"] == [
        *("replicaset", "replicaset-other-volumes", "statefulset", "job", "job-finished-emptydir", "custom"),
        *("node-owned", "bare-succeeded", "bare-failed-emptydir", "daemonset-failed", "daemonset-old-api"),
        *("daemonset-gone-finished", "terminating", "terminating-slowly"),
    ]
    assert [name for name, said in none.items() if said == "leave"] == ["mirror", "mirror-emptydir"]
    every = kubectls_judgement(kinds, "--ignore-daemonsets", "--delete-emptydir-data", "--force")
    assert "refuse" not in every.values()
    assert [name for name, said in every.items() if said == "leave"] == [
        *("daemonset", "daemonset-emptydir", "mirror", "mirror-emptydir", "mirror-of-daemonset"),
    ]


def test_pods_that_should_be_gone_long_ago_are_left_as_kubectl_leaves_them(kinds):
    def ago(name: str) -> float:
        item = kinds.cluster.get(kinds.path("pods", name))
        return (
            datetime.now(UTC) - datetime.fromisoformat(item["metadata"]["deletionTimestamp"])
        ).total_seconds()

    while min(ago("terminating"), ago("terminating-bare")) < 3:
        time.sleep(0.1)
    mine = our_judgement(kinds, Flags(skip_wait_for_delete_timeout=1))
    assert mine == kubectls_judgement(kinds, "--skip-wait-for-delete-timeout=1")
    assert {name for name, said in mine.items() if said == "leave"} == {
        *("mirror", "mirror-emptydir", "terminating", "terminating-bare")
    }


def our_judgement(world: World, flags: Flags) -> dict[str, str]:
    seen = drain.look(world.cluster, world.node, drain.Options(flags, pod_selector="case"))
    return {
        verdict.pod.name: "go" if verdict.leaves else "refuse" if verdict.action is Action.REFUSE else "leave"
        for verdict in seen.verdicts
    }


def kubectls_judgement(world: World, *flags: str) -> dict[str, str]:
    """What kubectl drain says of each pod: refuse, go or leave.

    Where it refuses one it says nothing of the others, so it is asked a second time without the refused.
    """
    said = world.kubectl("drain", world.node, "--dry-run=client", *flags, "--pod-selector=case")
    refused = set(re.findall(r"\bkinds/([\w-]+)", said.stderr)) if said.returncode else set()
    rest = (
        f"--pod-selector=case,case notin ({','.join(sorted(refused))})" if refused else "--pod-selector=case"
    )
    again = world.kubectl("drain", world.node, "--dry-run=client", *flags, rest)
    assert again.returncode == 0, again.stderr
    going = set(re.findall(r"evicting pod kinds/([\w-]+)", again.stdout))
    return {name: "refuse" if name in refused else "go" if name in going else "leave" for name in KINDS}
