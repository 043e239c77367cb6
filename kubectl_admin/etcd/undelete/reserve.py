"""A volume that is kept for a claim that comes back: it names the claim, by which alone it is bound then.

Without the UID of the former claim it is Available for a claim of that namespace and name, and for no other.
Source: docs «Persistent Volumes», reserving a PersistentVolume; kubernetes/kubernetes
pkg/controller/volume/persistentvolume/pv_controller.go, syncUnboundClaim and syncVolume.
"""

from collections.abc import Mapping
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import is_being_deleted
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.facts import Json, Key, Volume
from kubectl_admin.etcd.undelete.identity import same
from kubectl_admin.etcd.undelete.kinds import CLAIM, VOLUME


class TakenError(AdminError):
    """A volume can't be kept for a claim any more."""


def reservable(cluster: Cluster, volume: Volume, claim: Key) -> Json | None:
    """The volume as it is, if it is still to be kept for the claim; None where it is so already.

    volume: as it was when that was decided: Released by the claim, or of nobody.
    Raises TakenError where it is another's, or is not to be had any more.
    """
    found: Json = cluster.get(VOLUME.path("", volume.name))
    reference = mapping(mapping(found.get("spec")).get("claimRef"))
    is_free = volume.claim is None and not reference
    if not is_free and (reference.get("namespace"), reference.get("name")) != (claim.namespace, claim.name):
        raise TakenError(f"volume {volume.name} is another claim's now")
    if reference and not reference.get("uid"):
        return None
    policy = mapping(found.get("spec")).get("persistentVolumeReclaimPolicy")
    phase = mapping(found.get("status")).get("phase")
    known = volume.claim.uid if volume.claim else ""
    is_released = reference.get("uid") == known and phase == "Released" and policy == "Retain"
    if not is_free and not is_released:
        raise TakenError(f"volume {volume.name} has changed: it is {phase}, its policy is {policy}")
    if is_being_deleted(found):
        raise TakenError(f"volume {volume.name} is being deleted")
    return found


def kept_for(claim: Key) -> Json:
    """The reference to a claim by which a volume is kept for it, whatever UID it will have."""
    return {
        "apiVersion": CLAIM.api_version,
        "kind": CLAIM.kind,
        "namespace": claim.namespace,
        "name": claim.name,
    }


def claim_patch(volume: Json, reference: Mapping[str, Any]) -> Json:
    """A patch by which a volume, if it is still the same, names this claim; {}: none."""
    fields = {"uid": None, "resourceVersion": None, **reference} if reference else None
    return {"metadata": same(volume), "spec": {"claimRef": fields}}
