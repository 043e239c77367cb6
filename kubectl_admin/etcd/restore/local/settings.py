"""Settings of a restore that each node carries out by itself: all nodes must have the same ones. Pure.

Nodes agree through the restored etcd, whose token is made of the operation's id. Nodes with different ids
never find each other, so they never get a majority: that is safe, and nothing is restored.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.plan import WORD
from kubectl_admin.etcd.snapshot.contents import Member
from kubectl_admin.report.text import printable

DECIDE = 3600  # seconds: people start the nodes, one after the other
STEP = 1_000_000_000  # revisions
PER_SECOND = 1_000_000  # revisions that no cluster writes in a second
OWN = "own"  # in place of a sum: each node restores its own data, so there is one node
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # «=» and «,» have a meaning in etcd's lists


@dataclass(frozen=True, slots=True)
class Peer:
    """A member. peer: the URL at which other members reach it; "" where its node is to say so. clients:
    URLs.
    """

    name: str
    peer: str
    clients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the script must know beside its host.

    id: the operation's. digest: the SHA-256 of the snapshot, or OWN. revision: the snapshot's; 0 where it
    is not known. bump: by how much revisions rise. members: of the restored etcd. lost: those that are left
    out. etcd, kubernetes: minors of then, «3.6», "" where they are not known. authorities: of each
    ConfigMap that gives them, the fingerprints; none where they are not known. decide: seconds that a node
    waits for a majority. all_or_nothing: as NodePlan has it. is_named: whether a person has named the
    members. defrag: whether the restored database is made as small as it can be.
    """

    id: str
    digest: str
    revision: int
    bump: int
    members: tuple[Peer, ...]
    lost: tuple[Peer, ...] = ()
    etcd: str = ""
    kubernetes: str = ""
    authorities: tuple[frozenset[str], ...] = ()
    decide: int = DECIDE
    all_or_nothing: bool = False
    is_named: bool = False
    defrag: bool = False

    def lines(self) -> Iterator[str]:
        """A «KEY VALUE» a line. Raises AdminError for a value that can't stand there."""
        yield f"id {self.id}"
        yield f"sha256 {self.digest}"
        yield f"revision {self.revision}"
        yield f"bump {self.bump}"
        yield f"decide {self.decide}"
        yield f"all {'yes' if self.all_or_nothing else 'no'}"
        yield f"defrag {'yes' if self.defrag else 'no'}"
        yield f"named {'yes' if self.is_named else 'no'}"
        for name, value in (("etcd", self.etcd), ("kubernetes", self.kubernetes)):
            if value:
                yield f"{name} {_plain(value)}"
        for given in self.authorities:
            yield f"authority {_plain(','.join(sorted(given)))}"
        for key, peers in (("member", self.members), ("lost", self.lost)):
            for peer in peers:
                # The name of one that has never started is "".
                urls, name = ",".join(peer.clients), peer.name or "unnamed"
                yield f"{key} {_plain(name)} {_plain(peer.peer or '-')} {_plain(urls or '-')}"


def id_of(digest: str, members: Sequence[Peer], bump: int) -> str:
    """The operation's id on every node that restores the same file, with the same members and the same
    bump.
    """
    told = [digest, *(f"{peer.name}={peer.peer}" for peer in sorted(members, key=_name)), str(bump)]
    return sha256("\n".join(told).encode()).hexdigest()[:10]


def bump_of_data(own: int, snapshot: int) -> int:
    """By how much a node raises revisions that knows its own data. own, snapshot: their last revisions.

    Restored data must begin above whatever a watcher has seen, also where the snapshot is older than an
    earlier restore, which has raised them before. Members are apart by seconds of writes, and may be asked
    at different times, so the distance is rounded: all nodes then have the same number. Where they stand on
    both sides of a boundary, they have different ids, and nothing is restored: a person then gives one
    number to all (--bump). Source: etcd's docs on recovery, «Restoring with revision bump».
    """
    return (max(own - snapshot, 0) // STEP + 2) * STEP


def bump_of_time(now: float, snapshot: int) -> int:
    """By how much a script raises revisions that was printed now, by somebody who sees no data but the
    snapshot's.

    now: seconds since the epoch. snapshot: its last revision. The restored data begin at the time times a
    million: that is above whatever an earlier restore has begun with and all revisions since, since no
    cluster writes a million of them in a second; and it is below 2^53 until the year 2255, so whatever
    reads revisions as floating point numbers tells them apart. Where the snapshot is beyond that already,
    somebody has raised it by more: then the whole is added.
    """
    there = int(now) * PER_SECOND
    return there - snapshot if there - snapshot >= STEP else there


def chosen(found: Sequence[Member], wanted: Sequence[str]) -> tuple[tuple[Peer, ...], tuple[Peer, ...]]:
    """The members that will be, and those that are left out.

    found: of a snapshot, or of a node's own data. wanted: names; none: all. Raises AdminError for a name
    that is not there, and for members that can't be restored.
    """
    peers = [Peer(one.name, one.peer_urls[0] if one.peer_urls else "", one.client_urls) for one in found]
    names = [peer.name for peer in peers]
    if unknown := [name for name in wanted if name not in names]:
        there = ", ".join(map(printable, sorted(names))) or "not known"
        raise AdminError(
            f"{printable(unknown[0])} is not a member: the members are {there}",
            "name members as etcd does: --members cp-1,cp-2",
        )
    members = sorted((peer for peer in peers if not wanted or peer.name in wanted), key=_name)
    lost = sorted((peer for peer in peers if wanted and peer.name not in wanted), key=_name)
    if not members:
        raise AdminError("no members are known", "name them: --members cp-1")
    if len({peer.name for peer in members}) != len(members):
        raise AdminError("two members have the same name, so they can't be told apart")
    for one in found:
        if one.name in {peer.name for peer in members} and _is_odd(one):
            raise AdminError(
                f"member {printable(one.name) or one.id} can't be restored: it is a learner, has never "
                "started, or has not one peer URL",
                "leave it out (--members), and join it again afterwards",
            )
    return tuple(members), tuple(lost)


def minor(version: str) -> str:
    """«3.6» of «v3.6.8»; "" for text that is none."""
    found = re.match(r"v?(\d+\.\d+)", version, re.ASCII)
    return found[1] if found else ""


def _is_odd(member: Member) -> bool:
    return member.learner or not NAME.fullmatch(member.name) or len(member.peer_urls) != 1


def _name(peer: Peer) -> str:
    return peer.name


def _plain(word: str) -> str:
    if not WORD.fullmatch(word):
        raise AdminError(f"{word!r} can't be handed to a node: it must be plain text without spaces")
    return word
