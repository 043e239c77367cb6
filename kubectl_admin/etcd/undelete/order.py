"""In which order objects are made: an owner before what it owns, and kinds before what needs them. Pure.

An operator acts on a custom object at once, and a workload makes claims and pods at once: both come late,
when the Secrets and claims that they look for are there. Quotas come after all that they count: one without a
status refuses all of it (apiserver pkg/admission/plugin/resourcequota). Webhooks and policies come last, as
their servers are not there yet.
"""

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kubectl_admin.etcd.stored.kinds import built_in
from kubectl_admin.etcd.undelete.facts import Item, Key
from kubectl_admin.etcd.undelete.kinds import CLAIMS, DEFINITIONS, NAMESPACES, RBAC, VOLUMES, Name

STORAGE, ADMISSION = "storage.k8s.io", "admissionregistration.k8s.io"
WAVES: Sequence[frozenset[Name]] = (
    frozenset({NAMESPACES}),
    frozenset({DEFINITIONS}),
    frozenset(
        {
            ("scheduling.k8s.io", "priorityclasses"),
            ("node.k8s.io", "runtimeclasses"),
            ("networking.k8s.io", "ingressclasses"),
            ("networking.k8s.io", "servicecidrs"),
            ("resource.k8s.io", "deviceclasses"),
            *((STORAGE, plural) for plural in ("storageclasses", "csidrivers", "volumeattributesclasses")),
        }
    ),
    frozenset((RBAC, plural) for plural in ("clusterroles", "roles")),
    frozenset((RBAC, plural) for plural in ("clusterrolebindings", "rolebindings")),
    frozenset({("", "serviceaccounts")}),
    frozenset({("", "configmaps"), ("", "secrets"), ("", "limitranges")}),
    frozenset({VOLUMES}),
    frozenset({CLAIMS}),
    frozenset({("", "services")}),
)
REST = len(WAVES)  # Kubernetes' own kinds of which nothing is said: Ingresses, policies, budgets
CUSTOM, WORKLOADS, QUOTAS, LAST = REST + 1, REST + 2, REST + 3, REST + 4
LATE: Mapping[Name, int] = {
    **{
        ("apps", plural): WORKLOADS for plural in ("daemonsets", "deployments", "replicasets", "statefulsets")
    },
    **{("batch", plural): WORKLOADS for plural in ("cronjobs", "jobs")},
    ("", "pods"): WORKLOADS,
    ("", "replicationcontrollers"): WORKLOADS,
    ("", "resourcequotas"): QUOTAS,
    ("apiregistration.k8s.io", "apiservices"): LAST,
    **{
        (ADMISSION, plural): LAST
        for plural in (
            "mutatingadmissionpolicies",
            "mutatingadmissionpolicybindings",
            "mutatingwebhookconfigurations",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
            "validatingwebhookconfigurations",
        )
    },
}
OWN = frozenset((kind.group, kind.resource) for kind in built_in())
Place = tuple[int, Key]
Before = Mapping[Key, Collection[Key]]  # by an object, those that have to be made before it


@dataclass(frozen=True, slots=True)
class Ordered:
    """items: in their order; of an owner that comes after what it owns, `later` is set.

    cycles: objects that own each other; the first of each is made before its owner, the last.
    """

    items: tuple[Item, ...]
    cycles: tuple[tuple[Key, ...], ...] = ()


def ordered(items: Iterable[Item]) -> Ordered:
    """The items in the order in which they are made; those of which nothing is done are in between."""
    by_key = {item.key: item for item in items}
    homes, owners = _homes(by_key), _owners(by_key)
    cycles = list(_cycles(homes, owners))
    for cycle in cycles:
        owners[cycle[0]].discard(cycle[-1])
    before = {key: homes[key] | owners[key] for key in by_key}
    placed = {key: number for number, key in enumerate(_placed(before))}
    return Ordered(
        tuple(_with_later(by_key[key], placed) for key in placed),
        tuple(cycles),
    )


def _with_later(item: Item, placed: Mapping[Key, int]) -> Item:
    """The item, with those of its owners marked that come after it."""
    own, owners = placed[item.key], []
    for owner in item.owners:
        place = placed.get(owner.key, -1) if owner.key else -1
        owners.append(replace(owner, later=owner.comes_back and place >= own))
    return replace(item, owners=tuple(owners)) if owners else item


def _homes(items: Mapping[Key, Item]) -> dict[Key, set[Key]]:
    """By an object, its namespace and its definition where those are among the items."""
    found = dict[Key, set[Key]]()
    for key in items:
        homes = set()
        if (key.group, key.plural) not in (DEFINITIONS, NAMESPACES):
            homes = {Key(*DEFINITIONS, "", f"{key.plural}.{key.group}"), Key(*NAMESPACES, "", key.namespace)}
        found[key] = {home for home in homes if home in items}
    return found


def _owners(items: Mapping[Key, Item]) -> dict[Key, set[Key]]:
    """By an object, its owners that come back. A claim waits for none, who would make an empty one."""
    found = dict[Key, set[Key]]()
    for key, item in items.items():
        coming = {owner.key for owner in item.owners if owner.comes_back and owner.key}
        found[key] = set() if (key.group, key.plural) == CLAIMS else {one for one in coming if one in items}
    return found


def _cycles(homes: Before, owners: Before) -> Iterator[tuple[Key, ...]]:
    """Cycles, each beginning with an object whose owner is its last; without these ties there is none.

    Namespaces and definitions alone make none, so that each has a tie to an owner.
    """
    done, cut = set[Key](), set[tuple[Key, Key]]()
    for start in sorted(owners):
        path, places = [start], {start: 0}
        waits = [_waits(start, homes, owners)]
        while path:
            after = next((one for one in waits[-1] if one not in done and (path[-1], one) not in cut), None)
            if after is None:
                done.add(path[-1])
                del places[path.pop()]
                waits.pop()
            elif after in places:
                cycle = _cycle(path[places[after] :], homes, owners)
                cut.add((cycle[0], cycle[-1]))
                yield cycle
                # All that was reached by the tie that is cut is gone through again without it.
                for key in path[places[cycle[0]] + 1 :]:
                    del places[key]
                    path.pop()
                    waits.pop()
            else:
                places[after] = len(path)
                path.append(after)
                waits.append(_waits(after, homes, owners))


def _waits(key: Key, homes: Before, owners: Before) -> Iterator[Key]:
    return iter(sorted({*homes[key], *owners[key]}))


def _cycle(ring: Sequence[Key], homes: Before, owners: Before) -> tuple[Key, ...]:
    """A ring, each of which waits for the next and the last one for the first: from an object round to its
    owner, for which it does not have to wait.
    """
    for number in reversed(range(len(ring))):
        key, owner = ring[number], ring[(number + 1) % len(ring)]
        if owner in owners[key] and owner not in homes[key]:
            return (*reversed(ring[: number + 1]), *reversed(ring[number + 1 :]))
    raise AssertionError("namespaces and definitions wait for nobody")  # see `_homes`


def _placed(before: Before) -> Iterator[Key]:
    """All objects, each after those that have to be made before it, else by waves and names.

    before: without cycles. Whoever has to be made before an object of an early wave has his turn with it.
    """
    places: dict[Key, Place] = {}
    for place in sorted((wave(key), key) for key in before):
        todo = [place[1]]
        while todo:
            key = todo.pop()
            if key not in places:
                places[key] = place
                todo += before[key]
    waiting = {key: len(first) for key, first in before.items()}
    after = defaultdict[Key, list[Key]](list)
    for key, first in before.items():
        for one in first:
            after[one].append(key)
    ready = [(places[key], key) for key, count in waiting.items() if not count]
    heapq.heapify(ready)
    while ready:
        _, key = heapq.heappop(ready)
        yield key
        for one in after[key]:
            waiting[one] -= 1
            if not waiting[one]:
                heapq.heappush(ready, (places[one], one))


def wave(key: Key) -> int:
    """When an object's turn is, by its kind."""
    name = (key.group, key.plural)
    for number, names in enumerate(WAVES):
        if name in names:
            return number
    return LATE.get(name, REST if name in OWN else CUSTOM)
