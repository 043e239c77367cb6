"""Encryption at rest: an API server's configuration of it, and values decrypted by that. Pure.

Keys are never part of what is shown of these objects, nor of any message.

Sources: apiserver pkg/server/options/encryptionconfig/config.go (which providers count for a resource, and by
which beginnings of a value), pkg/storage/value/transformer.go (the order in which they are tried),
pkg/storage/value/encrypt/aes/aes.go (AES-CBC with PKCS #7, and AES-GCM with a nonce of 12 bytes and the key
in etcd as its authenticated data), pkg/storage/value/encrypt/secretbox and encrypt/identity.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from kubectl_admin.etcd.snapshot.protobuf import TEXT, Undecodable, tagged
from kubectl_admin.etcd.stored import secretbox
from kubectl_admin.etcd.stored.values import ENCRYPTED, PROTOBUF

AES_SIZES = (16, 24, 32)  # bytes of a key
BLOCK = 16  # bytes of AES
GCM_NONCE = 12  # bytes
# Every object begins with one of these. AES-CBC is not authenticated: with another key, one of 256 values is
# «decrypted» to something else.
OBJECTS = (PROTOBUF, b"{")
KMS = "kms"
KEY_ID = 2  # a field of what a plugin has encrypted
LONG_ID = 80  # bytes of it that are shown
IDENTITY = "identity"
MANY = 200  # entries of a list in a configuration that are looked at


class Trial(StrEnum):
    """How a value does with a configuration."""

    OPENED = "opened"
    REFUSED = "refused"
    UNKNOWN = "unknown"  # only the API server's plugin can tell


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a provider."""

    name: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of a configuration. kind: «aescbc». name, version: of a KMS plugin, «v2»."""

    kind: str
    keys: tuple[Key, ...] = ()
    name: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a configuration: resources («secrets», «*.apps», «*.*»), and their providers in order."""

    resources: tuple[str, ...]
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True)
class Encryption:
    """What an EncryptionConfiguration says; nothing where the API server has none."""

    entries: tuple[Entry, ...] = ()

    def providers(self, group: str, resource: str) -> tuple[Provider, ...]:
        """Those for a resource, in the order in which they are tried; without any it is not encrypted."""
        for wanted in (_named(group, resource), _named(group, "*"), "*.*"):
            found = [entry for entry in self.entries if wanted in map(_canonical, entry.resources)]
            if found:
                return tuple(provider for entry in found for provider in entry.providers)
        return (Provider(IDENTITY),)


@dataclass(frozen=True, slots=True)
class Opened:
    """The outcome for a value. plain: what it holds, where that is known. why: in words, if not opened."""

    trial: Trial
    plain: bytes | None = field(default=None, repr=False)
    why: str = ""


class Unconfigured(ValueError):  # noqa: N818 - not a failure of the program
    """A document is no configuration of encryption; says why, without anything of its keys."""


def configured(document: Any) -> Encryption:
    """The configuration in a document that was read from YAML or JSON. Raises Unconfigured."""
    kind = document.get("kind") if isinstance(document, dict) else None
    if kind != "EncryptionConfiguration" or not isinstance(document.get("resources"), list):
        raise Unconfigured("it is no EncryptionConfiguration")
    return Encryption(tuple(map(_entry, document["resources"][:MANY])))


def opened(providers: tuple[Provider, ...], key: bytes, value: bytes) -> Opened:
    """What a value is to an API server with these providers, and to nobody else.

    key: of the value in etcd, as a whole.
    """
    sealed = value.startswith(ENCRYPTED)
    outcome = Opened(
        Trial.REFUSED,
        why="no provider of its kind is configured" if sealed else "only encrypted values are configured",
    )
    for provider in providers:
        for tried in _tries(provider, key, value):
            if tried.trial is Trial.OPENED:
                return tried
            if outcome.trial is not Trial.UNKNOWN:
                outcome = tried
    return outcome


def unsealing(known: Iterable[Encryption]) -> Callable[[str, str, bytes, bytes], bytes | None]:
    """Decrypts values as an API server with any of these configurations would: an `objects.Unseal`."""
    configurations = list(known)

    def plain(group: str, resource: str, key: bytes, value: bytes) -> bytes | None:
        for one in configurations:
            outcome = opened(one.providers(group, resource), key, value)
            if outcome.trial is Trial.OPENED:
                return outcome.plain
        return None

    return plain


def _tries(provider: Provider, key: bytes, value: bytes) -> Iterator[Opened]:
    """What comes of a provider's keys whose beginning the value has."""
    if provider.kind == IDENTITY:
        if not value.startswith(ENCRYPTED):
            yield Opened(Trial.OPENED, value)
        return
    start = f"k8s:enc:{provider.kind}:{provider.version or 'v1'}:".encode()
    if not value.startswith(start):
        return
    if provider.kind == KMS:
        begins = start + f"{provider.name}:".encode()
        if value.startswith(begins):
            by = _plugin_key(value[len(begins) :]) if provider.version == "v2" else ""
            yield Opened(Trial.UNKNOWN, why=f"only KMS plugin {provider.name} can decrypt it{by}")
        else:
            yield Opened(Trial.REFUSED, why="no KMS plugin of that name is configured")
        return
    found = False
    for each in provider.keys:
        begins = start + f"{each.name}:".encode()
        if value.startswith(begins):
            found = True
            plain = _DECRYPT[provider.kind](each.secret, value[len(begins) :], key)
            yes = plain is not None and plain.startswith(OBJECTS)
            yield (
                Opened(Trial.OPENED, plain)
                if yes
                else Opened(Trial.REFUSED, why=f"key {each.name} of provider {provider.kind} is another one")
            )
    if not found:
        yield Opened(Trial.REFUSED, why=f"provider {provider.kind} has no key of that name")


def _plugin_key(data: bytes) -> str:
    """The plugin's own name of the key, for a sentence; "" where it is not told.

    Source: apiserver pkg/storage/value/encrypt/envelope/kmsv2/v2/api.proto, EncryptedObject.
    """
    try:
        for tag, _, start, end in tagged(data):
            if tag == KEY_ID << 3 | TEXT:
                return f", by its key {data[start:end][:LONG_ID].decode(errors='replace')}"
    except Undecodable:
        pass
    return ""


def _cbc(secret: bytes, data: bytes, _key: bytes) -> bytes | None:
    vector, sealed = data[:BLOCK], data[BLOCK:]
    if len(secret) not in AES_SIZES or len(vector) != BLOCK or not sealed or len(sealed) % BLOCK:
        return None
    decryptor, unpadder = Cipher(AES(secret), CBC(vector)).decryptor(), PKCS7(8 * BLOCK).unpadder()
    try:
        return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:  # the padding
        return None


def _gcm(secret: bytes, data: bytes, key: bytes) -> bytes | None:
    if len(secret) not in AES_SIZES or len(data) < GCM_NONCE + BLOCK:
        return None
    try:
        return AESGCM(secret).decrypt(data[:GCM_NONCE], data[GCM_NONCE:], key)
    except InvalidTag:
        return None


def _secretbox(secret: bytes, data: bytes, _key: bytes) -> bytes | None:
    return secretbox.opened(secret, data)


_DECRYPT: dict[str, Callable[[bytes, bytes, bytes], bytes | None]] = {
    "aescbc": _cbc,
    "aesgcm": _gcm,
    "secretbox": _secretbox,
}


def _entry(said: Any) -> Entry:
    if not isinstance(said, dict):
        raise Unconfigured("an entry of it is no object")
    resources, providers = said.get("resources") or [], said.get("providers") or []
    if not isinstance(resources, list) or not isinstance(providers, list):
        raise Unconfigured("an entry of it has no lists")
    return Entry(tuple(map(str, resources[:MANY])), tuple(map(_provider, providers[:MANY])))


def _provider(said: Any) -> Provider:
    if not isinstance(said, dict) or len(said) != 1:
        raise Unconfigured("a provider in it is not one")
    (kind, settings), *_ = said.items()
    settings = settings if isinstance(settings, dict) else {}
    if kind == IDENTITY:
        return Provider(IDENTITY)
    if kind == KMS:
        return Provider(KMS, name=str(settings.get("name") or ""), version=_kms_version(settings))
    keys = settings.get("keys")
    if kind not in _DECRYPT or not isinstance(keys, list):
        raise Unconfigured(f"provider {str(kind)[:40]!r} in it is not known here, or has no keys")
    return Provider(str(kind), tuple(map(_key, keys[:MANY])))


def _kms_version(settings: dict[str, Any]) -> str:
    """v1 is the default. Source: apiserver pkg/apis/apiserver/v1/defaults.go."""
    return "v2" if settings.get("apiVersion") == "v2" else "v1"


def _key(said: Any) -> Key:
    name, secret = (said.get("name"), said.get("secret")) if isinstance(said, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(secret, str) or not name:
        raise Unconfigured("a key in it has no name or no secret")
    try:
        return Key(name, b64decode(secret.replace("\n", "").replace("\r", ""), validate=True))
    except ValueError:
        raise Unconfigured(f"the secret of key {name[:40]!r} in it is not base64") from None


def _named(group: str, resource: str) -> str:
    return f"{resource}.{group}"


def _canonical(written: str) -> str:
    """RESOURCE.GROUP, «secrets.» and «*.» for those without a group."""
    resource, _, group = written.partition(".")
    return _named(group, resource)
