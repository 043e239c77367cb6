"""The facts on two snapshots: the objects in which they differ, and how."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.stored.facts import Kind, Object, words_for


class State(StrEnum):
    """How two snapshots, A and B, differ in an object; in the order in which they are listed."""

    ONLY_IN_A = "onlyInA"
    ONLY_IN_B = "onlyInB"
    RECREATED = "recreated"  # deleted, and made again under the same name
    CHANGED = "changed"
    ENCRYPTED = "writtenEncrypted"  # written in between; whether its content is another can't be seen
    REWRITTEN = "writtenAgain"  # written in between, with the same content


@dataclass(slots=True)  # not frozen, which takes three times as long; there are two for each difference
class Side:
    """An object as one snapshot has it.

    created, modified: revisions, of this life of the object and of its last change.
    content: a fingerprint of its value, the same for the same bytes in one run of this program.
    size: bytes of the value.
    encrypted: whether it is encrypted at rest, so that only its key and revisions are known.
    uid: 16 bytes; None where the value does not tell it.
    """

    created: int
    modified: int
    content: int
    size: int
    encrypted: bool
    uid: bytes | None


@dataclass(frozen=True, slots=True)
class Difference:
    """An object in which two snapshots differ; None for the side that does not have it."""

    state: State
    object: Object
    a: Side | None
    b: Side | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which objects are compared; all where nothing is said.

    kinds: words for kinds, in lower case: «deployment», «deployments.apps».
    """

    namespace: str = ""
    kinds: frozenset[str] = frozenset()

    def takes(self, thing: Object) -> bool:
        """Whether the object is one of them."""
        if self.namespace and thing.namespace != self.namespace:
            return False
        return not self.kinds or (thing.kind is not None and not self.kinds.isdisjoint(words_for(thing.kind)))


@dataclass(frozen=True, slots=True)
class File:
    """One of the two files.

    label: how it is called in what is shown.
    objects: how many keys exist in it; None where it was not read.
    cluster: the UID of its namespace kube-system; None where that is not known, and `why`.
    """

    label: str
    verdict: Verdict
    objects: int | None = None
    cluster: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """How many objects of a kind differ in a namespace, by how they do."""

    kind: Kind | None
    namespace: str
    counts: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two snapshots compared.

    wanted: the objects that were.
    compared: whether that could be done: both files can be read.
    same_file: whether both names lead to one file.
    has_namespace: whether one of them has the namespace that is wanted.
    rows: in the order of kinds and namespaces, noise included.
    differences: in the order of states, kinds, namespaces, names; can be gone through again.
    """

    a: File
    b: File
    wanted: Wanted
    compared: bool
    same_file: bool
    has_namespace: bool
    rows: Sequence[Row]
    differences: Iterable[Difference]
