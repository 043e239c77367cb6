"""What is brought back, out of all that was asked for: the plan. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.facts import Past
from kubectl_admin.etcd.undelete import findings, rules
from kubectl_admin.etcd.undelete.facts import Asked, Found, Live, Plan, Thing
from kubectl_admin.etcd.undelete.order import ordered
from kubectl_admin.etcd.undelete.owners import kept
from kubectl_admin.etcd.undelete.settle import settle
from kubectl_admin.etcd.undelete.unfinished import lack_of
from kubectl_admin.etcd.undelete.volumes import Data
from kubectl_admin.finding import Finding, Gap
from kubectl_admin.report.text import printable


def plan(
    found: Iterable[Found],
    live: Live,
    gaps: Iterable[Gap] = (),
    *,
    changed: bool = False,
    empty_volumes: bool = False,
    known: Iterable[Finding] = (),
) -> Plan:
    """The plan for the objects found.

    live: the cluster around them. gaps: what of it could not be looked at.
    changed: whether those that have changed are taken back as well.
    empty_volumes: whether claims whose data is lost come back without it.
    known: of the snapshot: what is not in it (`absent`), or can't be read (`unread`).
    """
    settled = settle(found, live, changed=changed, empty_volumes=empty_volumes)
    for key, item in settled.items.items():
        owned = replace(item, owners=kept(settled.ties(item)))
        settled.items[key] = replace(owned, lack=lack_of(owned))
    order = ordered(settled.items.values())
    todo = {item.key for item in settled.coming()}
    freed = {
        key: outlook.volume
        for key, outlook in settled.outlooks.items()
        if outlook.data in (Data.RELEASED, Data.FREE) and outlook.volume and key in todo
    }
    said = (*known, *findings.findings(settled, order, changed=changed), *(gap.finding() for gap in gaps))
    return Plan(order.items, said, changed=changed, freed=freed)


def unread(gaps: Iterable[Gap]) -> list[Finding]:
    """What was asked for, and may be in the snapshot for all that is known."""
    return [
        rules.UNREAD.violation(
            subject=gap.what,
            evidence=gap.why,
            fix=f"grant it: {gap.permission}" if gap.permission else "ask for other kinds, without it",
        )
        for gap in gaps
    ]


def absent(things: Iterable[Thing], places: Mapping[Thing, str], namespace: str | None) -> list[Finding]:
    """Single objects that were asked for, and that the snapshot does not have (`select.absent`).

    places: the namespaces in which they were looked for. namespace: that was asked for; None for none.
    """
    untold = ", which is taken without -n" if namespace is None else ""
    return [
        rules.NOT_FOUND.violation(
            subject=f"{thing.word}/{thing.name}",
            evidence="the snapshot does not have it"
            + (f" in namespace {places[thing]}{untold}" if thing in places else ""),
            fix="check its spelling and namespace: kubectl admin etcd-open SNAPSHOT -- kubectl get KIND -A",
        )
        for thing in things
    ]


def nothing(found: Collection[Found], unread: Collection[Gap], asked: Asked, namespace: str) -> list[Finding]:
    """That the snapshot has nothing at all of what was asked for: a word was mistyped, as like as not.

    namespace: where it is looked for if none was asked for.
    """
    if found or unread or any(thing.name for thing in asked.things):
        return []  # single objects are told by their names
    is_told = asked.everywhere or asked.namespace is not None
    untold = "" if is_told else f"; without -n it is looked for in namespace {namespace}"
    return [
        rules.NOT_FOUND.violation(
            subject=f"namespace {asked.namespace}" if asked.namespace else "all that was asked for",
            evidence=f"the snapshot has nothing of what was asked for{untold}",
            fix="check its spelling: kubectl admin etcd-open SNAPSHOT -- kubectl get KIND -A",
        )
    ]


def refuse_other_cluster(past: Past, uid: str, *, forced: bool) -> list[Finding]:
    """Warnings where a snapshot is not known to be of a cluster, and a person has accepted that.

    uid: that of the cluster's namespace kube-system, or "". Raises AdminError where nobody has.
    """
    option = "--force-other-cluster"
    if past.cluster and past.cluster == uid:
        return []
    if past.cluster and uid:
        there = printable(past.cluster)
        rule, why = (
            rules.OTHER_CLUSTER,
            f"it is of another cluster: kube-system is {there} in it, and {uid} here",
        )
        fix = f"take a snapshot of this cluster; if another's objects are to come here: {option}"
    else:
        rule, why = rules.CLUSTER_UNKNOWN, "it is not known of which cluster it is"
        fix = f"if you know that it is of this cluster: {option}"
    if not forced:
        raise AdminError(f"nothing of {past.path} can be brought back: {why}", fix)
    return [rule.warning(subject="the snapshot", evidence=why)]
