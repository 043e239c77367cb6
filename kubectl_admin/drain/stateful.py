"""Databases and other clusters with a leader: how they are known, and what their operators do at a cordon.

One entry of OPERATORS a kind; docs/stateful.md says how to add one. Pure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.drain.facts import Facts, Member, Name
from kubectl_admin.drain.labels import Requirement, Selector


class Move(StrEnum):
    """Who moves the leader away from a node that is drained."""

    CORDON = "cordon"  # its operator, as soon as the node is cordoned: worth waiting for
    WEBHOOK = "webhook"  # its operator, once an eviction is asked for, which a webhook refuses until then
    EVICTION = "eviction"  # the database itself, when the leader is told to end


@dataclass(frozen=True, slots=True)
class Operator:
    """How the pods of one kind of cluster are known.

    pods: selects its members, in all namespaces.
    cluster: labels of which the first that is there names the cluster.
    leader: label values of which any one makes a pod the leader; none where there is no leader.
    resource, current: path of the operator's own objects, and the field (dotted) that names the leader's
        pod; empty where the label alone tells.
    between: the wait before the next node («until …»); empty for nothing.
    """

    name: str
    pods: Selector
    cluster: tuple[str, ...]
    leader: tuple[tuple[str, str], ...]
    move: Move
    resource: str = ""
    current: str = ""
    between: str = ""

    def member(self, pod: Any) -> Member | None:
        """The member that a pod (of the API) is; None if it is none of this kind's."""
        labels = pod["metadata"].get("labels") or {}
        if not self.pods.selects(labels):
            return None
        cluster = next((labels[key] for key in self.cluster if key in labels), "")
        return Member(
            operator=self.name,
            cluster=f"{pod['metadata']['namespace']}/{cluster}",
            pod=(pod["metadata"]["namespace"], pod["metadata"]["name"]),
            node=(pod.get("spec") or {}).get("nodeName") or "",
            leads=self.leads(labels),
            ready=is_ready(pod),
        )

    def leads(self, labels: Mapping[str, str]) -> bool:
        """Whether a pod with these labels is its cluster's leader."""
        return any(labels.get(key) == value for key, value in self.leader)


def having(*present: str) -> Selector:
    """Pods with these labels, whatever their values, or (written key=value) with this one."""
    return Selector(
        tuple(
            Requirement(key, "In", (value,)) if value else Requirement(key, "Exists")
            for key, _, value in (each.partition("=") for each in present)
        )
    )


def roles(key: str, *values: str) -> tuple[tuple[str, str], ...]:
    """The values of one label that make a leader."""
    return tuple((key, value) for value in values)


LEADERS = ("primary", "master", "leader")
FOLLOWERS = ("replica", "secondary", "slave", "follower", "standby")

OPERATORS = (
    # cloudnative-pg internal/controller/replicas.go: a primary on an unschedulable node is switched over.
    Operator(
        "CloudNativePG",
        having("cnpg.io/cluster", "cnpg.io/podRole=instance"),
        ("cnpg.io/cluster",),
        (*roles("cnpg.io/instanceRole", "primary"), *roles("role", "primary")),
        Move.CORDON,
        "/apis/postgresql.cnpg.io/v1/clusters",
        "status.currentPrimary",
    ),
    # zalando/postgres-operator pkg/controller/node.go: masters leave a node that becomes unschedulable.
    Operator(
        "Zalando PostgreSQL",
        having("application=spilo", "cluster-name"),
        ("cluster-name",),
        roles("spilo-role", "master", "primary"),
        Move.CORDON,
    ),
    # CrunchyData/postgres-operator: Patroni hands over when the primary is told to end.
    Operator(
        "CrunchyData PostgreSQL",
        having("postgres-operator.crunchydata.com/cluster", "postgres-operator.crunchydata.com/instance"),
        ("postgres-operator.crunchydata.com/cluster",),
        roles("postgres-operator.crunchydata.com/role", "master", "primary"),
        Move.EVICTION,
    ),
    # strimzi/drain-cleaner: its webhook refuses the eviction and has the operator roll the pod.
    Operator(
        "Strimzi Kafka",
        having("strimzi.io/cluster", "strimzi.io/broker-role"),
        ("strimzi.io/cluster",),
        (),
        Move.WEBHOOK,
    ),
    # rook design/ceph/ceph-managed-disruptionbudgets.md
    Operator(
        "Rook Ceph",
        having("app=rook-ceph-osd"),
        ("rook_cluster", "app.kubernetes.io/part-of"),
        (),
        Move.EVICTION,
        between="until the placement groups are clean and budget rook-ceph-osd allows a disruption",
    ),
    # longhorn docs, maintenance: the budget goes once its volumes have healthy replicas elsewhere.
    Operator(
        "Longhorn",
        having("longhorn.io/component=instance-manager"),
        ("app.kubernetes.io/instance", "longhorn.io/component"),
        (),
        Move.EVICTION,
        between="until all volumes are healthy again",
    ),
    Operator(
        "MySQL InnoDB Cluster",
        having("mysql.oracle.com/cluster"),
        ("mysql.oracle.com/cluster",),
        roles("mysql.oracle.com/cluster-role", "PRIMARY"),
        Move.EVICTION,
    ),
    Operator(
        "MariaDB",
        having("k8s.mariadb.com/role", "app.kubernetes.io/instance"),
        ("app.kubernetes.io/instance",),
        roles("k8s.mariadb.com/role", "primary"),
        Move.EVICTION,
    ),
    Operator(
        "KubeBlocks",
        having("kubeblocks.io/role", "app.kubernetes.io/instance"),
        ("app.kubernetes.io/instance",),
        roles("kubeblocks.io/role", "primary", "leader"),
        Move.EVICTION,
    ),
    Operator(
        "Redis failover",
        having("redisfailovers-role", "redisfailovers.databases.spotahome.com/name"),
        ("redisfailovers.databases.spotahome.com/name",),
        roles("redisfailovers-role", "master"),
        Move.EVICTION,
    ),
    Operator(
        "Vault",
        having("vault-active", "app.kubernetes.io/instance"),
        ("app.kubernetes.io/instance",),
        roles("vault-active", "true"),
        Move.EVICTION,
    ),
    # Patroni on its own, as its Helm charts label it.
    Operator(
        "Patroni",
        having("cluster-name", "role"),
        ("cluster-name",),
        roles("role", "master", "primary"),
        Move.EVICTION,
    ),
    # Anything else that labels the leader among a StatefulSet's pods with one of the usual words.
    Operator(
        "StatefulSet",
        Selector(
            (
                Requirement("statefulset.kubernetes.io/pod-name", "Exists"),
                Requirement("role", "In", (*LEADERS, *FOLLOWERS)),
            )
        ),
        ("app.kubernetes.io/instance", "app.kubernetes.io/name", "app"),
        roles("role", *LEADERS),
        Move.EVICTION,
    ),
)
BY_NAME = {operator.name: operator for operator in OPERATORS}


@dataclass(frozen=True, slots=True)
class Group:
    """One database (or the like) of which a pod is on the node.

    here, elsewhere: its members on the node and on others. primary: the leader, if it is on the node.
    """

    operator: Operator
    cluster: str
    here: tuple[Member, ...]
    elsewhere: tuple[Member, ...]

    @property
    def primary(self) -> Member | None:
        """The leader, if the node has it."""
        return next((member for member in self.here if member.leads), None)

    @property
    def alone(self) -> bool:
        """Whether the node has all of it: no second instance that could take over."""
        return not any(member.ready for member in self.elsewhere)

    @property
    def is_moved_at_cordon(self) -> bool:
        """Whether its leader is here and will be moved by its operator when the node is cordoned."""
        return self.operator.move is Move.CORDON and self.primary is not None and not self.alone


def groups(facts: Facts) -> list[Group]:
    """Every database of which a pod is on the node."""
    found: dict[tuple[str, str], list[Member]] = defaultdict(list)
    for member in facts.members:
        found[member.operator, member.cluster].append(member)
    return [
        Group(
            BY_NAME[operator],
            cluster,
            tuple(member for member in members if member.node == facts.node.name),
            tuple(member for member in members if member.node != facts.node.name),
        )
        for (operator, cluster), members in found.items()
        if any(member.node == facts.node.name for member in members)
    ]


def operator_of(labels: Mapping[str, str]) -> Operator | None:
    """The first entry of the table that knows a pod by its labels."""
    return next((operator for operator in OPERATORS if operator.pods.selects(labels)), None)


def corrected(members: Sequence[Member], leaders: Mapping[tuple[str, str], str]) -> tuple[Member, ...]:
    """The members, with the leader that the operator's own object names in the place of what labels say.

    leaders: the name of the leader's pod by operator and cluster.
    """
    return tuple(
        replace(member, leads=leaders[at] == member.pod[1])
        if (at := (member.operator, member.cluster)) in leaders
        else member
        for member in members
    )


def leaders_named(operator: Operator, objects: Iterable[Any]) -> dict[tuple[str, str], str]:
    """The leader's pod that each of an operator's own objects names, by operator and cluster."""
    found = {}
    for each in objects:
        value: Any = each
        for part in operator.current.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str) and value:
            metadata = each["metadata"]
            found[operator.name, f"{metadata['namespace']}/{metadata['name']}"] = value
    return found


def leading_here(groups: Iterable[Group]) -> dict[Name, Group]:
    """The databases whose leader an operator will move at the cordon, by the leader's pod."""
    return {group.primary.pod: group for group in groups if group.is_moved_at_cordon and group.primary}
