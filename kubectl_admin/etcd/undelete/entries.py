"""The lines of a journal: changes before they are made, and their outcomes; how they are written and read."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.decode import decode_moment, decode_object
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.undelete.facts import Json, Resource

FORMAT = "kubectl-admin-undelete/v1"
SUMMED = re.compile(rb'(.*),"sum":"([0-9a-f]{64})"}\n', re.DOTALL)  # a line, and its sum
LONGEST = 16 << 20  # bytes of a line: an object has 3 MiB at most, and a line has one


class Deed(StrEnum):
    """A change to one object.

    CREATE: it is made. REPLACE: it is put back to what it was in the snapshot. FREE: a volume is kept for the
    claim that comes back.
    """

    CREATE = "create"
    REPLACE = "replace"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Head:
    """The run. cluster: the UID of namespace kube-system, or ""."""

    operation: str
    snapshot: str
    sha256: str
    cluster: str
    began: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A change that was begun.

    before: the object before it; None for one that was not there. at: when it was begun.
    uid: of the object afterwards; "" where the answer was never seen. after: the object as it was then; None
    where that is not known, and of a volume.
    claim: namespace and name of the one for which a volume is kept; None for all else, and in journals of
    earlier versions.
    refused: whether it was certainly not carried out. undone: whether it is taken back already.
    """

    number: int
    deed: Deed
    resource: Resource
    namespace: str
    name: str
    at: datetime
    before: Json | None = None
    uid: str = ""
    after: Json | None = None
    claim: tuple[str, str] | None = None
    refused: bool = False
    undone: bool = False

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace, self.name)

    @property
    def title(self) -> str:
        """«deployment.apps/web in shop»."""
        return f"{self.resource.word}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")


@dataclass(frozen=True, slots=True)
class Intent:
    """A change that is about to be made.

    before: the object as it is; None for one that is not there. claim: as in Entry.
    """

    deed: Deed
    resource: Resource
    namespace: str
    name: str
    before: Json | None = None
    claim: tuple[str, str] | None = None


class Chain:
    """Each line has the sum of all before it and of its own, so that it is seen where one was changed since,
    or left out. last: the sum so far.
    """

    def __init__(self) -> None:
        self.last = ""

    def written(self, line: Json) -> bytes:
        """A line as it is in the file; the next one follows it."""
        content = json.dumps(line, separators=(",", ":")).encode().removesuffix(b"}")
        self.last = self._sum(content)
        return b'%s,"sum":"%s"}\n' % (content, self.last.encode())

    def is_next(self, line: bytes) -> bool:
        """Whether a line that was read is the next one."""
        found = SUMMED.fullmatch(line)
        self.last = self._sum(found[1]) if found else ""
        return found is not None and found[2].decode() == self.last

    def _sum(self, content: bytes) -> str:
        return hashlib.sha256(self.last.encode() + b"\n" + content).hexdigest()


def read(path: Path, chain: Chain) -> tuple[Head, dict[int, Entry]]:
    """A journal's run, and its changes by their numbers. chain: a new one; it can be written on with it then.

    Raises UsageError for a file that is none, and for one that was changed by somebody else.
    """
    try:
        # A named pipe without a writer would keep even open() waiting, a device has no end.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{path} is not a regular file", "name the journal that its run has told")
            lines = _lines(path, iter(lambda: file.readline(LONGEST), b""), chain)
            return _head(path, next(lines, {})), _entries(path, lines)
    except OSError as error:
        raise UsageError(f"the journal {path} can't be read: {error.strerror}") from error


def _lines(path: Path, lines: Iterable[bytes], chain: Chain) -> Iterator[Json]:
    for line in lines:
        if not line.endswith(b"\n"):
            return  # cut off while it was written: what it tells of was not begun
        if line.strip():
            try:
                content = decode_object(line, str(path))
            except AdminError:
                # A line that was cut off, behind which a later run has written.
                continue
            if not chain.is_next(line):
                raise UsageError(
                    f"{path} is not a journal of etcd-undelete, or was changed since it was written",
                    "name the one that its run has told, as it was",
                )
            yield content


def _head(path: Path, line: Json) -> Head:
    began = decode_moment(line.get("began"))
    if line.get("format") != FORMAT or began is None:
        raise UsageError(f"{path} is not a journal of etcd-undelete", "name the one that its run has told")
    operation, snapshot, sha256, cluster = (
        str(line.get(name) or "") for name in ("operation", "snapshot", "sha256", "cluster")
    )
    return Head(operation, snapshot, sha256, cluster, began)


def _entries(path: Path, lines: Iterable[Json]) -> dict[int, Entry]:
    found: dict[int, Entry] = {}
    for line in lines:
        try:
            if "intent" in line:
                entry = _entry(line)
                found[entry.number] = entry
            elif "done" in line:
                old = found[int(line["done"])]
                found[old.number] = _outcome(old, line)
        except (KeyError, ValueError, TypeError) as error:
            raise UsageError(f"{path} is not a journal that this version can read") from error
    return found


def _entry(line: Json) -> Entry:
    about = line["resource"]
    resource = Resource(
        str(about["group"]),
        str(about["version"]),
        str(about["plural"]),
        str(about["kind"]),
        namespaced=bool(about["namespaced"]),
    )
    at = decode_moment(line["at"])
    if at is None or not all((resource.version, resource.plural, line["name"])):
        raise ValueError
    return Entry(
        int(line["number"]),
        Deed(line["intent"]),
        resource,
        str(line["namespace"]),
        str(line["name"]),
        at,
        before=_object(line, "before"),
        claim=_claim(line),
    )


def _claim(line: Json) -> tuple[str, str] | None:
    if "claim" not in line:
        return None
    namespace, name = line["claim"]
    return str(namespace), str(name)


def _outcome(old: Entry, line: Json) -> Entry:
    return replace(
        old,
        uid=str(line.get("uid") or ""),
        after=_object(line, "after"),
        refused=line.get("refused") is True,
        undone=line.get("undone") is True,
    )


def intent_line(entry: Entry) -> Json:
    """An intent as it is written."""
    about = entry.resource
    line: dict[str, Any] = {
        "intent": str(entry.deed),
        "number": entry.number,
        "at": text(entry.at),
        "namespace": entry.namespace,
        "name": entry.name,
        "resource": {
            "group": about.group,
            "version": about.version,
            "plural": about.plural,
            "kind": about.kind,
            "namespaced": about.namespaced,
        },
    }
    if entry.claim:
        line["claim"] = list(entry.claim)
    return line if entry.before is None else {**line, "before": entry.before}


def outcome_line(entry: Entry) -> Json:
    """The outcome of a change as it is written."""
    line: Json = {
        "done": entry.number,
        "uid": entry.uid,
        "refused": entry.refused,
        "undone": entry.undone,
    }
    return line if entry.after is None else {**line, "after": entry.after}


def _object(line: Json, field: str) -> Json | None:
    found = line.get(field)
    return found if isinstance(found, dict) else None


def text(moment: datetime) -> str:
    """A moment in UTC."""
    return moment.astimezone(UTC).isoformat()


def head_line(head: Head) -> Json:
    """The run as it is written."""
    return {"format": FORMAT, **asdict(head), "began": text(head.began)}
