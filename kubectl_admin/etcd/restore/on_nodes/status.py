"""How far a restore is on a node, by its own journal and its worker's words."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import pods
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.operation import Owner
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE

DIRECTORY = f"{STATE}/restore"  # one restore at a time on a node
UNITS = "/etc/systemd/system"
UNIT = "kubectl-admin-restore.service"
LOOK = Script("etcd", "restore-state")
# The facts that scripts/restore-worker.sh tells of itself.
WORKER = ("id", "node", "side", "committed", "closed", "word", "age", "waits")


class Stage(StrEnum):
    """How far a restore is, as the scripts say it.

    unbegun: nothing was touched but what is aside. underway: its worker has begun, or nobody can say. over:
    restored, as before, or disarmed.
    """

    NONE = "none"
    UNBEGUN = "unbegun"
    UNDERWAY = "underway"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A restore on a host. id: "" where it has no plan. word: the last of its journal, or ""."""

    stage: Stage
    id: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class NodeState:
    """A restore on one node.

    earlier: which, and how far. owner: whose it is. data: etcd's data directory, in which it was looked for
    what is aside; "" where nobody has looked. unit, enabled: systemd's words for its unit. journal: seconds
    since the epoch and words, in order. old, new: bytes of the data of before, and of restored data, that are
    aside, of all restores; None where there are none. side: which of them etcd runs with (old, new, between,
    unknown), waits: what its worker waits for (go, nodes, etcd, acks, api, backs, space), both "" where the
    worker does not say. said: its other words.
    """

    node: str
    earlier: Earlier
    owner: Owner | None = None
    data: str = ""
    unit: str = ""
    enabled: str = ""
    journal: tuple[tuple[int, str], ...] = ()
    old: int | None = None
    new: int | None = None
    side: str = ""
    waits: str = ""
    said: tuple[str, ...] = ()

    @property
    def is_working(self) -> bool:
        """Whether its worker runs, or is being started again."""
        return self.unit in ("active", "activating", "deactivating", "reloading")

    @property
    def is_under_way(self) -> bool:
        """Whether the node carries a restore out, or waits for the word to begin."""
        return self.earlier.stage is Stage.UNDERWAY or self.is_working


def status_of_all(
    hosts: Hosts, *, answered: Callable[[int], None] | None = None
) -> dict[str, NodeState | AdminError]:
    """How far a restore is on each control-plane node, and what is aside there.

    answered: as in Hosts.ask. Raises AdminError where nodes or pods can't be listed.
    """
    etcd = pods.find(hosts.cluster)
    nodes = [node.name for node in etcd.nodes]
    return hosts.ask(nodes, lambda host: status(host, etcd.data.get(host.node, "")), answered=answered)


def status(host: Host, data: str = "") -> NodeState:
    """How far a restore is on this host. Raises AdminError where it can't be asked.

    data: etcd's data directory, "" where it is not known: what is aside is found then by a plan alone.
    """
    return state_of(host.node, host.script(LOOK, DIRECTORY, data).decode("utf-8", "replace"))


def state_of(node: str, answer: str) -> NodeState:
    """The script's answer, parsed. Raises AdminError for one that makes no sense."""
    lines = [line.partition(" ") for line in answer.splitlines() if line]
    found = {name: value for name, _, value in lines}
    said = [value for name, _, value in lines if name == "worker" and value not in ("", "# end")]
    worker = dict(line.split(" ", 1) for line in said if line.partition(" ")[0] in WORKER)
    try:
        return NodeState(
            node=node,
            earlier=earlier_of(found["restore"]),
            owner=Owner.parse(found.get("owner", "")),
            data=found.get("data", ""),
            unit=found["unit"],
            enabled=found.get("enabled", ""),
            journal=tuple(word_of(value) for name, _, value in lines if name == "journal"),
            old=int(found["old"]) if "old" in found else None,
            new=int(found["new"]) if "new" in found else None,
            side=worker.get("side", ""),
            waits=worker.get("waits", "").removeprefix("-"),
            said=tuple(line for line in said if line.partition(" ")[0] not in WORKER),
        )
    except (KeyError, ValueError):
        raise AdminError(f"node {node}: unexpected answer of the host: {answer[:80]!r}") from None


def earlier_of(text: str) -> Earlier:
    """«STAGE ID WORD», with «-» for none; ValueError for anything else."""
    stage, id_, word = text.split(" ")
    return Earlier(Stage(stage), "" if id_ == "-" else id_, "" if word == "-" else word)


def word_of(line: str) -> tuple[int, str]:
    """A line of the journal. One that a power cut has torn has no time, or no word."""
    moment, _, word = line.partition(" ")
    return (int(moment) if moment.isascii() and moment.isdecimal() else 0), word
