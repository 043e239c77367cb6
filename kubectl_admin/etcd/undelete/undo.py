"""Takes back what a run has changed, by its journal, in reverse order.

An object is deleted by its UID, so never another one of the same name, and not if a person has changed it
since. A namespace in which others have made something since stays, and so does the definition of a kind; so
do both while anything in them is left, which would go with them. An object that was put back is given its
former content, unless it has changed since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError, Conflict, NotFound
from kubectl_admin.cluster.objects import is_being_deleted
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.compare import changes
from kubectl_admin.etcd.undelete.entries import Deed, Entry
from kubectl_admin.etcd.undelete.facts import Json
from kubectl_admin.etcd.undelete.identity import same, version_of
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.kinds import CLAIM
from kubectl_admin.etcd.undelete.read import get, is_answer
from kubectl_admin.etcd.undelete.rehearse import WORKERS
from kubectl_admin.etcd.undelete.reserve import claim_patch
from kubectl_admin.etcd.undelete.send import is_written_by
from kubectl_admin.etcd.undelete.since import changed_since
from kubectl_admin.etcd.undelete.strangers import Strangers
from kubectl_admin.etcd.undelete.unfinished import manager_of
from kubectl_admin.pool import ask_all
from kubectl_admin.report.text import some_of

GONE_TIMEOUT = 30.0  # seconds that a deleted claim, or a pod that uses it, is waited for
GONE_INTERVAL = 0.5  # seconds between two looks
DEADLINE = 900.0  # seconds for looking at all; each request has a limit of its own
SENT = 4  # times that a deletion is sent at most: controllers write an object at any moment


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


def staying(cluster: Cluster, journal: Journal) -> dict[int, str]:
    """Why objects stay that have changed since, by the numbers of their changes.

    One that can't be looked at is not among them. Raises AdminError where the server does not answer.
    """
    run = _Undo(cluster, journal, changed=False)
    entries = [entry for entry in pending(journal) if entry.deed is not Deed.FREE]
    questions = {entry.number: partial(run.seen, entry) for entry in entries}
    answers = ask_all(questions, deadline=DEADLINE, workers=WORKERS)
    for answer in answers.values():
        if isinstance(answer, AdminError) and not is_answer(answer):
            raise answer
    return {
        number: answer.why
        for number, answer in answers.items()
        if isinstance(answer, Undone) and answer.is_changed
    }


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
        for _ in range(SENT):
            there = self.seen(entry)
            if isinstance(there, Undone):
                return there
            if why := Strangers(self.cluster, self.journal, self.left).forbid(entry, there):
                return Undone(entry, Became.LEFT, why)
            if undone := self._delete(entry, there):
                return undone
        return Undone(entry, Became.LEFT, "it changes all the time", is_changed=True)

    def seen(self, entry: Entry) -> Undone | Json:
        """The object of a change, if that is to be taken back; else what has become of it."""
        there = get(self.cluster, entry.path)
        return self._seen_put_back(entry, there) if entry.deed is Deed.REPLACE else self._seen(entry, there)

    def _seen(self, entry: Entry, there: Json | None) -> Undone | Json:
        if there is None:
            return Undone(entry, Became.GONE if entry.uid else Became.NEVER)
        if entry.uid and str(there["metadata"].get("uid")) != entry.uid:
            return Undone(entry, Became.GONE, "another one of this name is there")
        if not entry.uid and not is_written_by(there, manager_of(self.journal.head.operation)):
            return Undone(entry, Became.NEVER, "one that somebody else has made is there")
        why = self._since(entry, there)
        return Undone(entry, Became.LEFT, why, is_changed=True) if why else there

    def _since(self, entry: Entry, there: Json) -> str:
        """That an object has changed since it was made; "" where it has not, or nobody cares."""
        if self.changed or is_being_deleted(there):
            return ""
        head = {"apiVersion": entry.resource.api_version, "kind": entry.resource.kind}
        fields = changed_since(entry.after, {**there, **head}, manager_of(self.journal.head.operation))
        if fields is None:
            return "others have written it, and how it was made is not known"
        return f"it has changed since it was made: {some_of(fields)}" if fields else ""

    def _delete(self, entry: Entry, there: Json) -> Undone | None:
        """Deletes the object as it was seen; None where it has changed meanwhile."""
        uid = there["metadata"].get("uid")
        wanted = {"uid": uid} if self.changed else same(there)
        try:
            self.cluster.delete(entry.path, {"preconditions": wanted, "propagationPolicy": "Background"})
        except NotFound:
            return Undone(entry, Became.GONE)
        except Conflict as error:
            # Of a namespace that is being deleted already as well, whose content is not gone yet.
            now = get(self.cluster, entry.path)
            if now is None or now["metadata"].get("uid") != uid:
                return Undone(entry, Became.GONE)
            if is_being_deleted(now):
                return Undone(entry, Became.DELETED)
            is_other = version_of(now) != version_of(there) and not self.changed
            return None if is_other else Undone(entry, Became.LEFT, error.message)
        return Undone(entry, Became.DELETED)

    def _seen_put_back(self, entry: Entry, there: Json | None) -> Undone | Json:
        before = entry.before
        if there is None or before is None or there["metadata"].get("uid") != before["metadata"].get("uid"):
            return Undone(entry, Became.LEFT, "it was deleted since")
        if version_of(there) == version_of(before):
            return Undone(entry, Became.NEVER)
        if entry.after is None and not is_written_by(there, manager_of(self.journal.head.operation)):
            return Undone(entry, Became.NEVER, "somebody else has changed it")
        if not self.changed and (entry.after is None or changes(entry.after, there)):
            return Undone(entry, Became.LEFT, "it has changed since it was put back", is_changed=True)
        return there

    def _replaced(self, entry: Entry) -> Undone:
        there, before = self.seen(entry), entry.before or {}
        if isinstance(there, Undone):
            return there
        body = {**before, "metadata": {**before["metadata"], "resourceVersion": version_of(there)}}
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
        volume, before = get(self.cluster, entry.path), mapping(entry.before)
        reference = mapping(mapping(before.get("spec")).get("claimRef"))
        if volume is None or volume["metadata"].get("uid") != mapping(before.get("metadata")).get("uid"):
            return Undone(entry, Became.GONE)
        now = mapping(mapping(volume.get("spec")).get("claimRef"))
        if bool(now) is bool(reference) and now.get("uid") == reference.get("uid"):
            return Undone(entry, Became.NEVER)
        claim = entry.claim or (reference.get("namespace"), reference.get("name"))
        if (now.get("namespace"), now.get("name")) != claim:
            return Undone(entry, Became.LEFT, f"it is of {'another' if now else 'no'} claim now")
        claimed = CLAIM.path(str(now["namespace"]), str(now["name"]))
        for late in looks(GONE_TIMEOUT, GONE_INTERVAL, clock=self.cluster.clock):
            if get(self.cluster, claimed) is None:
                break
            if late:
                return Undone(entry, Became.LEFT, "its claim is still there")
        former = {"resourceVersion": None, **reference} if reference else {}
        self.cluster.patch(entry.path, claim_patch(volume, former), MERGE_PATCH)
        return Undone(entry, Became.PUT_BACK)


def left(undone: Sequence[Undone]) -> list[Undone]:
    """Those that could not be taken back."""
    return [one for one in undone if one.became is Became.LEFT]
