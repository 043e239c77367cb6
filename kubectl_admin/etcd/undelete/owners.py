"""The owners of objects that come back: which references are kept, and who can't stay without. Pure.

As the garbage collector decides: an object of which no owner is there is removed again, one that has another
owner left loses the references to those that are not. An owner counts by its kind, its name and its UID.
Source: kubernetes/kubernetes pkg/controller/garbagecollector/garbagecollector.go, isDangling and
attemptToDeleteItem.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete.facts import Found, Item, Json, Key, Live, Owner, Resource, State
from kubectl_admin.etcd.undelete.kinds import CLAIMS, SETS
from kubectl_admin.etcd.undelete.made import group_of

Kinds = Mapping[tuple[str, str], Resource]  # by group and kind
# A StatefulSet owns claims by its own policy, and writes the references itself, with UIDs of now:
# pkg/controller/statefulset/stateful_set_utils.go, updateClaimOwnerRefForSetAndPod. It is made after them.


class Fate(Enum):
    """What becomes of a reference to an owner."""

    THERE = "there"
    COMING = "coming"
    MADE = "made"  # a controller makes another owner, and with it whatever that owns
    GONE = "gone"
    UNKNOWN = "unknown"
    INVALID = "invalid"  # it never held anything, so that nothing is removed for its sake
    BY_SET = "by set"  # the owner writes it by itself


@dataclass(frozen=True, slots=True)
class Tie:
    """An object's reference to an owner. title: the owner for a person. is_new: whether the owner that is
    there is another one than then, under the same name.
    """

    owner: Owner
    fate: Fate
    title: str
    is_new: bool = False


def kinds_of(found: Iterable[Found], live: Live) -> Kinds:
    """The resources by their kinds, those of the live cluster before those of the snapshot."""
    resources = [*(one.resource for one in found), *live.resources]
    return {(each.group, each.kind): each for each in resources}


def elsewhere(found: Iterable[Found], live: Live) -> set[Key]:
    """Owners that are not among the objects found, so that they have to be looked at in the live cluster.

    live: of it, what it serves.
    """
    found = list(found)
    kinds, keys = kinds_of(found, live), {one.key for one in found}
    named = (key_of(reference, one.key, kinds) for one in found for reference in references(one.then))
    return {key for key in named if key} - keys


def references(item: Mapping[str, object]) -> list[Json]:
    """The references of an object to its owners."""
    said = mapping(item.get("metadata")).get("ownerReferences")
    return [one for one in (said if isinstance(said, list) else ()) if isinstance(one, dict)]


def key_of(reference: Json, owned: Key, kinds: Kinds) -> Key | None:
    """The owner that a reference names; None where no resource of that kind is known, or it can't be one.

    An owner without a namespace may own anything; one in a namespace what is in the same.
    """
    resource = kinds.get((group_of(reference), str(reference.get("kind"))))
    name = reference.get("name")
    if resource is None or not isinstance(name, str) or not name:
        return None
    if resource.namespaced and not owned.namespace:
        return None
    return Key(resource.group, resource.plural, owned.namespace if resource.namespaced else "", name)


class Ties:
    """All references of some objects, judged by what becomes of the objects."""

    def __init__(self, items: Mapping[Key, Item], kinds: Kinds, live: Live) -> None:
        self._items, self._kinds, self._live = items, kinds, live

    def of(self, item: Item) -> list[Tie]:
        """The references of one, in their order."""
        return [self._tie(one, item) for one in references(item.then)]

    def _tie(self, reference: Json, item: Item) -> Tie:
        key = key_of(reference, item.key, self._kinds)
        title = key.title if key else f"{reference.get('kind')}/{reference.get('name')}"
        if key is None:
            fate = Fate.INVALID if self._is_in_namespace(reference, item) else Fate.GONE
            return Tie(Owner(reference, None), fate, title)
        if (item.key.group, item.key.plural) == CLAIMS and (key.group, key.plural) == SETS:
            return Tie(Owner(reference, key), Fate.BY_SET, title)
        fate, uid = self._fate(key, reference)
        comes_back = fate is Fate.COMING
        is_new = bool(uid) and uid != reference.get("uid")
        return Tie(Owner(reference, key, uid, comes_back=comes_back), fate, title, is_new)

    def _is_in_namespace(self, reference: Json, item: Item) -> bool:
        """Whether an object that is in no namespace names an owner that is in one."""
        resource = self._kinds.get((group_of(reference), str(reference.get("kind"))))
        return resource is not None and resource.namespaced and not item.key.namespace

    def _fate(self, key: Key, reference: Json) -> tuple[Fate, str]:
        """What becomes of the reference, and the UID that the owner has now, or ""."""
        owner = self._items.get(key)
        if owner:
            return _among_items(owner, reference.get("uid"))
        uid = self._live.owners.get(key)
        if uid is None:
            return Fate.UNKNOWN, ""
        return (Fate.THERE, uid) if uid else (Fate.GONE, "")


def _among_items(owner: Item, uid: object) -> tuple[Fate, str]:
    """The same of an owner that was asked for. uid: that the reference names."""
    then = mapping(owner.then.get("metadata")).get("uid")
    now = str(mapping(mapping(owner.now).get("metadata")).get("uid") or "")
    if owner.state in (State.UNKNOWN, State.LEAVING):
        return (Fate.UNKNOWN if owner.state is State.UNKNOWN else Fate.GONE), ""
    if now and uid in (then, now):
        return Fate.THERE, now
    if owner.state is State.MADE:
        return Fate.MADE, ""
    is_coming = owner.state is State.MISSING and not owner.held and uid == then
    return (Fate.COMING if is_coming else Fate.GONE), ""


def kept(ties: Iterable[Tie]) -> tuple[Owner, ...]:
    """The owners that an object has once it is back."""
    return tuple(tie.owner for tie in ties if tie.fate in (Fate.THERE, Fate.COMING))


def stands(ties: Iterable[Tie]) -> bool:
    """Whether an object with these references stays, once it is made."""
    fates = {tie.fate for tie in ties}
    return not fates or bool(fates & {Fate.THERE, Fate.COMING, Fate.INVALID, Fate.BY_SET})


def dropped(ties: Iterable[Tie]) -> Iterator[Tie]:
    """Those whose owner is not there any more; for an object that stays."""
    return (tie for tie in ties if tie.fate in (Fate.GONE, Fate.MADE, Fate.INVALID, Fate.UNKNOWN))
