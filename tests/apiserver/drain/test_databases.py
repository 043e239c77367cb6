"""A primary of CloudNativePG, which its operator moves; the tests play the operator."""

import contextlib

import pytest

from kubectl_admin.cluster.errors import Conflict, NotFound
from tests.apiserver.drain.process import draining, ended, finished, until
from tests.apiserver.drain.world import NOW, REPLICASET, World, budget, numbers, owner, pod

pytestmark = pytest.mark.lab

CNPG = "postgresql.cnpg.io"
PRIMARY = {"cnpg.io/cluster": "pg", "cnpg.io/podRole": "instance", "cnpg.io/instanceRole": "primary"}
REPLICA = PRIMARY | {"cnpg.io/instanceRole": "replica"}


@pytest.fixture
def postgres(world: World) -> World:
    """A CloudNativePG cluster of two: its primary, guarded by a budget of one, is on the node."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"clusters.{CNPG}"},
        "spec": {
            "group": CNPG,
            "scope": "Namespaced",
            "names": {"plural": "clusters", "singular": "cluster", "kind": "Cluster"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                }
            ],
        },
    }
    with contextlib.suppress(Conflict):
        world.cluster.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    while True:
        with contextlib.suppress(NotFound):
            list(world.cluster.list(world.path("clusters")))
            break
    with contextlib.suppress(NotFound):
        world.cluster.delete(world.path("clusters", "pg"))
    keeper = owner("Cluster", "pg", api_version=f"{CNPG}/v1")
    world.put(
        {
            "apiVersion": f"{CNPG}/v1",
            "kind": "Cluster",
            "metadata": {"name": "pg"},
            "status": {"currentPrimary": "pg-1"},
        },
        pod("pg-1", world.node, owner=keeper, labels=PRIMARY),
        pod("pg-2", "worker-1", owner=keeper, labels=REPLICA),
        budget("pg-primary", {"cnpg.io/instanceRole": "primary"}, numbers(0, 1, 1, 1)),
    )
    return world


def test_a_primary_is_moved_by_its_operator_before_anything_is_evicted(postgres):
    postgres.put(pod("client", postgres.node, owner=REPLICASET))
    with postgres.kubelet(), draining(postgres) as process:
        until(process, "CloudNativePG moving/pg: its operator is given time to move the primary pg-1")
        assert postgres.is_cordoned
        postgres.set_labels("pg-1", REPLICA)
        postgres.set_labels("pg-2", PRIMARY)
        assert postgres.pods() == {"pg-1", "pg-2", "client"}, "the operator has not said that it is done"
        postgres.set_status("clusters", "pg", {"currentPrimary": "pg-2"})
        told = until(process, "the primary has moved")
        assert not any("evicting" in line for line in told)
        answer = ended(process)
    assert answer.code == 0, answer.err
    assert postgres.pods() == {"pg-2"}


def test_a_primary_that_stays_ends_the_drain_and_the_cordon(postgres):
    answer = finished(postgres, "--primary-timeout", "1s")
    assert answer.code == 1
    assert "primary of CloudNativePG moving/pg, which its operator is to move" in answer.err
    assert not postgres.is_cordoned
    assert postgres.pods() == {"pg-1", "pg-2"}


def test_a_database_without_a_second_instance_is_said_before_the_cordon(postgres):
    postgres.cluster.delete(postgres.path("pods", "pg-2"), NOW)
    answer = finished(postgres)
    assert answer.code == 3
    shown = " ".join(answer.out.split())
    assert "warning: CloudNativePG moving/pg" in shown
    assert "no instance on another node is ready: the database will be down" in shown
    assert "violation: disruption budget moving/pg-primary" in answer.out
    assert not postgres.is_cordoned
