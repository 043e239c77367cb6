"""Every object is tried before the first is made: whether webhooks, quotas and rights let it come back.

An object whose namespace or kind is missing as well is tried once that is made; whether the user may make it
is asked before.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from kubectl_admin.cluster.access import Right, may_not
from kubectl_admin.cluster.access import ask as ask_rights
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import is_being_deleted
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.compare import altered, changes
from kubectl_admin.etcd.undelete.facts import Change, Item, Json, Key, State
from kubectl_admin.etcd.undelete.kinds import DEFINITIONS, NAMESPACES, RBAC
from kubectl_admin.etcd.undelete.read import words
from kubectl_admin.etcd.undelete.send import Sent, is_verdict, try_out
from kubectl_admin.pool import ask_all

ACCOUNTS = ("", "serviceaccounts")
DEADLINE = 3600.0  # seconds for all; each question has a limit of its own
WORKERS = 16  # with fewer, the time of 300 objects was half as much again


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the server says of objects before they are made.

    refused: why an object can't be made. left: fields of Services that others have taken. untried: those that
    can only be tried once their namespace or kind is there. unsupported: those that a webhook keeps from
    being tried, and its words. altered: the fields in which an object would be another than it was.
    """

    refused: Mapping[Key, str] = field(default_factory=dict)
    left: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    untried: Sequence[Item] = ()
    unsupported: Mapping[Key, str] = field(default_factory=dict)
    altered: Mapping[Key, tuple[Change, ...]] = field(default_factory=dict)


def rehearse(
    cluster: Cluster, items: Sequence[Item], answered: Callable[[int], None] | None = None
) -> Rehearsed:
    """Tries all of these. Raises AdminError where the server does not answer: then nothing is known."""
    early, late = split(items)
    rights = ask_rights(cluster, dict.fromkeys(map(right, late)))
    refused = {item.key: may_not("", str(right(item))) for item in late if rights[right(item)] is False}
    found = try_all(cluster, early, {}, answered, coming=items)
    return Rehearsed({**refused, **found.refused}, found.left, late, found.unsupported, found.altered)


def try_all(
    cluster: Cluster,
    items: Iterable[Item],
    uids: Mapping[Key, str],
    answered: Callable[[int], None] | None = None,
    *,
    coming: Iterable[Item],
) -> Rehearsed:
    """Tries objects whose namespaces and kinds are there. Raises as `rehearse` does.

    coming: all that is brought back: an object that needs one of these before it may be refused for that.
    """
    still = missing(coming)
    chosen = {item.key: item for item in items}
    questions = {key: partial(try_out, cluster, item, uids) for key, item in chosen.items()}
    refused: dict[Key, str] = {}
    left: dict[Key, tuple[str, ...]] = {}
    unsupported: dict[Key, str] = {}
    changed: dict[Key, tuple[Change, ...]] = {}
    for key, answer in ask_all(questions, deadline=DEADLINE, workers=WORKERS, answered=answered).items():
        sent = answer if isinstance(answer, Sent) else Sent(error=answer)
        if sent.left:
            left[key] = sent.left
        if sent.made is not None:
            changed[key] = altered(chosen[key], sent.made, sent.left)
        if sent.is_unsupported and sent.error:
            unsupported[key] = words(sent.error)
        elif sent.error and not (sent.there and is_as_good(chosen[key], sent.there)):
            refuse_silence(sent.error)
            why = reason(chosen[key], sent)
            if sent.there is None and (first := still & needs(chosen[key])):
                unsupported[key] = f"{min(first).title} is made before it; the server says now: {why}"
            else:
                refused[key] = why
    return Rehearsed(refused, left, (), unsupported, changed)


def is_as_good(item: Item, there: Json) -> bool:
    """Whether the object that somebody has made meanwhile is the one that is to come back."""
    is_other = is_being_deleted(there) or changes(item.then, there)
    return item.state is State.MISSING and not is_other


def refuse_silence(error: AdminError) -> None:
    """Raises the error of a server that does not answer: it says nothing of the object."""
    if not is_verdict(error):
        raise error


def reason(item: Item, sent: Sent) -> str:
    """Why an object was not made, for a person."""
    if sent.there is not None and item.state is State.MISSING:
        if is_being_deleted(sent.there):
            return "the one that was there is still being deleted"
        return "somebody has made another one meanwhile"
    if sent.there is not None:
        return "it has changed meanwhile"
    return words(sent.error) if sent.error else ""


def split(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Those that can be tried now, and those whose namespace or kind comes back itself. Pure."""
    spaces, kinds = coming(items)
    late = [
        item
        for item in items
        if item.key.namespace in spaces or (item.resource.group, item.resource.plural) in kinds
    ]
    keys = {item.key for item in late}
    return [item for item in items if item.key not in keys], late


def coming(items: Iterable[Item]) -> tuple[set[str], set[tuple[str, str]]]:
    """The namespaces, and the kinds by group and plural, that are missing and come back. Pure."""
    spaces, kinds = set[str](), set[tuple[str, str]]()
    for item in items:
        if item.state is not State.MISSING:
            continue
        if is_of(item, NAMESPACES):
            spaces.add(item.key.name)
        elif is_of(item, DEFINITIONS):
            spec = mapping(item.then.get("spec"))
            kinds.add((str(spec.get("group")), str(mapping(spec.get("names")).get("plural"))))
    return spaces, kinds


def missing(items: Iterable[Item]) -> set[Key]:
    """The objects that are made; with the accounts that a controller makes in new namespaces. Pure."""
    made = [item for item in items if item.state is State.MISSING]
    spaces = {item.key.name for item in made if is_of(item, NAMESPACES)}
    return {item.key for item in made} | {Key(*ACCOUNTS, space, "default") for space in spaces}


def needs(item: Item) -> set[Key]:
    """Objects without which the API server refuses an object, even if it is only tried. Pure.

    Source: kubernetes/kubernetes plugin/pkg/admission serviceaccount, priority and runtimeclass; of a binding
    whose maker has not all of its rights himself, its role: pkg/registry/rbac/rolebinding/policybased.
    """
    spec, space = mapping(item.then.get("spec")), item.key.namespace
    if is_of(item, ("", "pods")):
        account = str(spec.get("serviceAccountName") or "default")
        found = {Key(*ACCOUNTS, space, account)}
        if priority := spec.get("priorityClassName"):
            found.add(Key("scheduling.k8s.io", "priorityclasses", "", str(priority)))
        if runtime := spec.get("runtimeClassName"):
            found.add(Key("node.k8s.io", "runtimeclasses", "", str(runtime)))
        return found
    if item.resource.group == RBAC and item.resource.plural in ("rolebindings", "clusterrolebindings"):
        role = mapping(item.then.get("roleRef"))
        is_wide = role.get("kind") == "ClusterRole"
        name = "clusterroles" if is_wide else "roles"
        return {Key(RBAC, name, "" if is_wide else space, str(role.get("name")))}
    return set()


def is_ground(item: Item) -> bool:
    """Whether others can't be tried before it is there: a namespace, or the definition of a kind."""
    return item.state is State.MISSING and (is_of(item, NAMESPACES) or is_of(item, DEFINITIONS))


def is_of(item: Item, name: tuple[str, str]) -> bool:
    """Whether it is of this group and plural."""
    return (item.resource.group, item.resource.plural) == name


def right(item: Item) -> Right:
    """What the user must be allowed for it."""
    verb = "create" if item.state is State.MISSING else "update"
    return Right(verb, item.resource.plural, item.key.namespace, item.resource.group)
