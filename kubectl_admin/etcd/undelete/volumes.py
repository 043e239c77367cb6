"""Whether the volume of a claim that comes back is still there, and free; and volumes that come back. Pure.

A claim finds its volume by the name in it, if the volume is of no claim, or of one of this name and namespace
with this UID or none. Source: kubernetes/kubernetes pkg/controller/volume/persistentvolume/pv_controller.go,
syncUnboundClaim and syncVolume.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete.facts import Item, Key, Live, Volume, VolumeSnapshot
from kubectl_admin.etcd.undelete.kinds import CLAIMS

RETAIN, RECYCLE = "Retain", "Recycle"


class Data(Enum):
    """What has become of the data of a claim."""

    NONE = "none"  # it had no volume, and gets a new one as it would have
    THERE = "there"
    RELEASED = "released"  # there, and freed for it
    FREE = "free"  # there, of nobody, and kept for it
    LOST = "lost"
    TAKEN = "taken"  # there, but not for this claim
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outlook:
    """The data of a claim. why: for a person, where it does not come back with the claim, or is another."""

    data: Data
    volume: Volume | None = None
    why: str = ""


class Outlooks:
    """Tells of claims that are missing what has become of their data. restored: volumes that come back."""

    def __init__(self, live: Live, restored: Collection[str]) -> None:
        self._restored = restored
        self._now = None if live.volumes is None else {one.name: one for one in live.volumes}
        self._before = {one.name: one for one in live.before}

    def of(self, item: Item) -> Outlook:
        """Of one claim."""
        name = mapping(item.then.get("spec")).get("volumeName")
        if not isinstance(name, str) or not name:
            return Outlook(Data.NONE)
        if self._now is None:
            return Outlook(Data.UNKNOWN, why=f"volume {name} could not be looked at")
        before, volume = self._before.get(name), self._now.get(name)
        if volume is None:
            return self._without_object(name, before)
        if before and before.handle != volume.handle:
            return Outlook(Data.TAKEN, volume, f"volume {name} is another one now: {volume.handle}")
        return _of(volume, item)

    def _without_object(self, name: str, before: Volume | None) -> Outlook:
        """Of a claim whose volume is no object any more."""
        if name in self._restored:
            return Outlook(Data.THERE, before)
        if before and before.policy == RETAIN:
            storage = f"; its storage ({before.handle}) was to be kept"
            return Outlook(Data.TAKEN, why=f"volume {name} is no object any more{storage}")
        return Outlook(Data.LOST, why=f"volume {name} is gone")


def _of(volume: Volume, item: Item) -> Outlook:
    """Of a claim whose volume is there."""
    name, claim = volume.name, volume.claim
    is_own = claim is not None and (claim.namespace, claim.name) == _claim(item)
    if volume.deleted:
        return Outlook(Data.LOST, why=f"volume {name} is being deleted")
    if claim is None and volume.policy == RECYCLE:
        return Outlook(Data.LOST, why=f"volume {name} was wiped: its policy is {RECYCLE}")
    if claim is None or (is_own and not claim.uid):
        return Outlook(Data.THERE if claim else Data.FREE, volume)
    if not is_own:
        why = f"volume {name} is, or was, of claim {claim.namespace}/{claim.name}"
        return Outlook(Data.TAKEN, volume, why)
    outlook = _released(volume)
    if outlook.data is Data.RELEASED and claim.uid != _uid(item):
        why = f"volume {name} has had another claim of this name since the snapshot, whose data it has"
        return replace(outlook, why=why)
    return outlook


def _released(volume: Volume) -> Outlook:
    """Of a claim that is gone, and whose volume still names it."""
    if volume.policy != RETAIN:
        why = f"volume {volume.name} goes with its claim: its policy is {volume.policy or 'not told'}"
        return Outlook(Data.LOST, why=why)
    if volume.phase == "Bound":
        return Outlook(Data.UNKNOWN, volume, f"volume {volume.name} is not released yet by its former claim")
    if volume.phase != "Released":
        return Outlook(Data.TAKEN, volume, f"volume {volume.name} is {volume.phase or 'in no phase'}")
    return Outlook(Data.RELEASED, volume)


def _claim(item: Item) -> tuple[str, str]:
    return item.key.namespace, item.key.name


def _uid(item: Item) -> str:
    return str(mapping(item.then.get("metadata")).get("uid") or "")


def held(item: Item, live: Live) -> str:
    """Why a volume that is missing can't come back, or "".

    It would be one without storage, or a second one of the same storage.
    """
    if live.volumes is None:
        return "the volumes of now could not be looked at"
    handle = next((one.handle for one in live.before if one.name == item.key.name), "")
    if other := next((one for one in live.volumes if handle and one.handle == handle), None):
        return f"its storage is that of volume {other.name} now"
    policy = mapping(item.then.get("spec")).get("persistentVolumeReclaimPolicy")
    return "" if policy == RETAIN else f"its storage went with it: its policy was {policy or 'not told'}"


def newest(item: Item, snapshots: Iterable[VolumeSnapshot]) -> VolumeSnapshot | None:
    """The last VolumeSnapshot of a claim that can be used."""
    own = [one for one in snapshots if (one.namespace, one.claim) == _claim(item) and one.ready and one.taken]
    return max(own, key=lambda one: (str(one.taken), one.name), default=None)


def claims_of(item: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    """Those of the names of claims, in its namespace, that a StatefulSet would make if they were not there.

    item: any object; others than StatefulSets make none.
    Source: pkg/controller/statefulset/stateful_set_utils.go, getPersistentVolumeClaimName.
    """
    templates = mapping(item.get("spec")).get("volumeClaimTemplates")
    if item.get("kind") != "StatefulSet" or not isinstance(templates, list):
        return
    of_set = str(mapping(item.get("metadata")).get("name"))
    claims = [str(mapping(mapping(one).get("metadata")).get("name")) for one in templates]
    patterns = [re.compile(rf"{re.escape(claim)}-{re.escape(of_set)}-[0-9]+") for claim in claims]
    yield from (name for name in names if any(pattern.fullmatch(name) for pattern in patterns))


class Unasked:
    """Tells of StatefulSets which claims they had that nobody asked for, and that are gone or about to go.

    They would be made again, empty. They are told by the volumes of both, and by the claims of now.
    """

    def __init__(self, live: Live, items: Iterable[Key]) -> None:
        asked = {(key.namespace, key.name) for key in items if (key.group, key.plural) == CLAIMS}
        bound = {
            (one.claim.namespace, one.claim.name)
            for one in live.volumes or ()
            if one.claim and one.phase == "Bound"
        }
        before = {(one.claim.namespace, one.claim.name) for one in live.before if one.claim}
        self._absent = _by_namespace(before - asked - (bound - (live.leaving or frozenset())))
        unseen = (before - asked) & bound if live.leaving is None else set[tuple[str, str]]()
        self._unseen = _by_namespace(unseen)

    def of(self, item: Item) -> list[str]:
        """Those of one object, which may be any."""
        return sorted(claims_of(item.then, self._absent.get(item.key.namespace, ())))

    def unseen(self, item: Item) -> list[str]:
        """Those of one object that may be about to go, for all that could be looked at."""
        return sorted(claims_of(item.then, self._unseen.get(item.key.namespace, ())))


def _by_namespace(places: Iterable[tuple[str, str]]) -> Mapping[str, set[str]]:
    found = defaultdict[str, set[str]](set)
    for namespace, name in places:
        found[namespace].add(name)
    return found
