import pytest

from kubectl_admin.drain import stateful
from kubectl_admin.drain.facts import Member
from kubectl_admin.drain.stateful import BY_NAME, OPERATORS, Move
from tests.unit.drain.samples import facts

CNPG = {"cnpg.io/cluster": "pg", "cnpg.io/podRole": "instance"}
MEMBER = {"statefulset.kubernetes.io/pod-name": "db-0", "app": "db"}
CRUNCHY = "postgres-operator.crunchydata.com"


@pytest.mark.parametrize(
    ("labels", "operator", "leads"),
    [
        (CNPG | {"cnpg.io/instanceRole": "primary"}, "CloudNativePG", True),
        (CNPG | {"role": "primary"}, "CloudNativePG", True),
        (CNPG | {"cnpg.io/instanceRole": "replica"}, "CloudNativePG", False),
        ({"application": "spilo", "cluster-name": "a", "spilo-role": "master"}, "Zalando PostgreSQL", True),
        ({"application": "spilo", "cluster-name": "a", "spilo-role": "replica"}, "Zalando PostgreSQL", False),
        ({f"{CRUNCHY}/cluster": "a", f"{CRUNCHY}/instance": "a-1", f"{CRUNCHY}/role": "master"},
         "CrunchyData PostgreSQL", True),
        ({"strimzi.io/cluster": "k", "strimzi.io/broker-role": "true"}, "Strimzi Kafka", False),
        ({"app": "rook-ceph-osd", "rook_cluster": "rook-ceph"}, "Rook Ceph", False),
        ({"longhorn.io/component": "instance-manager"}, "Longhorn", False),
        ({"mysql.oracle.com/cluster": "m", "mysql.oracle.com/cluster-role": "PRIMARY"},
         "MySQL InnoDB Cluster", True),
        ({"k8s.mariadb.com/role": "primary", "app.kubernetes.io/instance": "m"}, "MariaDB", True),
        ({"kubeblocks.io/role": "leader", "app.kubernetes.io/instance": "m"}, "KubeBlocks", True),
        ({"vault-active": "false", "app.kubernetes.io/instance": "v"}, "Vault", False),
        ({"cluster-name": "p", "role": "master"}, "Patroni", True),
        (MEMBER | {"role": "leader"}, "StatefulSet", True),
        (MEMBER | {"role": "follower"}, "StatefulSet", False),
        (MEMBER | {"role": "worker"}, None, False),
        ({"app": "web", "role": "primary"}, None, False),
        (CNPG | {"cnpg.io/podRole": "pooler"}, None, False),
        ({}, None, False),
    ],
)  # fmt: skip
def test_a_database_is_known_by_its_labels(labels, operator, leads):
    found = stateful.operator_of(labels)
    assert (found.name if found else None) == operator
    assert (found.leads(labels) if found else False) is leads


def test_every_entry_of_the_table_is_whole():
    assert len(BY_NAME) == len(OPERATORS)
    for operator in OPERATORS:
        assert operator.cluster, operator.name
        assert operator.pods.requirements, f"{operator.name} would list every pod"
        assert bool(operator.resource) == bool(operator.current), operator.name
        assert operator.leader or operator.move is not Move.CORDON, operator.name


def member(name, node, *, leads=False, ready=True, operator="CloudNativePG"):
    return Member(operator, "db/pg", ("db", name), node, leads, ready)


@pytest.mark.parametrize(
    ("members", "alone", "moved"),
    [
        ([member("pg-1", "w1", leads=True), member("pg-2", "w2")], False, True),
        ([member("pg-1", "w1", leads=True)], True, False),
        ([member("pg-1", "w1", leads=True), member("pg-2", "w1")], True, False),
        ([member("pg-1", "w1", leads=True), member("pg-2", "w2", ready=False)], True, False),
        ([member("pg-1", "w1"), member("pg-2", "w2", leads=True)], False, False),
        ([member("a", "w1", leads=True, operator="Patroni"), member("b", "w2", operator="Patroni")],
         False, False),
    ],
)  # fmt: skip
def test_whose_primary_is_moved_at_the_cordon(members, alone, moved):
    (group,) = stateful.groups(facts(members=tuple(members)))
    assert (group.alone, group.is_moved_at_cordon) == (alone, moved)


def test_databases_on_other_nodes_alone_are_none_of_this_drains():
    assert stateful.groups(facts(members=(member("pg-1", "w2", leads=True),))) == []


def test_a_member_is_read_from_its_pod():
    pod = {
        "metadata": {"namespace": "db", "name": "pg-1", "labels": CNPG | {"cnpg.io/instanceRole": "primary"}},
        "spec": {"nodeName": "w1"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert BY_NAME["CloudNativePG"].member(pod) == member("pg-1", "w1", leads=True)
    assert BY_NAME["Patroni"].member(pod) is None


def test_the_operators_own_object_says_who_leads():
    """During a switchover labels may still be those of before."""
    objects = [
        {"metadata": {"namespace": "db", "name": "pg"}, "status": {"currentPrimary": "pg-2"}},
        {"metadata": {"namespace": "db", "name": "new"}, "status": {}},
        {"metadata": {"namespace": "db", "name": "newer"}},
    ]
    leaders = stateful.leaders_named(BY_NAME["CloudNativePG"], objects)
    assert leaders == {("CloudNativePG", "db/pg"): "pg-2"}
    members = [member("pg-1", "w1", leads=True), member("pg-2", "w2")]
    assert [each.leads for each in stateful.corrected(members, leaders)] == [False, True]
    assert [each.leads for each in stateful.corrected(members, {})] == [True, False]
