"""Notes in an object what can only be noted once it, or another one, is there: owners, and field managers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError, Conflict
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.batches import intent
from kubectl_admin.etcd.undelete.facts import Item, Json, Key, Lack, Owner
from kubectl_admin.etcd.undelete.identity import same
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.owners import references
from kubectl_admin.etcd.undelete.read import words
from kubectl_admin.etcd.undelete.send import NOBODY, is_verdict, look
from kubectl_admin.etcd.undelete.unfinished import applied, manager_key, managers

SENT = 4  # times that a note is sent at most: controllers write an object at once


class GoneError(AdminError):
    """The object is not there any more."""


def complete(cluster: Cluster, journal: Journal, item: Item, uids: Mapping[Key, str], manager: str) -> str:
    """Notes what an earlier run has not noted in what it has made, with the journal; why not, or "".

    uids: of owners that are made in this run. Raises AdminError where the server is in trouble.
    """
    lack, there = item.lack or Lack(()), look(cluster, item)
    uid = mapping(mapping(item.now).get("metadata")).get("uid")
    if there is None or there["metadata"].get("uid") != uid:
        return "it is not there any more"
    if away := [one for one in lack.owners if not _uid(one, uids)]:
        return f"its owner {away[0].key.title if away[0].key else ''} is not there"
    (entry,) = journal.intend([replace(intent(item), before=there)])
    made, why = there, ""
    try:
        made = note_owners(cluster, item, lack.owners, uids, manager, uid) or made
        if lack.managers:
            made = note_managers(cluster, item, made, lack.makers, manager) or made
    except (ApiError, GoneError) as error:
        if not isinstance(error, GoneError) and not is_verdict(error):
            raise  # it may have been carried out
        why = words(error)
    is_same = made is there
    journal.note([replace(entry, uid=str(uid), refused=is_same, after=None if is_same else made)])
    return why


def note_owners(
    cluster: Cluster, item: Item, owners: Sequence[Owner], uids: Mapping[Key, str], manager: str, uid: object
) -> Json | None:
    """Puts references to these owners in beside those that are there; the object then.

    None where none of them is there. uids: as of `complete`. uid: of the object itself.
    Raises AdminError.
    """
    wanted = [{**owner.reference, "uid": found} for owner in owners if (found := _uid(owner, uids))]
    for number in range(SENT if wanted else 0):
        there = _there(cluster, item, uid)
        noted = references(there)
        known = {one.get("uid") for one in noted}
        if not (new := [one for one in wanted if one["uid"] not in known]):
            return there
        content = {"metadata": {**same(there), "ownerReferences": [*noted, *new]}}
        try:
            return _patched(cluster, item, content, manager)
        except Conflict:
            if number + 1 == SENT:
                raise
    return None


def note_managers(
    cluster: Cluster, item: Item, made: Json, makers: Collection[str], manager: str
) -> Json | None:
    """Notes the object's field managers of before in it again; the object then.

    A server takes over none of them with an object that is made: all fields are its maker's, and who has
    applied it (server-side) would meet a conflict. None where nobody has. Raises AdminError.
    makers: field managers of runs; the fields that others have set since are theirs, as controllers do at
    once.
    Source: structured-merge-diff merge/update.go, Update; apimachinery pkg/util/managedfields.
    """
    if not applied(item.then):
        return None
    kept = [one for one in managers(item.then) if not one.get("subresource")]
    there = made
    for number in range(SENT):
        since = [one for one in managers(there) if one.get("manager") not in {*makers, manager}]
        known = [manager_key(one) for one in since]
        fields = [*(one for one in kept if manager_key(one) not in known), *since]
        try:
            return _patched(cluster, item, {"metadata": {**same(there), "managedFields": fields}}, manager)
        except Conflict:
            if number + 1 == SENT:
                raise
            there = _there(cluster, item, made["metadata"].get("uid"))
    return None


def _uid(owner: Owner, uids: Mapping[Key, str]) -> str:
    """The UID that an owner has now, or ""."""
    return owner.uid or uids.get(owner.key or NOBODY, "")


def _there(cluster: Cluster, item: Item, uid: object) -> Json:
    """The object as it is. Raises GoneError where it, or the one that is meant, is not there."""
    found = look(cluster, item)
    if found is None or found["metadata"].get("uid") != uid:
        raise GoneError(f"{item.title} is not there any more")
    return found


def _patched(cluster: Cluster, item: Item, content: Json, manager: str) -> Json:
    path = item.resource.path(item.key.namespace, item.key.name)
    made: Json = cluster.patch(path, content, MERGE_PATCH, [("fieldManager", manager)])
    return made
