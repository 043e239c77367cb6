"""The judgement on nodes that joined, left or were replaced since, and on pods' addresses. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.etcd.restore.consequences.facts import Network, Node, Side
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import some_of


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two nodes with common addresses for pods."""

    one: str
    other: str
    ranges: tuple[Network, Network]

    def __str__(self) -> str:
        first, second = self.ranges
        what = str(first) if first == second else f"{first} and {second}"
        return f"{self.one} and {self.other} ({what})"


def joined(old: Side, new: Side) -> list[str]:
    """The nodes without a Node object in the snapshot, in the order of their names."""
    return sorted(set(new.nodes) - set(old.nodes))


def left(old: Side, new: Side) -> list[str]:
    """The nodes that have a Node object in the snapshot alone, in the order of their names."""
    return sorted(set(old.nodes) - set(new.nodes))


def replaced(old: Side, new: Side) -> list[str]:
    """The nodes whose Node object is another one now, with other ranges: their own are those of now."""
    return sorted(
        name
        for name, node in new.nodes.items()
        if (before := old.nodes.get(name)) and before.uid != node.uid and before.ranges != node.ranges
    )


def judge(old: Side, new: Side, *, forced: bool = False) -> Iterator[Finding]:
    """The findings on nodes. forced: whether a person has accepted that ranges of pods' addresses overlap."""
    if names := joined(old, new):
        yield rules.NODE_JOINED.note(
            subject=f"nodes that joined since: {some_of(names)}",
            evidence="the snapshot has no Node object of them; they are made again with their labels, taints,"
            " annotations and addresses",
            objects=[f"node/{name}" for name in names],
        )
    if names := left(old, new):
        yield rules.NODE_LEFT.warning(
            subject=f"nodes that left since: {some_of(names)}",
            evidence="the snapshot has their Node objects; they come back, and are cordoned",
            fix="afterwards, where the machine is gone for good: kubectl delete node NAME",
            objects=[f"node/{name}" for name in names],
        )
    if names := replaced(old, new):
        yield rules.NODE_REPLACED.warning(
            subject=f"nodes that joined anew since: {some_of(names)}",
            evidence="; ".join(moved(old.nodes[name], new.nodes[name]) for name in names[:3]),
            fix="drain these nodes afterwards, delete their Node objects, and restart their kubelets",
            objects=[f"node/{name}" for name in names],
        )
    if found := overlaps(afterwards(old, new), set(joined(old, new))):
        yield rules.POD_RANGES_OVERLAP.finding(
            Severity.WARNING if forced else Severity.VIOLATION,
            subject=f"ranges of pods' addresses: {some_of([f'{one.one}, {one.other}' for one in found], 1)}",
            evidence=f"after the restore these would have common addresses: {some_of(found)}",
            fix="--force-nodes gives the nodes that joined since a new range, for which their pods must be"
            " made again; or remove one node of each pair from the cluster first",
            objects=dict.fromkeys(f"node/{name}" for one in found for name in (one.one, one.other)),
        )


def moved(before: Node, now: Node) -> str:
    """That a node's range is another one in the snapshot."""
    named = [", ".join(map(str, node.ranges)) or "none" for node in (before, now)]
    return f"node {now.name}: its pods' addresses are of {named[1]} now, and of {named[0]} in the snapshot"


def afterwards(old: Side, new: Side) -> dict[str, Node]:
    """The Node objects that there will be: those of the snapshot, and those of nodes that joined since."""
    return {**new.nodes, **old.nodes}


def overlaps(nodes: Mapping[str, Node], concerned: set[str]) -> list[Overlap]:
    """Pairs of nodes with common addresses, at least one of which is concerned; in the order of addresses."""
    found: dict[frozenset[str], Overlap] = {}
    for version in (4, 6):
        ordered = sorted(
            (
                (int(each[0]), int(each[-1]), name, each)
                for name, node in nodes.items()
                for each in node.ranges
                if each.version == version
            ),
            key=lambda one: one[:3],
        )
        # Ranges of a cluster are small and apart: those that are still open are few.
        still: list[tuple[int, str, Network]] = []
        for first, last, name, network in ordered:
            still = [one for one in still if one[0] >= first]
            for _, other, another in still:
                if other != name and concerned & {name, other}:
                    found.setdefault(frozenset((name, other)), Overlap(other, name, (another, network)))
            still.append((last, name, network))
    return list(found.values())


def free_ranges(node: str, wanted: Sequence[Network], others: Mapping[str, Node]) -> tuple[Network, ...]:
    """The wanted ranges of a node, or none where one of them has addresses of another node."""
    all_nodes = {**others, node: Node(node, "", tuple(wanted))}
    return () if overlaps(all_nodes, {node}) else tuple(wanted)
