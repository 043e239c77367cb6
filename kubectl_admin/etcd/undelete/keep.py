"""Keeps volumes for claims that are about to be made; each is in the journal before and after.

`undo` gives them back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.etcd.undelete.entries import Deed, Entry, Intent
from kubectl_admin.etcd.undelete.facts import Json, Key, Volume
from kubectl_admin.etcd.undelete.journal import Journal
from kubectl_admin.etcd.undelete.kinds import VOLUME
from kubectl_admin.etcd.undelete.reserve import TakenError, claim_patch, kept_for, reservable
from kubectl_admin.etcd.undelete.send import is_verdict


@dataclass(frozen=True, slots=True)
class Kept:
    """By the key of a claim: entries of the volumes that are kept for it, and why one can't be."""

    entries: dict[Key, Entry] = field(default_factory=dict)
    refused: dict[Key, str] = field(default_factory=dict)


def keep(cluster: Cluster, journal: Journal, wanted: Mapping[Key, Volume]) -> Kept:
    """Keeps these volumes, each for the claim of its key. One that is kept already needs no entry.

    Raises AdminError where the server is in trouble.
    """
    kept, seen = Kept(), dict[Key, Json]()
    for key, volume in wanted.items():
        try:
            if found := reservable(cluster, volume, key):
                seen[key] = found
        except ApiError as error:
            kept.refused[key] = f"volume {volume.name}: {error.message}"
        except TakenError as error:
            kept.refused[key] = error.what
    intents = [
        Intent(Deed.FREE, VOLUME, "", each["metadata"]["name"], each, claim=(key.namespace, key.name))
        for key, each in seen.items()
    ]
    for (key, there), entry in zip(seen.items(), journal.intend(intents), strict=True):
        if why := _keep(cluster, journal, there, key, entry):
            kept.refused[key] = f"volume {entry.name}: {why}"
        else:
            kept.entries[key] = entry
    return kept


def _keep(cluster: Cluster, journal: Journal, volume: Json, claim: Key, entry: Entry) -> str:
    """Keeps one volume; why it can't be, or ""."""
    try:
        cluster.patch(entry.path, claim_patch(volume, kept_for(claim)), MERGE_PATCH)
    except ApiError as error:
        if not is_verdict(error):
            raise  # it may have been carried out
        journal.note([replace(entry, refused=True)])
        return error.message
    journal.note([replace(entry, uid=volume["metadata"]["uid"])])
    return ""
