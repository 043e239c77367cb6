"""Whether the cluster that answers is the restored one: nothing below may ever be done to another."""

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.record import Record

RIGHTS = (Right("list", "namespaces"),)


def refuse_other(cluster: Cluster, record: Record) -> None:
    """Raises AdminError unless the API is that of the record's cluster, and serves the restored data.

    The UID of kube-system is a cluster's for life. Revisions of the restored etcd begin above all of before.
    """
    found = cluster.get("/api/v1/namespaces", [("fieldSelector", f"metadata.name={KUBE_SYSTEM}")])
    uids = [item["metadata"].get("uid") for item in found.get("items") or ()]
    # A snapshot that does not tell its cluster was restored by --force-other-cluster: revisions tell, then.
    if len(uids) != 1 or (record.cluster and uids != [record.cluster]):
        raise AdminError(
            f"{cluster.server} is not the cluster of restore {record.id}: namespace {KUBE_SYSTEM} is another",
            "choose the right --context, or another directory",
        )
    version = mapping(found.get("metadata")).get("resourceVersion")
    # The restored etcd has not been written to yet, or it has: never is it below.
    if version != str(record.base) and not record.has_changed(version):
        raise AdminError(
            f"{cluster.server} does not serve the restored data: its revision is {version}, and theirs begin"
            f" at {record.base}",
            "see how far each node is: kubectl admin etcd-restore --status",
        )
