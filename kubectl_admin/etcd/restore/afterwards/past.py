"""Debug pods of this program that a snapshot has brought back: privileged, and of runs that ended long ago.

That of etcd-snapshot is in the very snapshot that it has saved.
"""

from collections.abc import Collection
from datetime import datetime

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.node import leftovers
from kubectl_admin.node.leftovers import LeftPod
from kubectl_admin.report.text import some_of

RIGHTS = (Right("list", "pods"), Right("delete", "pods"))


def delete_debug_pods(cluster: Cluster, record: Record, own: Collection[str]) -> Done:
    """Deletes the debug pods that are older than the restore, whoever has made them, in every namespace.

    own: the ids of this run's operations. Raises AdminError, with all that could not be deleted, once all
    were tried.
    """
    gone: list[str] = []
    problems: list[str] = []
    for pod in leftovers.pods(cluster):
        if not is_of_the_past(pod, record, own):
            continue
        name = f"{pod.namespace}/{pod.name}"
        try:
            leftovers.delete_pod(cluster, pod)
        except AdminError as error:
            problems.append(f"pod {name}: {error.what}")
        else:
            gone.append(name)
    if problems:
        raise AdminError(some_of(problems, separator="; "), "see them with: kubectl admin cleanup")
    return Done(f"debug pods of the past deleted: {some_of(gone) if gone else 'there are none'}")


def is_of_the_past(pod: LeftPod, record: Record, own: Collection[str]) -> bool:
    """Whether a debug pod was made before the restore began. One whose time can't be read was not."""
    if pod.operation in own or pod.operation == record.id:
        return False
    try:
        created = datetime.fromisoformat(pod.created)
    except ValueError:
        return False
    return created.tzinfo is not None and created.timestamp() < record.began
