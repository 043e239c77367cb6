"""Records of health in files: written by --save, read and compared by --diff.

A file may be cut, of another kind, or made by somebody who means harm: nothing of it is taken for granted.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.finding import Severity
from kubectl_admin.health.again.changes import Change, told
from kubectl_admin.health.again.record import Machine, Part, Record, differences, record
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.look import Look
from kubectl_admin.health.shown.report import moment
from kubectl_admin.part_file import PartFile
from kubectl_admin.report import API_VERSION
from kubectl_admin.report.text import printable, relative

KIND = "HealthRecord"
LONGEST = 64 << 20  # bytes of a file that are read; 5,000 nodes have 3 MB
# Errors of reading a document that is not as it should be.
ODD = (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)
SYSTEM = "kube-system"
RIGHTS = (Right("get", "namespaces", SYSTEM),)


@dataclass(frozen=True, slots=True)
class Compared:
    """Changes since a record in a file. before: that record."""

    file: Path
    before: Record
    changes: tuple[Change, ...]

    def paragraph(self, now: datetime) -> str:
        """The changes in lines, below one that says since when."""
        # Who has written the file makes no line of its own.
        since = (
            f"since {printable(str(self.file))} ({moment(self.before.at)}, {relative(self.before.at, now)})"
        )
        lines = [f"  {printable(line.text)}" for line in told(self.changes)]
        return "\n".join([f"{since}:", *lines]) if lines else f"{since}: nothing has changed"


def identity(cluster: Cluster) -> str:
    """A cluster's own mark: the UID of its namespace kube-system. Raises AdminError."""
    with explained(cluster, RIGHTS):
        namespace = cluster.get(f"/api/v1/namespaces/{SYSTEM}")
    return str(namespace["metadata"]["uid"])


def save(look: Look, cluster: str, part: PartFile) -> None:
    """Writes the record of a look. cluster: its identity. Raises AdminError; no half-written file is left."""
    part.write(f"{json.dumps(written(record(look), cluster), indent=1)}\n".encode())
    part.publish()


def read(file: Path) -> tuple[str, Record]:
    """The identity of the cluster in a file, and the record. Raises UsageError."""
    try:
        # A pipe would be waited for until somebody writes to it.
        if not file.is_file() and file.exists() and not file.is_dir():
            raise UsageError(f"{file} is not a regular file", HINT)
        with file.open("rb") as stream:
            data = stream.read(LONGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a name that can't be
        why = error.strerror if isinstance(error, OSError) else "its name is not one of a file"
        raise UsageError(f"{file} can't be read: {why}") from error
    if len(data) > LONGEST:
        raise UsageError(f"{file} is too long to be a record of health", HINT)
    try:
        document = json.loads(data)
    except ODD as error:
        raise UsageError(f"{file} is not a whole JSON document", HINT) from error
    try:
        kind = document["apiVersion"], document["kind"]
    except ODD as error:
        raise UsageError(f"{file} is not a record of health", HINT) from error
    if kind != (API_VERSION, KIND):
        raise UsageError(f"{file} is not a record of health that this version knows", HINT)
    try:
        return _text(document["cluster"]), parsed(document)
    except ODD as error:
        raise UsageError(f"{file} is a damaged record of health", HINT) from error


HINT = "name a file that was written with --save"


def compare(look: Look, file: Path, before: Record) -> Compared:
    """Changes since the record of a file."""
    return Compared(file, before, tuple(differences(before, record(look))))


def require_same(cluster: str, file: Path, saved: str) -> None:
    """Raises AdminError where a file is of another cluster."""
    if cluster != saved:
        raise AdminError(
            f"{file} is of another cluster: its kube-system has another UID than the one of this context",
            "choose that cluster with --context, or name another file",
        )


def written(seen: Record, cluster: str) -> dict[str, object]:
    """The document of a record."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "cluster": cluster,
        "context": seen.context,
        "at": seen.at.astimezone(UTC).isoformat(),
        "nodes": {
            name: {
                "ready": node.ready,
                "unschedulable": node.cordoned,
                "kubeletVersion": node.version,
                "components": {
                    part: {"state": str(one.state), "restarts": one.restarts, "version": one.version}
                    for part, one in node.parts.items()
                },
            }
            for name, node in seen.nodes.items()
        },
        "findings": [
            {"rule": rule, "object": subject, "severity": str(severity)}
            for (rule, subject), severity in seen.findings.items()
        ],
        "budgets": {
            name: {"healthy": healthy, "wanted": wanted} for name, (healthy, wanted) in seen.budgets.items()
        },
        "leaders": dict(seen.leaders),
    }


def parsed(document: Mapping[str, Any]) -> Record:
    """The record of a document; raises one of ODD where it is not one."""
    return Record(
        datetime.fromisoformat(document["at"]).astimezone(UTC),
        _text(document["context"]),
        {name: _machine(node) for name, node in document["nodes"].items()},
        {
            (_text(one["rule"]), _text(one["object"])): Severity(one["severity"])
            for one in document["findings"]
        },
        {
            name: (_number(one["healthy"]), _number(one["wanted"]))
            for name, one in document["budgets"].items()
        },
        {name: _text(node) for name, node in document["leaders"].items()},
    )


def _machine(node: Mapping[str, Any]) -> Machine:
    parts = {
        name: Part(
            _state(one["state"]),
            None if one["restarts"] is None else _number(one["restarts"]),
            _text(one["version"]),
        )
        for name, one in node["components"].items()
    }
    ready = node["ready"]
    if ready not in (True, False, None):
        raise ValueError(ready)
    return Machine(ready, bool(node["unschedulable"]), _text(node["kubeletVersion"]), parts)


def _state(value: object) -> State:
    """A state that only another version knows is not compared."""
    text = _text(value)
    return State(text) if text in {*State} else State.LEFT_OUT


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(value)
    return value
