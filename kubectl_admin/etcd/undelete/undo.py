"""Takes back what a run has changed, by its journal, in reverse order.

An object is deleted by its UID, so never another one of the same name, and not if a person has changed it
since. A namespace in which others have made something since stays, and so does the definition of a kind; so
do both while anything in them is left, which would go with them. An object that was put back is given its
former content, unless it has changed since.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.decode import decode_moment, mapping
from kubectl_admin.cluster.errors import ApiError, Conflict, NotFound
from kubectl_admin.cluster.wait import looks
from kubectl_admin.etcd.undelete.compare import changes
from kubectl_admin.etcd.undelete.discovery import discover
from kubectl_admin.etcd.undelete.entries import Deed, Entry
from kubectl_admin.etcd.undelete.facts import Json, Resource
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.kinds import CLAIMS, DEFINITIONS, NAMESPACES
from kubectl_admin.etcd.undelete.made import made_by
from kubectl_admin.etcd.undelete.reserve import CLAIM, VOLUMES, claim_patch
from kubectl_admin.etcd.undelete.send import is_written_by
from kubectl_admin.etcd.undelete.since import changed_since
from kubectl_admin.etcd.undelete.unfinished import manager_of
from kubectl_admin.report.text import printable, some_of

GONE_TIMEOUT = 30.0  # seconds that a deleted claim, or a pod that uses it, is waited for
GONE_INTERVAL = 0.5  # seconds between two looks


class Became(StrEnum):
    """What has become of a change that was to be taken back."""

    DELETED = "deleted"
    PUT_BACK = "put back"
    NEVER = "never made"
    GONE = "gone already"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back, or was left, and why.

    is_changed: whether it was left since the object has changed.
    """

    entry: Entry
    became: Became
    why: str = ""
    is_changed: bool = False


def pending(journal: Journal) -> list[Entry]:
    """The changes that are not taken back yet, the last one first."""
    entries = [entry for entry in journal.entries.values() if not entry.refused and not entry.undone]
    return sorted(entries, key=lambda entry: -entry.number)


def take_back(
    cluster: Cluster, journal: Journal, entries: Sequence[Entry] | None = None, *, changed: bool = False
) -> Iterator[Undone]:
    """Takes changes back, one after the other. Raises AdminError where the server does not answer.

    entries: those that are; None for all that are pending. changed: whether those as well whose objects have
    changed since.
    """
    run = _Undo(cluster, journal, changed)
    for entry in pending(journal) if entries is None else entries:
        undone = run.undo(entry)
        if undone.became is Became.LEFT:
            run.left.add(entry.number)
        else:
            journal.note([replace(entry, undone=True, after=None)])
        yield undone


@dataclass
class _Undo:
    """left: the numbers of the entries that are left so far."""

    cluster: Cluster
    journal: Journal
    changed: bool
    left: set[int] = field(default_factory=set)

    def undo(self, entry: Entry) -> Undone:
        try:
            match entry.deed:
                case Deed.CREATE:
                    return self._created(entry)
                case Deed.REPLACE:
                    return self._replaced(entry)
                case Deed.FREE:
                    return self._freed(entry)
        except ApiError as error:
            return Undone(entry, Became.LEFT, error.message)

    def _created(self, entry: Entry) -> Undone:
        there = self._look(entry.resource, entry.namespace, entry.name)
        if there is None:
            return Undone(entry, Became.GONE if entry.uid else Became.NEVER)
        uid = str(there["metadata"].get("uid"))
        if entry.uid and uid != entry.uid:
            return Undone(entry, Became.GONE, "another one of this name is there")
        if not entry.uid and not is_written_by(there, manager_of(self.journal.head.operation)):
            return Undone(entry, Became.NEVER, "one that somebody else has made is there")
        if why := self._since(entry, there):
            return Undone(entry, Became.LEFT, why, is_changed=True)
        if why := self._forbids(entry, there):
            return Undone(entry, Became.LEFT, why)
        return self._delete(entry, uid)

    def _since(self, entry: Entry, there: Json) -> str:
        """That an object has changed since it was made; "" where it has not, or nobody cares."""
        if self.changed or there["metadata"].get("deletionTimestamp"):
            return ""
        head = {"apiVersion": entry.resource.api_version, "kind": entry.resource.kind}
        fields = changed_since(entry.after, {**there, **head}, manager_of(self.journal.head.operation))
        if fields is None:
            return "others have written it, and how it was made is not known"
        return f"it has changed since it was made: {some_of(fields)}" if fields else ""

    def _delete(self, entry: Entry, uid: str) -> Undone:
        options = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            self.cluster.delete(entry.path, options)
        except NotFound:
            return Undone(entry, Became.GONE)
        except Conflict as error:
            # Of a namespace that is being deleted already as well, whose content is not gone yet.
            there = self._look(entry.resource, entry.namespace, entry.name)
            if there is not None and there["metadata"].get("uid") == uid:
                if there["metadata"].get("deletionTimestamp"):
                    return Undone(entry, Became.DELETED)
                return Undone(entry, Became.LEFT, error.message)
            return Undone(entry, Became.GONE)
        return Undone(entry, Became.DELETED)

    def _forbids(self, entry: Entry, there: Json) -> str:
        """Why an object is not deleted: something of others would go with it. "" for none."""
        name = (entry.resource.group, entry.resource.plural)
        if name == CLAIMS:
            return self._data(there)
        if name == NAMESPACES:
            return self._strangers(lambda each: each.namespaced, entry.name)
        if name == DEFINITIONS:
            spec = mapping(there.get("spec"))
            kind = (str(spec.get("group")), str(mapping(spec.get("names")).get("plural")))
            return self._strangers(lambda each: (each.group, each.plural) == kind, "")
        return ""

    def _strangers(self, is_within: Callable[[Resource], bool], namespace: str) -> str:
        """What of others would go as well, or of ours that is left; or that it can't be seen. "" for none.

        is_within: tells which kinds of objects would.
        """
        served = discover(self.cluster)
        if served.doubtful:
            away = printable(some_of(sorted(served.doubtful)))
            return f"others may have made something of it since: the server of {away} does not answer"
        resources = [each for each in served.preferred if is_within(each)]
        if not resources:
            return "others may have made something of it since: its objects can't be listed"
        ours = {
            entry.uid
            for entry in self.journal.entries.values()
            if entry.deed is Deed.CREATE and entry.number not in self.left
        }
        there = [(each, item) for each in resources for item in self.cluster.list(each.path(namespace))]
        # An owner that is there is looked at by itself; one that is not may be anybody's.
        known = ours | {item["metadata"].get("uid") for _, item in there}
        left = {self.journal.entries[number].uid for number in self.left}
        staying = [
            (f"{resource.word}/{printable(item['metadata']['name'])}", item["metadata"].get("uid"))
            for resource, item in there
            if not _goes_anyway(item, ours, known) and not made_by(resource, item)
        ]
        if foreign := [name for name, uid in staying if uid not in left]:
            return f"others have made {some_of(foreign)} of it since"
        return f"{some_of([name for name, _ in staying])} of it is left" if staying else ""

    def _data(self, claim: Json) -> str:
        """A claim whose volume would go with it, though it was there before: its policy is not to keep it."""
        name, metadata = str(mapping(claim.get("spec")).get("volumeName") or ""), claim["metadata"]
        volume = self._look(VOLUMES, "", name) if name else None
        policy = mapping(mapping(volume).get("spec")).get("persistentVolumeReclaimPolicy")
        if volume is None or policy == "Retain":
            return ""
        made, since = (
            decode_moment(each.get("creationTimestamp")) for each in (volume["metadata"], metadata)
        )
        ours = {entry.uid for entry in self.journal.entries.values() if entry.uid}
        if made and since and made >= since and volume["metadata"].get("uid") not in ours:
            return ""  # it was made for this claim
        return f"its volume {name} would be deleted with it: its policy is {policy} now"

    def _replaced(self, entry: Entry) -> Undone:
        there = self._look(entry.resource, entry.namespace, entry.name)
        before = entry.before
        if there is None or before is None or there["metadata"].get("uid") != before["metadata"].get("uid"):
            return Undone(entry, Became.LEFT, "it was deleted since")
        if _version(there) == _version(before):
            return Undone(entry, Became.NEVER)
        if entry.after is None and not is_written_by(there, manager_of(self.journal.head.operation)):
            return Undone(entry, Became.NEVER, "somebody else has changed it")
        if not self.changed and (entry.after is None or changes(entry.after, there)):
            return Undone(entry, Became.LEFT, "it has changed since it was put back", is_changed=True)
        body = {**before, "metadata": {**before["metadata"], "resourceVersion": _version(there)}}
        body["metadata"].pop("managedFields", None)
        if "status" in there:
            body["status"] = there["status"]
        try:
            self.cluster.put(entry.path, body)
        except Conflict:
            return Undone(entry, Became.LEFT, "it has changed since it was put back")
        return Undone(entry, Became.PUT_BACK)

    def _freed(self, entry: Entry) -> Undone:
        """A volume that was kept for a claim: it names the former claim again, once the new one is gone."""
        volume, before = self._look(VOLUMES, "", entry.name), mapping(entry.before)
        reference = mapping(mapping(before.get("spec")).get("claimRef"))
        if volume is None or volume["metadata"].get("uid") != mapping(before.get("metadata")).get("uid"):
            return Undone(entry, Became.GONE)
        now = mapping(mapping(volume.get("spec")).get("claimRef"))
        if bool(now) is bool(reference) and now.get("uid") == reference.get("uid"):
            return Undone(entry, Became.NEVER)
        claim = entry.claim or (reference.get("namespace"), reference.get("name"))
        if (now.get("namespace"), now.get("name")) != claim:
            return Undone(entry, Became.LEFT, f"it is of {'another' if now else 'no'} claim now")
        for late in looks(GONE_TIMEOUT, GONE_INTERVAL, clock=self.cluster.clock):
            if self._look(CLAIM, str(now["namespace"]), str(now["name"])) is None:
                break
            if late:
                return Undone(entry, Became.LEFT, "its claim is still there")
        former = {"resourceVersion": None, **reference} if reference else {}
        self.cluster.patch(entry.path, claim_patch(volume, former), MERGE_PATCH)
        return Undone(entry, Became.PUT_BACK)

    def _look(self, resource: Resource, namespace: str, name: str) -> Json | None:
        try:
            found: Json = self.cluster.get(resource.path(namespace, name))
        except NotFound:
            return None
        return found


def left(undone: Sequence[Undone]) -> list[Undone]:
    """Those that could not be taken back."""
    return [one for one in undone if one.became is Became.LEFT]


def _goes_anyway(item: Json, ours: Container[object], known: Container[object]) -> bool:
    """Whether an object is of this run, is being deleted, or goes with an owner that is looked at, too."""
    metadata = item["metadata"]
    owners = [one.get("uid") for one in metadata.get("ownerReferences") or ()]
    is_owned = bool(owners) and all(uid in known for uid in owners)
    return bool(metadata.get("deletionTimestamp")) or metadata.get("uid") in ours or is_owned


def _version(there: Json) -> object:
    return there["metadata"].get("resourceVersion")
