"""Asks the snapshot for what is wanted of it, and the live cluster for the same objects.

A live object that can't be looked at is never taken for missing: its `unknown` says why.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError, NotFound
from kubectl_admin.cluster.objects import has_condition, is_being_deleted
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.undelete import select
from kubectl_admin.etcd.undelete.around import Around
from kubectl_admin.etcd.undelete.discovery import Served, discover
from kubectl_admin.etcd.undelete.facts import Asked, Found, Json, Key, Live, Resource, Thing
from kubectl_admin.etcd.undelete.kinds import DEFINITION, DEFINITIONS, NAMESPACE, NAMESPACES, Name
from kubectl_admin.etcd.undelete.read import get, is_answer, key_of, kinded, permission, words
from kubectl_admin.etcd.undelete.select import Wanted
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all
from kubectl_admin.report.text import printable

DEADLINE = 3600.0  # seconds for all lists; each page has a limit of its own
WORKERS = 8
SERVED_TIMEOUT = 30.0  # seconds in which a snapshot that was just opened must serve all of its kinds
SERVED_INTERVAL = 0.5  # seconds between two looks
FEW = 8  # objects of a kind that are asked for one by one
Answered = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Read:
    """An object of the snapshot. named: whether it was asked for by its name."""

    item: Json
    named: bool


@dataclass(frozen=True, slots=True)
class Gathered:
    """found: the objects of the snapshot that were asked for, and those that they need.

    unread: what was asked for, and could not be read in the snapshot. gaps: the same of the live cluster.
    places: the namespaces in which single objects were looked for.
    """

    found: tuple[Found, ...]
    live: Live
    unread: tuple[Gap, ...] = ()
    gaps: tuple[Gap, ...] = ()
    places: Mapping[Thing, str] = field(default_factory=dict)


def gather(
    past: Cluster, live: Cluster, asked: Asked, namespace: str, answered: Answered | None = None
) -> Gathered:
    """All facts. namespace: the one in which single objects are looked for where none is named.

    Raises UsageError for a word that names no kind, AdminError where a server does not answer.
    """
    then, unserved = kinds_of(past)
    now = discover(live)
    look = _Look(past, live, then, now, asked.selector, answered)
    if not asked.things:
        look.unread += unserved
    wanted = [one for one in select.wanted(then.preferred, asked, namespace) if not one.implied]
    found = look.compared(look.read(wanted))
    found += look.needed(found)
    around = Around(past, live, now)
    return Gathered(
        tuple(found),
        around.look(found),
        tuple(look.unread),
        (*look.gaps, *around.gaps),
        select.places(then.preferred, asked, namespace),
    )


def refuse_malformed(live: Cluster, selector: str) -> None:
    """Raises UsageError for a selector that the server can't read: it need not be asked of each kind."""
    try:
        live.get("/api/v1/namespaces", [("labelSelector", selector), ("limit", "1")])
    except ApiError as error:
        if error.status == 400:
            raise UsageError(
                f"-l {printable(selector)!r} is no selector: {printable(error.message)}",
                "write it as kubectl takes it: -l app=web,tier!=cache",
            ) from error


@dataclass
class _Look:
    """past, live: the two clusters. then, now: what each serves."""

    past: Cluster
    live: Cluster
    then: Served
    now: Served
    selector: str
    answered: Answered | None
    unread: list[Gap] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def read(self, wanted: Iterable[Wanted]) -> dict[Resource, dict[Key, Read]]:
        """The objects of the snapshot, by resource, in the version in which they could be read."""
        questions = {one: partial(self._read, one) for one in wanted}
        answers = ask_all(questions, deadline=DEADLINE, workers=WORKERS, answered=self.answered)
        found: dict[Resource, dict[Key, Read]] = {}
        for one, answer in answers.items():
            if isinstance(answer, AdminError):
                if not is_answer(answer):
                    raise answer
                self.unread.append(_unread(one.resource, words(answer)))
                continue
            resource, items = answer
            sound, lies = told_apart(one, resource, items)
            self.unread += [_unread(resource, lie) for lie in lies]
            there = found.setdefault(resource, {}) if sound else {}
            for key, item in sound.items():
                is_named = bool(one.name) or (key in there and there[key].named)
                there[key] = Read(item, is_named)
        return found

    def _read(self, one: Wanted) -> tuple[Resource, list[Json]]:
        """One question to the snapshot, in the first version that can be read: a webhook may make others."""
        name: Name = (one.resource.group, one.resource.plural)
        error: AdminError | None = None
        for resource in common(self.then.versions[name], self.now.versions.get(name, ())):
            try:
                if one.name:
                    items = [self.past.get(resource.path(one.namespace, one.name))]
                else:
                    query = [("labelSelector", self.selector)] if self.selector else []
                    items = list(self.past.list(resource.path(one.namespace), query))
                return resource, [kinded(resource, item) for item in items]
            except NotFound:
                if not one.name:
                    raise
                return resource, []
            except ApiError as refused:
                error = error or refused
        raise error or AdminError(f"{one.resource.title}: no version of it is served")

    def compared(self, read: Mapping[Resource, Mapping[Key, Read]]) -> list[Found]:
        """The same with their live counterparts."""
        questions = {resource: partial(self._live, resource, list(items)) for resource, items in read.items()}
        answers = ask_all(questions, deadline=DEADLINE, workers=WORKERS, answered=self.answered)
        found: list[Found] = []
        for resource, items in read.items():
            answer = answers[resource]
            if isinstance(answer, AdminError) and not is_answer(answer):
                raise answer
            why = words(answer) if isinstance(answer, AdminError) else ""
            there = {} if isinstance(answer, AdminError) else answer
            found += [
                Found(resource, key, one.item, there.get(key), why, named=one.named)
                for key, one in items.items()
            ]
        return found

    def _live(self, resource: Resource, keys: Sequence[Key]) -> dict[Key, Json]:
        """Those of these objects that are there; raises ApiError where that can't be known."""
        versions = self.now.versions.get((resource.group, resource.plural), ())
        if not versions:
            if resource.group in self.now.doubtful:
                raise ApiError(503, "", f"the server of {resource.group} does not answer")
            return {}
        if resource.version not in {each.version for each in versions}:
            raise ApiError(
                404,
                "",
                f"the cluster does not serve {resource.api_version} of {resource.title}, in which it is",
            )
        if len(keys) <= FEW:
            answers = [(key, get(self.live, resource.path(key.namespace, key.name))) for key in keys]
            return {key: kinded(resource, item) for key, item in answers if item}
        spaces = {key.namespace for key in keys}
        path = resource.path(spaces.pop() if len(spaces) == 1 else "")
        items = {key_of(resource, item): item for item in self.live.list(path)}
        return {key: kinded(resource, items[key]) for key in keys if key in items}

    def needed(self, found: Sequence[Found]) -> list[Found]:
        """Namespaces and definitions that are missing, and without which others can't come back; and
        namespaces that are being deleted, with all that is there.
        """
        missing = [one for one in found if one.now is None and not one.unknown]
        there = {one.key for one in found}
        wanted: dict[Key, Resource] = {}
        for one in found:
            if one.key.namespace and not one.unknown:
                wanted[Key(*NAMESPACES, "", one.key.namespace)] = NAMESPACE
        for one in missing:
            if (one.resource.group, one.resource.plural) not in self.now.versions:
                name = f"{one.resource.plural}.{one.resource.group}"
                wanted[Key(*DEFINITIONS, "", name)] = DEFINITION
        questions = {
            key: partial(self._needed, resource, key) for key, resource in wanted.items() if key not in there
        }
        answers = ask_all(questions, deadline=DEADLINE, workers=WORKERS).values()
        if error := next((one for one in answers if isinstance(one, AdminError)), None):
            raise error
        return [one for one in answers if isinstance(one, Found)]

    def _needed(self, resource: Resource, key: Key) -> Found | None:
        path = resource.path("", key.name)
        try:
            now = get(self.live, path)
        except ApiError as error:
            self.gaps.append(Gap(f"{resource.word} {key.name}", words(error), permission(error)))
            return None
        # One that is being deleted is told as well: nothing can be made in it.
        if now and not is_being_deleted(now):
            return None
        then = get(self.past, path)
        if then is None:
            return None
        return Found(
            resource,
            key,
            kinded(resource, then),
            kinded(resource, now) if now else None,
            implied=True,
        )


def kinds_of(past: Cluster) -> tuple[Served, list[Gap]]:
    """All kinds that the snapshot serves, and those that it has a definition of, and does not serve.

    An API server that has just started serves them one after the other.
    """
    served = discover(past)
    try:
        defined = {name for item in past.list(DEFINITION.path()) if (name := established(item))}
    except AdminError as error:
        if not is_answer(error):
            raise
        return served, [_unread(DEFINITION, words(error))]
    for late in looks(SERVED_TIMEOUT, SERVED_INTERVAL, clock=past.clock):
        absent = defined - served.versions.keys()
        if late or not absent:
            break
        served = discover(past)
    why = "it has a definition, and is not served"
    return served, [
        Gap(f"{plural}.{group} of the snapshot", why) for group, plural in sorted(absent) if plural
    ]


def established(definition: Json) -> Name | None:
    """The kind of a definition, if it was served; None if not. Pure."""
    spec = mapping(definition.get("spec"))
    versions = spec.get("versions")
    is_served = any(mapping(one).get("served") for one in (versions if isinstance(versions, list) else ()))
    if not is_served or not has_condition(definition, "Established"):
        return None
    return str(spec.get("group")), str(mapping(spec.get("names")).get("plural"))


def told_apart(one: Wanted, resource: Resource, items: Iterable[Json]) -> tuple[dict[Key, Json], list[str]]:
    """The objects by their keys, and why others are not among them: they say of themselves that they are
    elsewhere than where they were asked for, or two of them have one name. Pure.
    """
    sound, lies, twice = dict[Key, Json](), list[str](), set[Key]()
    for item in items:
        key = key_of(resource, item)
        if key in sound:
            twice.add(key)
        sound[key] = item
        is_there = bool(key.namespace) is resource.namespaced
        is_there = is_there and (
            not one.namespace or not resource.namespaced or key.namespace == one.namespace
        )
        if not is_there or (one.name and key.name != one.name):
            place = f"{one.namespace}/{one.name}".strip("/") or resource.title
            lies.append(f"one that is stored for {place} says that it is {key.title}")
            del sound[key]
    for key in twice:
        lies.append(f"two of them say that they are {key.title}")
        sound.pop(key, None)
    return sound, lies


def _unread(resource: Resource, why: str) -> Gap:
    return Gap(f"{resource.title} of the snapshot", why)


def common(then: Sequence[Resource], now: Sequence[Resource]) -> list[Resource]:
    """The versions in which a resource can be read in the snapshot, the best first: those that the live
    cluster serves as well. Pure.
    """
    served = {each.version for each in now}
    return sorted(then, key=lambda each: each.version not in served)
