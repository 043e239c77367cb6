"""The content of etcd's small buckets decoded: members, alarms, versions, revisions. Opens no file.

Source: etcd-io/etcd server/storage/schema/*.go, server/storage/mvcc/revision.go, api/etcdserverpb/rpc.proto.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

from kubectl_admin.etcd.snapshot import protobuf
from kubectl_admin.etcd.snapshot.protobuf import Undecodable

REVISION = 17  # bytes: main u64, «_», sub u64, big-endian
TOMBSTONE = b"t"  # an 18th byte: the key was deleted there
ID = re.compile(rb"[0-9a-f]{1,16}")
ALARMS = {1: "NOSPACE", 2: "CORRUPT"}


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the cluster as the database has it.

    id: in hex, as etcdctl writes it.
    name: "" for one that was added and never started.
    """

    id: str
    name: str
    peer_urls: tuple[str, ...]
    client_urls: tuple[str, ...]
    learner: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that was raised and never disarmed: which, and the id of the member that raised it."""

    kind: str
    member: str


@dataclass(frozen=True, slots=True)
class Raft:
    """Who takes part in raft, which does not always agree with the list of members; ids in hex."""

    voters: frozenset[str]
    learners: frozenset[str]


def revision(key: bytes) -> int:
    """The main revision of a key of bucket «key», or of one kept in bucket «meta»; raises Undecodable."""
    tail = key[REVISION:]
    if len(key) < REVISION or len(tail) > 1 or key[8:9] != b"_" or key[0] > 0x7F or key[9] > 0x7F:
        raise Undecodable(f"{key[:24].hex()} is not a revision")
    return int.from_bytes(key[:8])


def number(value: bytes) -> int:
    """A consistent index or a term; raises Undecodable."""
    if len(value) != 8:
        raise Undecodable(f"{value[:24].hex()} is not a number of 8 bytes")
    return int.from_bytes(value)


def text(value: bytes) -> str:
    """A version as text; raises Undecodable."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Undecodable(f"{value[:24].hex()} is not text") from None


def member(key: bytes, value: bytes) -> Member:
    """An entry of bucket «members»; raises Undecodable."""
    document = _object(value)
    return Member(
        id=member_id(key),
        name=_text_in(document, "name"),
        peer_urls=_texts_in(document, "peerURLs"),
        client_urls=_texts_in(document, "clientURLs"),
        learner=document.get("isLearner") is True,
    )


def member_id(key: bytes) -> str:
    """The key of a bucket of members, an id in hex; raises Undecodable."""
    if not ID.fullmatch(key):
        raise Undecodable(f"{key[:24]!r} is not a member's id")
    return f"{int(key, 16):x}"


def raft(value: bytes) -> Raft:
    """Who takes part by «confState» of bucket «meta», which etcd 3.5 and newer write; raises Undecodable."""
    document = _object(value)
    voting, joining = document.get("voters") or [], document.get("learners") or []
    outgoing = document.get("voters_outgoing") or []
    ids = [*_list(voting), *_list(outgoing), *_list(joining)]
    if not all(isinstance(each, int) and 0 <= each < 1 << 64 for each in ids):
        raise Undecodable("the raft members are not a list of ids")
    return Raft(
        frozenset(f"{each:x}" for each in [*voting, *outgoing]), frozenset(f"{each:x}" for each in joining)
    )


def alarm(key: bytes) -> Alarm:
    """A key of bucket «alarm»: the message AlarmMember; raises Undecodable."""
    values = {field: value for field, value, _, _ in protobuf.fields(key)}
    kind = values.get(2, 0)
    return Alarm(ALARMS.get(kind, f"of kind {kind}"), f"{values.get(1, 0):x}")


def cluster_id(members: Sequence[Member], removed: Sequence[str]) -> str | None:
    """The cluster's id in hex; None where it can't be computed: no snapshot contains it.

    etcd makes it from the ids of the first members, so it is certain for a cluster that has one member and
    never had another. Source: etcd-io/etcd server/etcdserver/api/membership/cluster.go, genID.
    """
    if len(members) != 1 or removed:
        return None
    only = int(members[0].id, 16).to_bytes(8)
    return f"{int.from_bytes(sha1(only, usedforsecurity=False).digest()[:8]):x}"


def _object(value: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Undecodable(f"{value[:24]!r} is not a JSON object")
    return document


def _text_in(document: Mapping[str, Any], name: str) -> str:
    found: str = document.get(name) or ""
    if not _is_text(found):
        raise Undecodable(f"its {name} is not text")
    return found


def _texts_in(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = _list(document.get(name) or [])
    if not all(map(_is_text, found)):
        raise Undecodable(f"its {name} are not a list of texts")
    return tuple(found)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Undecodable(f"{str(value)[:24]!r} is not a list")
    return value


def _is_text(value: Any) -> bool:
    """JSON can also hold halves of characters, which nothing can print."""
    return isinstance(value, str) and not any("\ud800" <= char <= "\udfff" for char in value)
