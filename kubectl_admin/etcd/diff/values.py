"""The content of a stored object: its UID, whether it is encrypted, and the kind that it defines. Pure.

Kubernetes' own kinds are stored as protobuf; custom resources, their definitions and APIServices as JSON.

Sources: apimachinery pkg/runtime/serializer/protobuf/protobuf.go (protoEncodingPrefix),
pkg/runtime/generated.proto (Unknown), pkg/apis/meta/v1/generated.proto (ObjectMeta); apiserver
pkg/storage/value/encrypt/identity/identity.go (encryptedPrefix); apiextensions-apiserver
pkg/apis/apiextensions/validation/validation.go (ValidateCustomResourceDefinitionNames).
"""

import json
import re
from typing import Any
from uuid import UUID

from kubectl_admin.etcd.diff.facts import Kind
from kubectl_admin.etcd.snapshot.protobuf import Undecodable, fields

ENCRYPTED = b"k8s:enc:"
PROTOBUF = b"k8s\x00"
RAW, METADATA, UID = 2, 1, 5  # fields of Unknown, of every object, and of ObjectMeta
# As the API server makes them. Nothing else is taken for one: it is compared as 16 bytes.
CANONICAL = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Bytes; etcd takes 1.5 MiB by default, and more than this is not looked into: JSON can take 25 times as much
# memory.
LONG = 2 << 20
# Names as the API server takes them: of a kind and of its resource, and of a group.
LABEL = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def is_encrypted(start: bytes) -> bool:
    """Whether a value that begins so is encrypted at rest."""
    return start.startswith(ENCRYPTED)


def uid(value: bytes) -> bytes | None:
    """The UID of the stored object, as 16 bytes; None where the value does not tell one."""
    if value.startswith(PROTOBUF):
        text = _uid_in_protobuf(value[len(PROTOBUF) :])
    elif value.startswith(b"{"):
        text = _uid_in_json(value)
    else:
        return None
    return bytes.fromhex(text.decode().replace("-", "")) if CANONICAL.fullmatch(text) else None


def uid_text(value: bytes | None) -> str | None:
    """The UID as Kubernetes writes it."""
    return str(UUID(bytes=value)) if value else None


def custom_kind(value: bytes) -> Kind | None:
    """The kind that a stored CustomResourceDefinition makes; None where the value does not tell it."""
    spec = _mapping(_json(value).get("spec"))
    names = _mapping(spec.get("names"))
    kind, group, resource = names.get("kind"), spec.get("group"), names.get("plural")
    namespaced = {"Namespaced": True, "Cluster": False}.get(str(spec.get("scope")))
    if namespaced is None or not (_is(LABEL, kind) and _is(DOMAIN, group) and _is(LABEL, resource)):
        return None
    return Kind(str(kind), str(group), str(resource), namespaced, custom=True)


def _is(form: re.Pattern[str], value: Any) -> bool:
    """Whether it is text of that form. Without the API server anything can be written, of any length."""
    return isinstance(value, str) and form.fullmatch(value) is not None


def _uid_in_protobuf(message: bytes) -> bytes:
    for field in (RAW, METADATA, UID):
        message = _field(message, field)
    return message


def _field(message: bytes, wanted: int) -> bytes:
    """The first field of that number; "" where there is none."""
    try:
        for field, _, start, end in fields(message):
            if field == wanted:
                return message[start:end]
    except Undecodable:
        pass
    return b""


def _uid_in_json(value: bytes) -> bytes:
    found = _mapping(_json(value).get("metadata")).get("uid")
    return found.encode("ascii", "replace") if isinstance(found, str) else b""


def _json(value: bytes) -> dict[str, Any]:
    if len(value) > LONG:
        return {}
    try:
        return _mapping(json.loads(value))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
