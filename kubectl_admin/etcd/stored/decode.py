"""A stored value made into plain data that is shaped as the API's JSON. Pure.

Kubernetes' own kinds are stored as protobuf, and made into data by the tables in `tables`: fields that these
do not have are left out. Custom resources, their definitions and APIServices are stored as JSON.

A value comes from whoever could write to etcd: whatever it is, it takes time and memory in proportion to its
length, which is bounded.

Source: apimachinery pkg/runtime/serializer/protobuf/protobuf.go (protoEncodingPrefix, Unknown),
pkg/apis/meta/v1/time_proto.go and micro_time_proto.go.
"""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from kubectl_admin.etcd.snapshot.protobuf import TEXT, VARINT, Undecodable, tagged
from kubectl_admin.etcd.stored.tables import NUMBERS, OF_KINDS, TABLES, Field
from kubectl_admin.etcd.stored.values import LONG, PROTOBUF, encryption, json_object

MOST = 50_000  # fields of an object, at any depth; those of the longest list of endpoints are some 10,000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In JSON, which anybody can write who reaches etcd: what must be text, and what must be texts by their name.
TEXTS, MAPPINGS = ("name", "namespace", "uid"), ("labels", "annotations")


class Unreadable(ValueError):  # noqa: N818 - not a failure of the program
    """A value can't be made into data; says why, in words that follow «it can't be read: »."""


def decoded(value: bytes) -> dict[str, Any]:
    """The object that a value is. It has «apiVersion», «kind» and «metadata».

    It is of the version in which it is stored: a CustomResourceDefinition of v1beta1, by Kubernetes 1.36 too.

    Bytes are base64 text, times and quantities text, as in the API's JSON. Raises Unreadable.
    """
    if encryption(value):
        raise Unreadable("it is encrypted at rest")
    if len(value) > LONG:
        raise Unreadable(f"it is longer than {LONG:,} bytes")
    if value.startswith(PROTOBUF):
        return _of_protobuf(value[len(PROTOBUF) :])
    if value.startswith(b"{"):
        return _of_json(value)
    raise Unreadable("it is neither protobuf nor JSON as the API server writes them")


def _of_json(value: bytes) -> dict[str, Any]:
    found = json_object(value)
    if not found:
        raise Unreadable("it is no JSON object")
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or not all(
        isinstance(found.get(name), str) for name in ("apiVersion", "kind")
    ):
        raise Unreadable("it is JSON, and no object of the API")
    for name in TEXTS:
        if not isinstance(metadata.get(name, ""), str):
            raise Unreadable(f"its {name} is no text")
    for name in MAPPINGS:
        mapping = metadata.get(name)
        if mapping is not None and not (
            isinstance(mapping, dict) and all(isinstance(each, str) for each in mapping.values())
        ):
            raise Unreadable(f"its {name} are no texts")
    return found


def _of_protobuf(message: bytes) -> dict[str, Any]:
    reader = _Reader()
    try:
        unknown = reader.message(message, "Unknown", {}, raw=True)
        named = unknown.get("typeMeta") or {}
        version, kind = named.get("apiVersion", ""), named.get("kind", "")
        table = OF_KINDS.get((version, kind))
        if table is None:
            raise Unreadable(f"kind {kind[:80]!r} of {version[:80]!r} is not known here")
        if unknown.get("contentEncoding") or unknown.get("contentType"):
            raise Unreadable("it is in an encoding that the API server does not store")
        found: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": {}}
        return reader.message(unknown.get("raw", b""), table, found)
    except Undecodable as error:
        raise Unreadable(f"it is no protobuf as the API server writes it ({error})") from None


class _Reader:
    """Takes one object apart, and counts the fields that it has met."""

    def __init__(self) -> None:
        self._left = MOST

    def message(self, data: bytes, table: str, into: dict[str, Any], *, raw: bool = False) -> dict[str, Any]:
        """Adds the fields of a message to those that are there, as Go's decoder does, and returns them.

        raw: bytes stay bytes. The tables bound how deep this goes.
        """
        known = TABLES[table]
        for tag, value, start, end in tagged(data, self._left):
            self._left -= 1
            if field := known.get(tag >> 3):
                kind = VARINT if field.type in NUMBERS and not field.mapping else TEXT
                if tag & 7 != kind:
                    raise Undecodable(f"its {field.name or field.type} is of another type")
                self._add(into, field, value if kind == VARINT else data[start:end], raw=raw)
        return into

    def _add(self, into: dict[str, Any], field: Field, value: int | bytes, *, raw: bool) -> None:
        if isinstance(value, int):
            _set(into, field, value != 0 if field.type == "bool" else _signed(value))
        elif field.mapping:
            entry = self.message(value, "Entry", {}, raw=True)
            content = self._text(entry.get("value", b""), field.type)
            into.setdefault(field.name, {})[entry.get("key", "")] = content
        elif field.type not in TABLES:
            _set(into, field, value if raw and field.type == "bytes" else self._text(value, field.type))
        elif field.repeated:
            into.setdefault(field.name, []).append(self.message(value, field.type, {}, raw=raw))
        else:  # one that comes in parts is put together, as Go's decoder does
            self.message(value, field.type, into.setdefault(field.name, {}) if field.name else into, raw=raw)

    def _text(self, data: bytes, kind: str) -> str:
        """What is text in JSON; "" for a time that is not set."""
        match kind:
            case "bytes":
                return b64encode(data).decode()
            case "time" | "microtime":
                found = self.message(data, "Timestamp", {})
                return _time(found.get("seconds", 0), found.get("nanos", 0), fraction=kind == "microtime")
            case "quantity":
                text: str = self.message(data, "Quantity", {}).get("string", "")
                return text
            case _:
                return data.decode(errors="replace")


def _set(into: dict[str, Any], field: Field, value: Any) -> None:
    if field.repeated:
        into.setdefault(field.name, []).append(value)
    elif value or field.pointer:
        into[field.name] = value
    else:
        into.pop(field.name, None)  # JSON leaves out what is empty or 0


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _time(seconds: int, nanos: int, *, fraction: bool) -> str:
    """As JSON has it; "" for a time that is not set."""
    if not seconds and not nanos:
        return ""
    try:
        time = EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000 if fraction else 0)
    except OverflowError:
        raise Undecodable(f"a time of {seconds} seconds") from None
    return time.isoformat(timespec="microseconds" if fraction else "seconds").replace("+00:00", "Z")
