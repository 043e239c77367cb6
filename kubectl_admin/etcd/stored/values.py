"""The content of a stored object without a look at all of it: its UID, whether and how it is encrypted, and
the kind that it defines. Pure.

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

from kubectl_admin.etcd.snapshot.protobuf import TEXT, Undecodable, tagged
from kubectl_admin.etcd.stored.facts import Kind

ENCRYPTED = b"k8s:enc:"
PROTOBUF = b"k8s\x00"
# Provider, version, and the name of the key; apiserver pkg/server/options/encryptionconfig/config.go.
NAMED = re.compile(rb"k8s:enc:[a-z0-9]{1,32}:v[0-9]{1,4}:[^:\0]{1,253}:")
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


def encryption(value: bytes) -> str:
    """How a value is encrypted, with the name of its key: «k8s:enc:aescbc:v1:key1:»; "" where it is not.

    Only as much as can be told: the name of a key may have a colon.
    """
    if not is_encrypted(value):
        return ""
    named = NAMED.match(value)
    return (named[0] if named else ENCRYPTED).decode(errors="backslashreplace")


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
    spec = _mapping(json_object(value).get("spec"))
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
        for tag, _, start, end in tagged(message):
            if tag == wanted << 3 | TEXT:
                return message[start:end]
    except Undecodable:
        pass
    return b""


def _uid_in_json(value: bytes) -> bytes:
    found = _mapping(json_object(value).get("metadata")).get("uid")
    return found.encode("ascii", "replace") if isinstance(found, str) else b""


def json_object(value: bytes) -> dict[str, Any]:
    """The JSON object that a value is; an empty one where it is none, or too long to be looked into."""
    if len(value) > LONG:
        return {}
    try:
        return _mapping(json.loads(value))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
