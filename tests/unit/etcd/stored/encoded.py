"""Plain data made into protobuf by the tables, the other way round from the program, for tests."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kubectl_admin.etcd.stored.tables import OF_KINDS, TABLES, Field
from tests.unit.etcd.diff.history import text
from tests.unit.etcd.snapshot.bolt_file import varint


def field(number: int, value: bytes) -> bytes:
    """A field of bytes, of any number."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def number(at: int, value: int) -> bytes:
    """A field that is a number."""
    return varint(at << 3) + varint(value % (1 << 64))


def kept(document: Mapping[str, Any]) -> bytes:
    """An object as the API server stores it."""
    version, kind = document["apiVersion"], document["kind"]
    names = text(1, version.encode()) + text(2, kind.encode())
    raw = message(OF_KINDS[version, kind], document)
    return b"k8s\x00" + text(1, names) + field(2, raw) + text(3, b"") + text(4, b"")


def message(table: str, document: Mapping[str, Any]) -> bytes:
    """A message; fields that the table does not have are left out."""
    data = b""
    for at, known in TABLES[table].items():
        if not known.name:
            data += field(at, message(known.type, document))
        elif known.name in document:
            data += _field(at, known, document[known.name])
    return data


def _field(at: int, known: Field, value: Any) -> bytes:
    if known.mapping:
        pairs = ((key.encode(), _value(known.type, each)) for key, each in value.items())
        return b"".join(field(at, text(1, key) + field(2, each)) for key, each in pairs)
    if known.repeated:
        return b"".join(field(at, _value(known.type, each)) for each in value)
    if known.type in ("bool", "int"):
        return number(at, int(value))
    return field(at, _value(known.type, value))


def _value(kind: str, value: Any) -> bytes:
    match kind:
        case "bytes":
            return b64decode(value)
        case "time":
            return number(1, int(datetime.fromisoformat(value).timestamp())) + number(2, 0)
        case "microtime":
            moment = datetime.fromisoformat(value)
            return number(1, int(moment.timestamp())) + number(2, moment.microsecond * 1000)
        case "quantity":
            return text(1, value.encode())
        case "text":
            return str(value).encode()
        case _:
            return message(kind, value)
