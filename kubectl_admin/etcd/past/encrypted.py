"""Objects that stand for all that are encrypted at rest: one for each key, and each resource with it.

Whether the API server of an opened snapshot has a key is seen by reading what is encrypted by it.
"""

from pathlib import Path

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.facts import Sample
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.stored import values
from kubectl_admin.etcd.stored.kinds import Kinds
from kubectl_admin.etcd.stored.objects import definitions

BLOCK = 1 << 20  # bytes that are read at a time
NAMED = 1024  # bytes of a value, which say how it is encrypted
MOST = 100  # samples; a file that was made up may name any number of keys


def samples(latest: Latest, prefix: str, path: Path) -> tuple[Sample, ...]:
    """One object for each key and resource, in the order of revisions; MOST at most.

    path: of the same file. Raises AdminError where it can't be read, or has changed.
    Cost: the file is read, and where anything is encrypted, each page with a living key once more.
    """
    if not mentions(path, values.ENCRYPTED):
        return ()
    kinds = Kinds(prefix, definitions(prefix, latest))
    found: dict[tuple[str, str, str], Sample] = {}
    for entry in latest.living():
        if not (by := values.encryption(entry.value[:NAMED])):
            continue
        there = kinds.object(entry.key)
        if there.kind is None:
            group, resource = "", ""
        else:
            group, resource = there.kind.group, there.kind.resource
        key = name_of(by)
        if (key, group, resource) not in found:
            found[key, group, resource] = Sample(key, group, resource, there.namespace, there.name, there.key)
            if len(found) == MOST:
                break
    return tuple(found.values())


def name_of(encryption: str) -> str:
    """Provider, version and key, «aescbc:v1:key1», of what the value says of itself."""
    return encryption.removeprefix(values.ENCRYPTED.decode()).rstrip(":")


def mentions(path: Path, word: bytes) -> bool:
    """Whether these bytes are anywhere in a file, if only in what does not count any more."""
    try:
        with path.open("rb") as file:
            end = b""
            while block := file.read(BLOCK):
                if word in end + block:
                    return True
                end = block[-len(word) :]
    except OSError as error:
        raise AdminError(f"{path} can't be read: {error.strerror}") from error
    return False
