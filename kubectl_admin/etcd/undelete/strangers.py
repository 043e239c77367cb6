"""Why something that a run has made is not deleted: something of others would go with it."""

from collections.abc import Callable, Collection, Container
from dataclasses import dataclass

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_moment, mapping
from kubectl_admin.cluster.objects import is_being_deleted
from kubectl_admin.etcd.undelete.discovery import discover
from kubectl_admin.etcd.undelete.entries import Deed, Entry
from kubectl_admin.etcd.undelete.facts import Json, Resource
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.kinds import CLAIMS, DEFINITIONS, NAMESPACES, VOLUME
from kubectl_admin.etcd.undelete.made import made_by
from kubectl_admin.etcd.undelete.read import get
from kubectl_admin.report.text import printable, some_of


@dataclass(frozen=True, slots=True)
class Strangers:
    """journal: of what the run has made. left: the numbers of the entries that are left so far."""

    cluster: Cluster
    journal: Journal
    left: Collection[int]

    def forbid(self, entry: Entry, there: Json) -> str:
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
        volume = get(self.cluster, VOLUME.path("", name)) if name else None
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


def _goes_anyway(item: Json, ours: Container[object], known: Container[object]) -> bool:
    """Whether an object is of this run, is being deleted, or goes with an owner that is looked at, too."""
    metadata = item["metadata"]
    owners = [one.get("uid") for one in metadata.get("ownerReferences") or ()]
    is_owned = bool(owners) and all(uid in known for uid in owners)
    return is_being_deleted(item) or metadata.get("uid") in ours or is_owned
