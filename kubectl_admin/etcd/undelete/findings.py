"""The findings on objects that are to come back: those that can't, and what to know of the others. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.etcd.undelete import owners, rules
from kubectl_admin.etcd.undelete.facts import Item, Key, State
from kubectl_admin.etcd.undelete.kinds import CLAIMS, RBAC, TOKEN
from kubectl_admin.etcd.undelete.naming import Named
from kubectl_admin.etcd.undelete.order import Ordered
from kubectl_admin.etcd.undelete.owners import Fate, Tie
from kubectl_admin.etcd.undelete.settle import Settled, is_finished
from kubectl_admin.etcd.undelete.volumes import Data, newest
from kubectl_admin.finding import Finding, Rule, Severity
from kubectl_admin.report.text import some_of

# Finalizers that Kubernetes itself removes, in every cluster.
USUAL = {
    "kubernetes.io/pvc-protection",
    "kubernetes.io/pv-protection",
    "customresourcecleanup.apiextensions.k8s.io",
}
BOOTSTRAP_TOKEN = "bootstrap.kubernetes.io/token"  # noqa: S105 - a type
IMMUTABLE = (("", "configmaps"), ("", "secrets"))  # kinds of which an object may be
FIXES: Mapping[str, str] = {
    rules.DATA.id: "--empty-volumes brings the claim back without its data",
    rules.EMPTY.id: "bring its claims back first, or take --empty-volumes",
    rules.FINISHED.id: "name it, KIND/NAME, to run it again",
    rules.FOR_GOOD.id: "keep its present content first: kubectl get KIND/NAME -n NAMESPACE -o yaml",
    rules.KIND.id: "bring back its definition as well: customresourcedefinitions/PLURAL.GROUP",
    rules.LEAVING.id: "wait until it is gone, and run the same command again",
    rules.OWNER.id: "ask for its owner as well, or apply it without: -o yaml",
    rules.SNAPSHOT.id: "make a VolumeSnapshot of its VolumeSnapshotContent, if that is there",
    rules.UNKNOWN.id: "run the same command again once it can be looked at",
    rules.VOLUME.id: "look for the storage where it is kept",
}
Said = tuple[Item, str]  # an object, and what is to be said of it


def findings(settled: Settled, order: Ordered, *, changed: bool) -> Iterator[Finding]:
    """All of them, the worst first. changed: whether those that have changed are put back."""
    found = [
        *_held(settled),
        *_made(settled),
        *_emptied(settled),
        *_later(settled),
        *_swapped(settled),
        *_coming(settled),
        *(_for_good(settled) if changed else ()),
        *_references(settled),
        *_cycles(order),
    ]
    yield from sorted(found, key=lambda one: list(Severity).index(one.severity))


def _about(rule: Rule, severity: Severity, said: Sequence[Said], fix: str = "") -> Finding:
    """One finding on some objects, of which all are named."""
    return rule.finding(
        severity,
        subject=some_of([Named.of(item).subject for item, _ in said]),
        evidence=some_of(list(dict.fromkeys(why for _, why in said)), separator="; "),
        fix=fix or FIXES.get(rule.id, ""),
        objects=[Named.of(item).path for item, _ in said],
    )


def _held(settled: Settled) -> Iterator[Finding]:
    """Those that can't come back, by the rule for it."""
    by_rule = defaultdict[Rule, list[Said]](list)
    for key, rule in settled.held.items():
        item = settled.items[key]
        by_rule[rule].append((item, item.held))
    for rule, said in sorted(by_rule.items(), key=lambda one: one[0].id):
        if rule == rules.DATA:
            yield from (_claim(settled, item) for item, _ in said)
        elif rule == rules.FINISHED:
            yield _about(rule, Severity.NOTE, said)
        else:
            yield _about(rule, Severity.VIOLATION, said)


def _claim(settled: Settled, item: Item) -> Finding:
    """A claim whose data does not come back, with the VolumeSnapshot that has some of it."""
    return rules.DATA.violation(
        subject=Named.of(item).subject,
        evidence=item.held,
        fix=_way(settled, item),
        objects=[Named.of(item).path],
    )


def _way(settled: Settled, item: Item) -> str:
    """What to do about a claim whose data does not come back."""
    if settled.outlooks[item.key].data is Data.UNKNOWN:
        return FIXES[rules.UNKNOWN.id]
    return _from_snapshot(settled, item) or FIXES[rules.DATA.id]


def _from_snapshot(settled: Settled, item: Item) -> str:
    """The way to the data of a claim by its newest VolumeSnapshot; "" without one."""
    snapshot = newest(item, settled.live.snapshots)
    if snapshot is None:
        return ""
    taken = f"{snapshot.taken:%Y-%m-%d %H:%M:%S %Z}" if snapshot.taken else ""
    return f"make the claim from VolumeSnapshot {snapshot.namespace}/{snapshot.name}, taken {taken}"


def _made(settled: Settled) -> Iterator[Finding]:
    """Those that were named, are not there, and that nobody but a controller makes."""
    said = [
        (item, f"it is made by {item.made_by}")
        for key, item in settled.items.items()
        if key in settled.named and item.state is State.MADE and item.now is None
    ]
    if said:
        yield _about(rules.MADE, Severity.VIOLATION, said, "ask for what makes it")


def _emptied(settled: Settled) -> Iterator[Finding]:
    for key in sorted(settled.emptied):
        item = settled.items[key]
        if item.state is State.MISSING and not item.held:
            yield rules.DATA.warning(
                subject=Named.of(item).subject,
                evidence=f"it comes back without its data: {settled.outlooks[key].why}",
                fix=_from_snapshot(settled, item),
                objects=[Named.of(item).path],
            )


def _later(settled: Settled) -> Iterator[Finding]:
    """Claims that get the volume back which a later claim of their name has had."""
    for item in settled.coming():
        outlook = settled.outlooks.get(item.key)
        if outlook and outlook.data is Data.RELEASED and outlook.why:
            yield rules.DATA.warning(
                subject=Named.of(item).subject, evidence=outlook.why, objects=[Named.of(item).path]
            )


def _swapped(settled: Settled) -> Iterator[Finding]:
    """Claims that are there with another volume than then, whose own one nobody has: as a StatefulSet makes
    them that was there first.
    """
    volumes = {one.name: one for one in settled.live.volumes or ()}
    for item in settled.items.values():
        if (item.key.group, item.key.plural) != CLAIMS or item.state is not State.CHANGED:
            continue
        then, now = (
            str(mapping(one.get("spec")).get("volumeName") or "") for one in (item.then, item.now or {})
        )
        volume = volumes.get(then)
        if then and then != now and (volume is None or volume.phase != "Bound"):
            became = f"is {volume.phase or 'in no phase'}" if volume else "is gone, or could not be looked at"
            there = f"volume {now}" if now else "no volume"
            yield rules.DATA.warning(
                subject=Named.of(item).subject,
                evidence=f"it is there with {there}; that of then, {then}, {became}",
                fix=f"delete the claim to get volume {then} back, and run the same again" if volume else "",
                objects=[Named.of(item).path],
            )


def _coming(settled: Settled) -> Iterator[Finding]:
    """What is to be known of those that come back."""
    looks: Sequence[tuple[Rule, Severity, Callable[[Item], str]]] = (
        (rules.FINISHED, Severity.WARNING, _again),
        (rules.WAS_LEAVING, Severity.WARNING, _was_leaving),
        (rules.TOKEN, Severity.WARNING, _token),
        (rules.RIGHTS, Severity.WARNING, _rights),
        (rules.FINALIZERS, Severity.NOTE, _finalizers),
    )
    coming = settled.coming()
    for rule, severity, look in looks:
        said = [(item, why) for item in coming if (why := look(item))]
        if said:
            yield _about(rule, severity, said)


def _again(item: Item) -> str:
    """A Job that begins again from its start."""
    if (item.key.group, item.key.plural) != ("batch", "jobs"):
        return ""
    if is_finished(item):
        return "it had come to its end, and runs again"
    begun = mapping(item.then.get("status")).get("startTime")
    return "it had begun, and begins again from its start" if begun else ""


def _was_leaving(item: Item) -> str:
    since = mapping(item.then.get("metadata")).get("deletionTimestamp")
    return f"it was being deleted in the snapshot, since {since}" if since else ""


def _token(item: Item) -> str:
    is_token = (item.key.group, item.key.plural) == ("", "secrets") and item.then.get("type") == TOKEN
    return "the controller of tokens fills it with another token" if is_token else ""


def _rights(item: Item) -> str:
    """Whom a binding, or a token, gives which rights. It may have been removed on purpose."""
    if item.then.get("type") == BOOTSTRAP_TOKEN and (item.key.group, item.key.plural) == ("", "secrets"):
        return "whoever has this token may join nodes"
    if item.key.group != RBAC or not item.key.plural.endswith("bindings"):
        return ""
    role, subjects = mapping(item.then.get("roleRef")), item.then.get("subjects")
    named = list[str]()
    for one in map(mapping, subjects if isinstance(subjects, list) else ()):
        space = f"{one['namespace']}/" if one.get("namespace") else ""
        named.append(f"{one.get('kind')} {space}{one.get('name')}")
    where = "in the whole cluster" if not item.key.namespace else f"in {item.key.namespace}"
    return f"{role.get('kind')} {role.get('name')} {where}: {some_of(named)}" if named else ""


def _finalizers(item: Item) -> str:
    found = mapping(item.then.get("metadata")).get("finalizers")
    named = [str(one) for one in (found if isinstance(found, list) else ())]
    named = [one for one in named if one not in USUAL]
    return ", ".join(named)


def _for_good(settled: Settled) -> Iterator[Finding]:
    """Those that nobody can change any more once they are put back."""
    items = [item for item in settled.items.values() if item.state is State.CHANGED and not item.held]
    said = [(item, "it becomes immutable, as it was then") for item in items if _becomes_immutable(item)]
    if said:
        yield _about(rules.FOR_GOOD, Severity.WARNING, said)


def _becomes_immutable(item: Item) -> bool:
    """Source: kubernetes pkg/apis/core/validation, ValidateConfigMapUpdate and ValidateSecretUpdate."""
    if (item.key.group, item.key.plural) not in IMMUTABLE:
        return False
    return item.then.get("immutable") is True and mapping(item.now).get("immutable") is not True


def _references(settled: Settled) -> Iterator[Finding]:
    """Those that lose an owner, or get another one of the same name."""
    lost, new = list[Said](), list[Said]()
    for item in settled.coming():
        ties = settled.ties(item)
        lost += _lost(item, ties)
        new += [(item, f"its owner {tie.title} is another one now") for tie in ties if tie.is_new]
    if lost:
        yield _about(rules.REFERENCE, Severity.WARNING, lost)
    if new:
        yield _about(rules.REFERENCE, Severity.NOTE, new)


def _lost(item: Item, ties: Iterable[Tie]) -> Iterator[Said]:
    for tie in owners.dropped(ties):
        match tie.fate:
            case Fate.INVALID:
                yield item, f"it can't be owned by {tie.title}, which is in a namespace"
            case Fate.UNKNOWN:
                yield item, f"it loses its owner {tie.title}, which could not be looked at"
            case _:
                yield item, f"it loses its owner {tie.title}, which is not there"


def _cycles(order: Ordered) -> Iterator[Finding]:
    for cycle in order.cycles:
        yield rules.CYCLE.note(
            subject=some_of([" ".join(_key(key)) for key in cycle]),
            evidence=f"they own each other: {cycle[0].title} is made first, and gets its owner afterwards",
            objects=["/".join(_key(key)) for key in cycle],
        )


def _key(key: Key) -> tuple[str, str]:
    return f"{key.plural}.{key.group}".rstrip("."), f"{key.namespace}/{key.name}".lstrip("/")
