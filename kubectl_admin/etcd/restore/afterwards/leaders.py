"""The Leases of controller-manager and scheduler: those of the past hold the present ones up for 15 s.

Source: client-go tools/leaderelection: who finds a Lease waits for its duration, whoever holds it.
"""

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane.component import CONTROLLER_MANAGER, SCHEDULER
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.record import Record

GROUP = "coordination.k8s.io"
LEASES = f"/apis/{GROUP}/v1/namespaces/{KUBE_SYSTEM}/leases"
RIGHTS = tuple(Right(verb, "leases", KUBE_SYSTEM, GROUP) for verb in ("get", "delete"))


def release(cluster: Cluster, record: Record) -> Done:
    """Deletes the two Leases as the snapshot had them; one that was written since has its leader, and stays.

    Raises AdminError where that can't be done.
    """
    return Done("; ".join(release_one(cluster, record, name) for name in (CONTROLLER_MANAGER, SCHEDULER)))


def release_one(cluster: Cluster, record: Record, name: str) -> str:
    """The same for one; what was found, in words."""
    path = f"{LEASES}/{name}"
    try:
        metadata = cluster.get(path)["metadata"]
        if record.has_changed(metadata.get("resourceVersion")):
            return f"{name} leads already"
        known = {key: metadata[key] for key in ("uid", "resourceVersion")}
        cluster.delete(path, {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": known})
    except NotFound:
        return f"{name} had no Lease"
    except Conflict:
        return f"{name} has just become the leader"
    return f"the old Lease of {name} is deleted"
