"""The keys by which control-plane nodes agree on a restore, as anyone reads them out of etcd. Pure.

Some are only ever written to the etcd of before, others only to the restored one: so they tell which of the
two has answered. The worker on each node writes them (scripts/restore-worker.sh).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROOT = "/kubectl-admin/restore/"


@dataclass(frozen=True, slots=True)
class Keys:
    """What nodes have written of one restore.

    go: that it is to begin. decided: that it is carried out.
    going: nodes that know of it. back: those that are back at the former data, for good.
    here: those with the restored data. acknowledged: those that will not return by themselves any more.
    """

    go: bool = False
    decided: bool = False
    going: frozenset[str] = frozenset()
    back: frozenset[str] = frozenset()
    here: frozenset[str] = frozenset()
    acknowledged: frozenset[str] = frozenset()

    def are_restored(self, nodes: Sequence[str]) -> bool:
        """Whether the restored data are served for good: a majority has acknowledged."""
        return len(self.acknowledged) >= majority(nodes)

    def are_as_before(self, nodes: Sequence[str]) -> bool:
        """Whether the former data are served for good: a majority is back."""
        return len(self.back) >= majority(nodes)


def majority(nodes: Sequence[str]) -> int:
    """How many of the nodes are more than half."""
    return len(nodes) // 2 + 1


def prefix_of(operation: str) -> str:
    """Below which all keys of a restore are. operation: its id."""
    return f"{ROOT}{operation}/"


def parse(keys: Iterable[str], operation: str) -> Keys:
    """What the keys say of this restore; those of others, and unknown ones, say nothing."""
    found: dict[str, set[str]] = {word: set() for word in ("going", "back", "here", "ack")}
    single = set()
    for key in keys:
        word, _, node = key.removeprefix(prefix_of(operation)).partition("/")
        if not key.startswith(prefix_of(operation)):
            continue
        if node and word in found:
            found[word].add(node)
        elif not node:
            single.add(word)
    return Keys(
        go="go" in single,
        decided="decision" in single,
        going=frozenset(found["going"]),
        back=frozenset(found["back"]),
        here=frozenset(found["here"]),
        acknowledged=frozenset(found["ack"]),
    )
