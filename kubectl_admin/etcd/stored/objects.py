"""The objects of a database: all of some kinds, one by its key, and the cluster that they are of."""

from collections.abc import Callable, Iterator
from functools import lru_cache

from kubectl_admin.etcd.snapshot.key_value import KeyValue
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.stored import values
from kubectl_admin.etcd.stored.decode import Unreadable, decoded
from kubectl_admin.etcd.stored.facts import Kind, Stored
from kubectl_admin.etcd.stored.kinds import DEFINITIONS, KEPT, LONG, by_place, root_of

# Gives what an encrypted value holds, by group, resource, key and value; None where that can't be told.
Unseal = Callable[[str, str, bytes, bytes], bytes | None]
SYSTEM = "kube-system"  # the namespace whose UID is that of the cluster


def objects(latest: Latest, prefix: str, *places: str, unseal: Unseal | None = None) -> Iterator[Stored]:
    """Every object that is stored at one of these places below the prefix, in the order of revisions.

    places: «minions», «services/specs», «cert-manager.io/certificates»: see `kinds.by_place`.
    unseal: decrypts what is encrypted at rest, where somebody can.
    Cost: one pass over all keys, however many places are named. Memory: a byte for each entry of the
    database, and the one object that is looked at.
    Raises AdminError where the file is not any more what it was.
    """
    starts = {f"{root_of(prefix)}{place}/".encode(): place for place in places}
    any_of, own = tuple(starts), by_place()
    for entry in latest.living():
        if entry.key.startswith(any_of) and len(entry.key) <= LONG:
            start = next(each for each in any_of if entry.key.startswith(each))
            place = starts[start]
            kind = own.get(place)
            match [part.decode(errors="backslashreplace") for part in entry.key[len(start) :].split(b"/")]:
                case [name] if name and not (kind and kind.namespaced):
                    yield stored(entry, place, "", name, unseal)
                case [namespace, name] if namespace and name and (kind is None or kind.namespaced):
                    yield stored(entry, place, namespace, name, unseal)


def found(latest: Latest, prefix: str, place: str, name: str, namespace: str = "") -> Stored | None:
    """The object of that name; None where there is none. Raises AdminError as `objects` does."""
    below = f"{namespace}/{name}" if namespace else name
    entry = latest.find(f"{root_of(prefix)}{place}/{below}".encode())
    return stored(entry, place, namespace, name) if entry else None


def stored(entry: KeyValue, place: str, namespace: str, name: str, unseal: Unseal | None = None) -> Stored:
    """The object in an entry. unseal: as in `objects`."""
    key, value = entry.key.decode(errors="backslashreplace"), content(entry)
    if unseal and values.is_encrypted(value):
        value = unseal(*resource_of(place), entry.key, value) or value
    if encrypted := values.encryption(value):
        return Stored(key, place, namespace, name, None, encrypted=encrypted)
    try:
        return Stored(key, place, namespace, name, decoded(value))
    except Unreadable as error:
        return Stored(key, place, namespace, name, None, problem=str(error))


@lru_cache(KEPT)
def resource_of(place: str) -> tuple[str, str]:
    """Group and resource of what is stored at a place."""
    if kind := by_place().get(place):
        return kind.group, kind.resource
    group, _, resource = place.rpartition("/")
    return group, resource


def content(entry: KeyValue) -> bytes:
    """The value of an entry, no more of it than is ever looked into."""
    return entry.value[: values.LONG + 1]


def cluster(latest: Latest, prefix: str, unseal: Unseal | None = None) -> tuple[str | None, str]:
    """The UID of namespace kube-system, which a cluster keeps for life.

    None where it is not told, and why. unseal: decrypts it where it is encrypted at rest.
    """
    key = f"{root_of(prefix)}namespaces/{SYSTEM}"
    entry = latest.find(key.encode())
    if entry is None:
        return None, f"it has no key {key} (see --etcd-prefix)"
    value = content(entry)
    if unseal and values.is_encrypted(value):
        value = unseal("", "namespaces", entry.key, value) or value
    if values.is_encrypted(value):
        return None, f"namespace {SYSTEM} is encrypted at rest"
    uid = values.uid_text(values.uid(value))
    return uid, "" if uid else f"the value of {key} tells no UID"


def definitions(prefix: str, *databases: Latest) -> Callable[[str], Kind | None]:
    """Finds the kind that a CustomResourceDefinition makes, in the first database that has it."""
    start = f"{root_of(prefix)}{DEFINITIONS}/"

    @lru_cache(KEPT)
    def definition(name: str) -> Kind | None:
        for database in databases:
            entry = database.find(f"{start}{name}".encode())
            kind = values.custom_kind(content(entry)) if entry else None
            if kind and f"{kind.resource}.{kind.group}" == name:
                return kind
        return None

    return definition
