"""Which resources and objects were asked for, by the words that kubectl takes. Pure.

Source: k8s.io/client-go restmapper/shortcut.go (a short name counts where no resource has it for a name) and
discovery.go (of several groups, the first that discovery lists).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kubectl_admin.errors import UsageError
from kubectl_admin.etcd.undelete.facts import Asked, Found, Resource, Thing
from kubectl_admin.etcd.undelete.kinds import NAMESPACES
from kubectl_admin.etcd.undelete.made import is_always_made
from kubectl_admin.report.text import printable

NEEDED = frozenset({"get", "list", "create"})  # of what can be read, and made
CATEGORIES = (
    "all",
    "api-extensions",
)  # of kubectl, each for a part of all kinds
EXAMPLE = "name what comes back: -n NAMESPACE, -A, or KIND/NAME"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Objects that are asked for: all of a resource, those of a namespace, or one.

    namespace: "" for all of them, and where the resource has none. name: "" for all.
    implied: whether only those count that others need.
    """

    resource: Resource
    namespace: str = ""
    name: str = ""
    implied: bool = False


def things(words: Iterable[str]) -> tuple[Thing, ...]:
    """The arguments of a person: «deploy», «deploy,svc», «deploy/web», «deployments.apps/web».

    Raises UsageError for one that is none of these.
    """
    return tuple(dict.fromkeys(thing for word in words for thing in _things(word)))


def _things(said: str) -> Iterator[Thing]:
    kinds, slash, name = said.partition("/")
    if slash and (not name or "/" in name or "," in said):
        raise UsageError(f"{printable(said)!r} is not KIND/NAME", "name one object by each argument")
    for kind in kinds.split(","):
        if not kind:
            raise UsageError(f"{printable(said)!r} names no kind", EXAMPLE)
        yield Thing(kind, name)


def wanted(resources: Sequence[Resource], asked: Asked, namespace: str = "default") -> list[Wanted]:
    """All that was asked for. Nothing is in it twice.

    resources: of the snapshot's API server, each once, in the order of its discovery.
    namespace: where a kind is looked for if no namespace was named.
    Raises UsageError for a word that names no kind, and for a request that contradicts itself.
    """
    check(asked)
    usable = [each for each in resources if set(each.verbs) >= NEEDED]
    namespace = "" if asked.everywhere else asked.namespace or namespace
    if asked.things:
        found = [_thing(usable, thing, namespace) for thing in asked.things]
    else:
        usual = [each for each in usable if not is_always_made(each)]
        found = [Wanted(each, namespace) for each in usual if each.namespaced]
        if asked.everywhere:
            found += [Wanted(each) for each in usual if not each.namespaced]
    found += _namespaces(usable, found, asked)
    # One that is asked for is not implied.
    asked_for = {(each.resource, each.namespace, each.name) for each in found if not each.implied}
    return [
        each
        for each in dict.fromkeys(found)
        if not each.implied
        or not {(each.resource, "", name) for name in ("", each.name)}.intersection(asked_for)
    ]


def check(asked: Asked) -> None:
    """Raises UsageError for a request that contradicts itself, or asks for nothing."""
    if asked.namespace is not None and asked.everywhere:
        raise UsageError("-n and -A contradict each other", "take one of them")
    if asked.namespace == "":
        raise UsageError("-n needs the name of a namespace", EXAMPLE)
    if not asked.things and asked.namespace is None and not asked.everywhere:
        raise UsageError("nothing was asked for", EXAMPLE)
    named = [thing for thing in asked.things if thing.name]
    if named and asked.selector:
        raise UsageError("-l chooses among all of a kind, not a single object", "leave out -l, or the name")
    if named and asked.everywhere:
        raise UsageError("a single object is not in all namespaces", "take -n in place of -A")


def _thing(resources: Sequence[Resource], thing: Thing, namespace: str) -> Wanted:
    found = resource_for(resources, thing.word)
    return Wanted(found, namespace if found.namespaced else "", thing.name)


def places(resources: Sequence[Resource], asked: Asked, namespace: str) -> dict[Thing, str]:
    """The namespaces in which single objects are looked for; others are of kinds that have none.

    Arguments: as of `wanted`.
    """
    usable = [each for each in resources if set(each.verbs) >= NEEDED]
    found = {
        thing: _thing(usable, thing, asked.namespace or namespace) for thing in asked.things if thing.name
    }
    return {thing: one.namespace for thing, one in found.items() if one.namespace}


def absent(asked: Asked, found: Iterable[Found]) -> list[Thing]:
    """The single objects that were asked for and were not found."""
    named = [one for one in found if one.named]
    return [
        thing
        for thing in asked.things
        if thing.name
        and not any(one.key.name == thing.name and is_named(one.resource, thing.word) for one in named)
    ]


def is_named(resource: Resource, word: str) -> bool:
    """Whether a word may name a resource."""
    names = (*_plurals(resource), *_singulars(resource), *_shorts(resource))
    return any(word.lower() in _with_group(name, resource) for name in names)


def resource_for(resources: Sequence[Resource], word: str) -> Resource:
    """The resource that a word names: plural, singular, kind or short name, also with «.GROUP», or with
    «.VERSION.GROUP». Raises UsageError where there is none.
    """
    said = word.lower()
    for names in (_plurals, _singulars, _shorts):
        for each in resources:
            if any(said in _with_group(name, each) for name in names(each)):
                return each
    if said in CATEGORIES:
        raise UsageError(
            f"{said!r} is no kind: kubectl takes it for some kinds only",
            "leave the kinds out for everything in a namespace",
        )
    raise UsageError(
        f"the snapshot has no kind {printable(word)!r}",
        "list them: kubectl admin etcd-open SNAPSHOT -- kubectl api-resources",
    )


def _plurals(resource: Resource) -> tuple[str, ...]:
    return (resource.plural,)


def _singulars(resource: Resource) -> tuple[str, ...]:
    return tuple({resource.singular, resource.kind.lower()} - {""})


def _shorts(resource: Resource) -> tuple[str, ...]:
    return tuple(name.lower() for name in resource.short)


def _with_group(name: str, resource: Resource) -> tuple[str, ...]:
    if not resource.group:
        return (name, f"{name}.{resource.version}.", f"{name}.{resource.version}")
    return (name, f"{name}.{resource.group}", f"{name}.{resource.version}.{resource.group}")


def _namespaces(resources: Sequence[Resource], found: Sequence[Wanted], asked: Asked) -> Iterator[Wanted]:
    """The namespaces in which all of it is: asked for with all that is in one, else implied."""
    kind = next((each for each in resources if (each.group, each.plural) == NAMESPACES), None)
    if kind is None:
        return
    is_whole = not asked.things and not asked.selector
    for name in sorted({each.namespace for each in found if each.resource.namespaced}):
        yield Wanted(kind, name=name, implied=not is_whole)
