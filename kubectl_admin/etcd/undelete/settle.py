"""What becomes of each object that was asked for, as long as the one depends on the other. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import is_being_deleted
from kubectl_admin.etcd.undelete import owners, rules, volumes
from kubectl_admin.etcd.undelete.compare import changes
from kubectl_admin.etcd.undelete.facts import Found, Item, Json, Key, Live, State
from kubectl_admin.etcd.undelete.kinds import CLAIMS, DEFINITIONS, NAMESPACES, SNAPSHOTS, VOLUMES
from kubectl_admin.etcd.undelete.made import is_raced, made_by
from kubectl_admin.etcd.undelete.owners import Fate, Tie, Ties
from kubectl_admin.etcd.undelete.volumes import Data, Outlook
from kubectl_admin.finding import Rule

FINISHED = ("Succeeded", "Failed")  # phases of a pod
UNSAFE = ("/", "%")  # apimachinery pkg/api/validation/path, IsValidPathSegmentName
Held = Iterator[tuple[Item, Rule, str]]


@dataclass
class Settled:
    """items: those that were asked for. held: by the rule for which each can't come back.

    outlooks: of claims that are missing. emptied: those that come back without their data.
    named: those that were asked for by name; implied: those that only others need.
    """

    live: Live
    items: dict[Key, Item]
    kinds: owners.Kinds
    named: frozenset[Key]
    implied: frozenset[Key]
    held: dict[Key, Rule] = field(default_factory=dict)
    outlooks: dict[Key, Outlook] = field(default_factory=dict)
    emptied: set[Key] = field(default_factory=set)

    def coming(self) -> list[Item]:
        """Those that are missing, and come back."""
        return [item for item in self.items.values() if item.state is State.MISSING and not item.held]

    def ties(self, item: Item) -> list[Tie]:
        """An object's references to its owners."""
        return Ties(self.items, self.kinds, self.live).of(item)

    def hold(self, held: Iterable[tuple[Item, Rule, str]]) -> bool:
        """Holds objects back; whether there were any."""
        done = list(held)
        for item, rule, why in done:
            self.items[item.key] = replace(item, held=why)
            self.held[item.key] = rule
        return bool(done)


def settle(found: Iterable[Found], live: Live, *, changed: bool, empty_volumes: bool) -> Settled:
    """All of it. changed: whether those that have changed are put back.

    empty_volumes: whether claims come back without the data that they can't have.
    """
    found = list(found)
    settled = Settled(
        live,
        {one.key: _item(one) for one in found},
        owners.kinds_of(found, live),
        named=frozenset(one.key for one in found if one.named),
        implied=frozenset(one.key for one in found if one.implied),
    )
    for look in (_unknown, _unnamed, _without_kind, _in_namespaces, _finished, _volumes):
        settled.hold(look(settled))
    _hold_without_owner(settled)  # what a controller makes has no data that could be lost
    settled.hold(_claims(settled, empty_volumes=empty_volumes))
    while _hold_without_owner(settled) or settled.hold(_sets(settled, empty_volumes=empty_volumes)):
        pass
    if changed:
        settled.hold(_sets(settled, empty_volumes=empty_volumes, items=_growing(settled)))
    _drop_implied(settled)
    return settled


def _item(found: Found) -> Item:
    """An object by itself: its state."""
    item = Item(
        found.resource,
        found.key,
        found.then,
        found.now,
        State.MISSING,
        raced=is_raced(found.resource, found.then),
    )
    if maker := made_by(found.resource, found.then, is_there=found.now is not None):
        return replace(item, state=State.MADE, made_by=maker)
    if found.unknown:
        return replace(item, state=State.UNKNOWN, held=found.unknown)
    if found.now is None:
        return item
    if is_being_deleted(found.now):
        return replace(item, state=State.LEAVING)
    differs = changes(found.then, found.now)
    return replace(item, state=State.CHANGED if differs else State.THERE, changes=differs)


def _unknown(settled: Settled) -> Held:
    """Those that could not be looked at, or are being deleted."""
    for item in settled.items.values():
        if item.state is State.UNKNOWN:
            yield item, rules.UNKNOWN, item.held
        elif item.state is State.LEAVING:
            finalizers = mapping(mapping(item.now).get("metadata")).get("finalizers")
            waits = f", and waits for {', '.join(map(str, finalizers))}" if finalizers else ""
            yield item, rules.LEAVING, f"it is being deleted{waits}"


def _unnamed(settled: Settled) -> Held:
    """Those whose name can be in no path."""
    for item in settled.coming():
        for name in (item.key.name, item.key.namespace):
            if name in (".", "..") or any(sign in name for sign in UNSAFE):
                yield item, rules.NAME, f"no object can have the name {name!r}"
                break


def _without_kind(settled: Settled) -> Held:
    """Those of a kind that the live cluster does not serve, and whose definition does not come back."""
    served = {(each.group, each.plural) for each in settled.live.resources}
    for item in settled.coming():
        if (item.key.group, item.key.plural) in served:
            continue
        definition = settled.items.get(Key(*DEFINITIONS, "", f"{item.key.plural}.{item.key.group}"))
        if definition is None or definition.state is not State.MISSING or definition.held:
            yield item, rules.KIND, f"the live cluster has no {item.resource.title}"


def _in_namespaces(settled: Settled) -> Held:
    """Those in a namespace that is held back itself."""
    for item in settled.coming():
        home = settled.items.get(Key(*NAMESPACES, "", item.key.namespace))
        if home and home.held and home.key != item.key:
            yield item, settled.held[home.key], f"its namespace: {home.held}"


def _finished(settled: Settled) -> Held:
    """Those that would do again what they have done, unless they are named."""
    for item in settled.coming():
        status = mapping(item.then.get("status"))
        match (item.key.group, item.key.plural):
            case ("batch", "jobs") if item.key not in settled.named and is_finished(item):
                yield item, rules.FINISHED, "it has come to its end, and would run again"
            case ("", "pods") if item.key not in settled.named and status.get("phase") in FINISHED:
                yield item, rules.FINISHED, "it has come to its end, and would run again"
            case name if name == SNAPSHOTS:
                source = mapping(mapping(item.then.get("spec")).get("source"))
                if source.get("persistentVolumeClaimName"):
                    yield item, rules.SNAPSHOT, "it would be taken of the data that is there now"


def is_finished(item: Item) -> bool:
    """Whether a Job had come to its end. Source: pkg/controller/job/utils.go, IsJobFinished."""
    conditions = mapping(item.then.get("status")).get("conditions")
    return any(
        mapping(one).get("type") in ("Complete", "Failed") and mapping(one).get("status") == "True"
        for one in (conditions if isinstance(conditions, list) else ())
    )


def _volumes(settled: Settled) -> Held:
    """Volumes whose storage is gone, or another volume's."""
    for item in settled.coming():
        if (item.key.group, item.key.plural) == VOLUMES and (why := volumes.held(item, settled.live)):
            yield item, rules.VOLUME, why


def _claims(settled: Settled, *, empty_volumes: bool) -> Held:
    """Claims whose data is not there for them; those that may come back without are emptied."""
    coming = settled.coming()
    restored = {item.key.name for item in coming if (item.key.group, item.key.plural) == VOLUMES}
    look = volumes.Outlooks(settled.live, restored)
    for item in coming:
        if (item.key.group, item.key.plural) != CLAIMS:
            continue
        outlook = settled.outlooks[item.key] = look.of(item)
        if empty_volumes and outlook.data in (Data.LOST, Data.TAKEN):
            settled.items[item.key] = replace(item, then=_emptied(item.then))
            settled.emptied.add(item.key)
        elif outlook.data in (Data.LOST, Data.TAKEN, Data.UNKNOWN):
            yield item, rules.DATA, outlook.why


def _emptied(claim: Json) -> Json:
    """A claim for a volume that is to be made."""
    spec = {name: value for name, value in mapping(claim.get("spec")).items() if name != "volumeName"}
    return {**claim, "spec": spec}


def _growing(settled: Settled) -> list[Item]:
    """StatefulSets that have fewer replicas now than they are given again, so that they make claims."""
    items = [item for item in settled.items.values() if item.state is State.CHANGED and not item.held]
    return [
        item
        for item in items
        for change in item.changes
        if change.path == "spec.replicas" and _number(change.then) > _number(change.now)
    ]


def _number(replicas: object) -> int:
    return replicas if isinstance(replicas, int) else 1


def _sets(settled: Settled, *, empty_volumes: bool, items: Iterable[Item] | None = None) -> Held:
    """StatefulSets that would make claims, empty, which are there no more.

    Likewise whoever else owns such claims, as an operator's database does. items: those that may make some,
    if they are not those that come back.
    """
    absent, owned = defaultdict[str, set[str]](set), defaultdict[Key, list[str]](list)
    for key, item in settled.items.items():
        is_going = item.now is None or item.state is State.LEAVING
        if (key.group, key.plural) == CLAIMS and item.held and is_going:
            absent[key.namespace].add(key.name)
            for tie in settled.ties(item):
                if tie.fate is Fate.COMING and tie.owner.key:
                    owned[tie.owner.key].append(key.name)
    unasked = volumes.Unasked(settled.live, settled.items)
    for item in settled.coming() if items is None else items:
        names = [*volumes.claims_of(item.then, absent[item.key.namespace]), *owned[item.key]]
        if not empty_volumes:
            names += unasked.of(item)
        unseen = [] if empty_volumes else unasked.unseen(item)
        if names:
            yield item, rules.EMPTY, f"it would make claim {min(names)} again, empty"
        elif unseen:
            why = f"whether its claim {unseen[0]} is being deleted could not be looked at"
            yield item, rules.UNKNOWN, why


def _hold_without_owner(settled: Settled) -> bool:
    """Holds back those that would be removed again, since no owner is there; whether there were any."""
    todo = {item.key for item in settled.coming()}
    owned = defaultdict[Key, set[Key]](set)
    for key in todo:
        for tie in settled.ties(settled.items[key]):
            if tie.owner.key:
                owned[tie.owner.key].add(key)
    is_done = False
    while todo:
        item = settled.items[todo.pop()]
        ties = [] if item.held or item.state is not State.MISSING else settled.ties(item)
        if owners.stands(ties):
            continue
        is_done = True
        todo |= owned[item.key]
        fates = {tie.fate: tie for tie in ties}
        if Fate.UNKNOWN in fates:
            why = f"whether its owner {fates[Fate.UNKNOWN].title} is there is not known"
            settled.hold([(item, rules.UNKNOWN, why)])
        elif Fate.MADE in fates:
            maker = f"whoever made it for {fates[Fate.MADE].title}"
            settled.items[item.key] = replace(item, state=State.MADE, made_by=maker)
        else:
            why = f"its owner {ties[0].title} is not there, and does not come back"
            settled.hold([(item, rules.OWNER, why)])
    return is_done


def _drop_implied(settled: Settled) -> None:
    """Leaves out those that nobody asked for, and nobody needs."""
    wanted = [key for key, item in settled.items.items() if key not in settled.implied]
    missing = [key for key in wanted if settled.items[key].state is State.MISSING]
    needed = {Key(*NAMESPACES, "", key.namespace) for key in missing}
    needed |= {Key(*DEFINITIONS, "", f"{key.plural}.{key.group}") for key in missing}
    # What is there goes with a namespace that is being deleted.
    homes = {Key(*NAMESPACES, "", settled.items[key].key.namespace) for key in wanted}
    needed |= {key for key in homes & settled.implied if settled.items[key].state is State.LEAVING}
    states = (State.CHANGED, State.THERE, State.MADE)
    for key in settled.implied:
        if key not in needed or settled.items[key].state in states:
            del settled.items[key]
            settled.held.pop(key, None)
