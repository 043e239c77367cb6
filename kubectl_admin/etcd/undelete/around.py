"""Asks what of the clusters decides about objects that come back: volumes, their snapshots, owners."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_moment, mapping
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.cluster.objects import is_being_deleted
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.consequences import read as consequences
from kubectl_admin.etcd.undelete import owners
from kubectl_admin.etcd.undelete.discovery import Served
from kubectl_admin.etcd.undelete.facts import (
    Claim,
    Found,
    Json,
    Key,
    Live,
    Volume,
    VolumeSnapshot,
)
from kubectl_admin.etcd.undelete.kinds import CLAIM, CLAIMS, SETS, SNAPSHOTS, VOLUME, VOLUMES
from kubectl_admin.etcd.undelete.read import get, is_answer, permission, words
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all

DEADLINE = 3600.0  # seconds for all owners; each request has a limit of its own
WORKERS = 8
WITH_VOLUMES = frozenset({CLAIMS, VOLUMES, SETS})


@dataclass
class Around:
    """past, live: the two clusters. now: what the live one serves. gaps: what could not be read."""

    past: Cluster
    live: Cluster
    now: Served
    gaps: list[Gap] = field(default_factory=list)

    def look(self, found: Sequence[Found]) -> Live:
        """What of the live cluster decides about these."""
        names = {(one.resource.group, one.resource.plural) for one in found}
        volumes: Sequence[Volume] | None = ()
        before: Sequence[Volume] = ()
        snapshots: Sequence[VolumeSnapshot] = ()
        leaving: frozenset[tuple[str, str]] | None = frozenset()
        if names & WITH_VOLUMES:
            volumes = self._volumes()
            before = [volume_of(item) for item in self.past.list(VOLUME.path())]
            snapshots = self._snapshots()
        if SETS in names:
            leaving = self._leaving({one.key.namespace for one in found if is_set(one)})
        return Live(volumes, snapshots, leaving, before, self.now.preferred, self._owners(found))

    def _leaving(self, namespaces: Collection[str]) -> frozenset[tuple[str, str]] | None:
        """The claims there that are being deleted: their volumes are Bound until they are gone."""
        path = CLAIM.path(next(iter(namespaces)) if len(namespaces) == 1 else "")
        try:
            found = [item["metadata"] for item in self.live.list(path) if is_being_deleted(item)]
        except ApiError as error:
            self.gaps.append(Gap("claims", words(error), permission(error)))
            return None
        return frozenset((str(one.get("namespace") or ""), str(one["name"])) for one in found)

    def _volumes(self) -> Sequence[Volume] | None:
        try:
            return [volume_of(item) for item in self.live.list(VOLUME.path())]
        except ApiError as error:
            self.gaps.append(Gap("volumes", words(error), permission(error)))
            return None

    def _snapshots(self) -> Sequence[VolumeSnapshot]:
        served = self.now.versions.get(SNAPSHOTS)
        if not served:
            return ()
        try:
            return [snapshot_of(item) for item in self.live.list(served[0].path())]
        except AdminError as error:
            if not is_answer(error):
                raise
            self.gaps.append(Gap("VolumeSnapshots", words(error), permission(error)))
            return ()

    def _owners(self, found: Sequence[Found]) -> dict[Key, str]:
        """Owners that were not asked for, by the live cluster's word."""
        wanted = owners.elsewhere(found, Live(resources=self.now.preferred))
        served = {key: self.now.versions.get((key.group, key.plural)) for key in wanted}
        questions = {
            key: partial(get, self.live, versions[0].path(key.namespace, key.name))
            for key, versions in served.items()
            if versions
        }
        answers = ask_all(questions, deadline=DEADLINE, workers=WORKERS)
        gone = {key: "" for key, each in served.items() if not each and key.group not in self.now.doubtful}
        return gone | {
            key: str(answer["metadata"].get("uid") or "") if answer else ""
            for key, answer in answers.items()
            if not isinstance(answer, AdminError)
        }


def is_set(one: Found) -> bool:
    """Whether it is a StatefulSet, which makes claims."""
    return (one.resource.group, one.resource.plural) == SETS


def volume_of(item: Json) -> Volume:
    """A PersistentVolume as a fact. Pure."""
    spec, metadata = mapping(item.get("spec")), item["metadata"]
    reference = mapping(spec.get("claimRef"))
    claim = Claim(*(str(reference.get(field) or "") for field in ("namespace", "name", "uid")))
    return Volume(
        name=metadata["name"],
        phase=str(mapping(item.get("status")).get("phase") or ""),
        policy=str(spec.get("persistentVolumeReclaimPolicy") or ""),
        claim=claim if reference else None,
        handle=consequences.volume_of(item).storage,
        version=str(metadata.get("resourceVersion") or ""),
        deleted=is_being_deleted(item),
    )


def snapshot_of(item: Json) -> VolumeSnapshot:
    """A VolumeSnapshot as a fact. Pure."""
    status, metadata = mapping(item.get("status")), item["metadata"]
    source = mapping(mapping(item.get("spec")).get("source"))
    return VolumeSnapshot(
        namespace=str(metadata.get("namespace") or ""),
        name=metadata["name"],
        claim=str(source.get("persistentVolumeClaimName") or ""),
        ready=status.get("readyToUse") is True,
        taken=decode_moment(status.get("creationTime")),
    )
