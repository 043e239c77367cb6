"""The facts on objects that are brought back: as they were in the snapshot, as they are now. Plain data.

Objects are dicts as the API gave them, and are never changed: who wants another one makes a copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Final
from urllib.parse import quote

from kubectl_admin.finding import Finding

Json = dict[str, Any]


class Absent(Enum):
    """A side of a change that does not have the field at all, which is not the same as null."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object as an API server serves it.

    group, version, plural, kind: «apps», «v1», «deployments», «Deployment»; the group of the core is "".
    singular, short: further words for it, as discovery gives them. verbs: that it takes, «get», «create».
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    singular: str = ""
    short: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """«deployments.apps», «pods»."""
        return f"{self.plural}.{self.group}".rstrip(".")

    @property
    def word(self) -> str:
        """«deployment.apps», «pod»: one of them, as kubectl names it."""
        return f"{self.kind.lower()}.{self.group}".rstrip(".")

    @property
    def api_version(self) -> str:
        """«apps/v1», «v1»."""
        return f"{self.group}/{self.version}".lstrip("/")

    def path(self, namespace: str = "", name: str = "") -> str:
        """Its objects: all, those of a namespace, or one. No name leads out of its place in the path."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inner = f"/namespaces/{_part(namespace)}" if self.namespaced and namespace else ""
        return f"{root}{inner}/{self.plural}" + (f"/{_part(name)}" if name else "")


def _part(name: str) -> str:
    """A name as one part of a path."""
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe=":@!$&'()*+,;=~")


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """An object's name among all of a cluster, whatever version it is read in. namespace: "" for none."""

    group: str
    plural: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """«deployments.apps/web in shop»."""
        kind = f"{self.plural}.{self.group}".rstrip(".")
        return f"{kind}/{self.name}" + (f" in {self.namespace}" if self.namespace else "")


class State(StrEnum):
    """How an object of the snapshot is now."""

    MISSING = "missing"
    CHANGED = "changed"
    THERE = "there"
    MADE = "made"  # a controller makes it by itself
    LEAVING = "terminating"  # it is there, and being deleted: nothing can be made in its place yet
    UNKNOWN = "unknown"  # it could not be looked at


@dataclass(frozen=True, slots=True)
class Change:
    """A field in which an object is another now.

    path: as a person finds it, «spec.template.spec.containers[name=app].image».
    then, now: its value; ABSENT for a side without the field.
    """

    path: str
    then: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner of an object that comes back, and what becomes of the reference to it.

    reference: as the object had it. key: the owner; None where no resource of that kind is served.
    uid: of the live object that is the owner now; "" where it is not there (yet).
    comes_back: whether it is itself one that is brought back, so that its uid is known once it is made.
    later: whether it is made after what it owns, so that the reference is put in once it is there.
    """

    reference: Json
    key: Key | None
    uid: str = ""
    comes_back: bool = False
    later: bool = False


@dataclass(frozen=True, slots=True)
class Lack:
    """What a run that was cut has not noted in an object that it has made.

    makers: the field managers of such runs. owners: those without a reference. managers: whether the field
    managers of before are missing.
    """

    makers: tuple[str, ...]
    owners: tuple[Owner, ...] = ()
    managers: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An object of the snapshot, as it was gathered with its live counterpart.

    resource, key, then, now: as in Item. unknown: why the live side could not be read; "" where it could.
    implied: whether nobody asked for it, but others need it: a namespace, a definition.
    named: whether it was asked for by its name.
    """

    resource: Resource
    key: Key
    then: Json
    now: Json | None
    unknown: str = ""
    implied: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An object that was asked for.

    resource: as the live cluster serves it; as the snapshot does where the live one does not.
    then, now: the object as the API gave it; now is None where it is missing.
    changes: where it is CHANGED, in which fields. made_by: where it is MADE, by whom.
    held: why it can't be brought back although it is missing; "" where it can.
    owners: those whose references it keeps; others are dropped.
    raced: whether a controller may make one of its own at the same moment: it is then changed to what it was.
    lack: what is left to be noted in it by an earlier run; None for nothing.
    """

    resource: Resource
    key: Key
    then: Json
    now: Json | None
    state: State
    changes: tuple[Change, ...] = ()
    made_by: str = ""
    held: str = ""
    owners: tuple[Owner, ...] = ()
    raced: bool = False
    lack: Lack | None = None

    @property
    def title(self) -> str:
        """«deployment.apps/web in shop», as kubectl names it."""
        home = f" in {self.key.namespace}" if self.key.namespace else ""
        return f"{self.resource.word}/{self.key.name}{home}"


@dataclass(frozen=True, slots=True)
class Thing:
    """A word for a kind, as kubectl takes it («deploy», «deployments.apps»); name: the one that is meant."""

    word: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which objects a person asked for.

    namespace: the one; None where none was named. everywhere: all namespaces, and what is in none.
    things: kinds, or single objects; all kinds where there are none. selector: of labels, as kubectl has it.
    """

    namespace: str | None
    everywhere: bool
    things: tuple[Thing, ...]
    selector: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, as a volume names it. uid: "" where it is not told."""

    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A PersistentVolume.

    phase: «Bound», «Released», «Available». policy: «Retain», «Delete».
    claim: that it is, or was, bound to. handle: by which its storage is found («DRIVER HANDLE», «nfs …»).
    version: its resourceVersion. deleted: whether it is being deleted.
    """

    name: str
    phase: str
    policy: str
    claim: Claim | None
    handle: str
    version: str = ""
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class VolumeSnapshot:
    """A VolumeSnapshot. claim: the name of the claim, in its namespace. taken: None where it is not told."""

    namespace: str
    name: str
    claim: str
    ready: bool
    taken: datetime | None


@dataclass(frozen=True, slots=True)
class Live:
    """The live cluster around the objects that were asked for.

    volumes: all of it; None where they could not be read, so that nothing is known of any.
    snapshots: all VolumeSnapshots; none where the cluster has no such kind.
    leaving: claims that are being deleted, by namespace and name; None where they could not be read.
    before: the volumes as the snapshot has them.
    resources: what it serves.
    owners: for owners that were not asked for: the uid of the live object of that name, or "" for none. An
    owner that could not be looked at is not among them.
    """

    volumes: Sequence[Volume] | None = ()
    snapshots: Sequence[VolumeSnapshot] = ()
    leaving: frozenset[tuple[str, str]] | None = frozenset()
    before: Sequence[Volume] = ()
    resources: Sequence[Resource] = ()
    owners: Mapping[Key, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is brought back, before it is.

    items: all that were asked for, in the order in which they are made; what is to be done is `todo`.
    changed: whether those that have changed are taken back as well.
    freed: by the key of a claim, the volume that is kept for it right before it is made: a Released one, or
    one of nobody.
    """

    items: tuple[Item, ...]
    findings: tuple[Finding, ...] = ()
    changed: bool = False
    freed: Mapping[Key, Volume] = field(default_factory=dict)

    @property
    def todo(self) -> tuple[Item, ...]:
        """Those that are made, or changed back, in order."""
        return tuple(each for each in self.items if self.takes(each))

    @property
    def unfinished(self) -> tuple[Item, ...]:
        """Those that an earlier run has made, and has not completed."""
        return tuple(each for each in self.items if each.lack)

    def takes(self, item: Item) -> bool:
        """Whether an item is one of these."""
        is_changed = self.changed and item.state is State.CHANGED
        return not item.held and (item.state is State.MISSING or is_changed)
