"""Storage and its objects after a restore, in three lists: the objects of now against those of before."""

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.consequences.collect import ATTACHMENTS, CONTENTS, VOLUMES, Collector
from kubectl_admin.etcd.restore.consequences.gather import take
from kubectl_admin.etcd.restore.consequences.volumes import named, strays

RESOURCES = (VOLUMES, CONTENTS, ATTACHMENTS)
RIGHTS = tuple(Right("list", resource, group=group) for group, resource in RESOURCES)


def name_strays(cluster: Cluster, before: Before) -> Done:
    """Names storage without an object, objects without storage, and attachments of the past.

    Raises AdminError where these can't be listed, or the record of before can't be read.
    """
    now, then = Collector(), Collector()
    for resource in RESOURCES:
        take(cluster, now, resource)
    for (group, name), item in before.volumes():
        then.take(group, name, item)
    found = strays(now.side(), then.side())
    counts = {"without an object": found.orphans, "without storage": found.dangling, "stale": found.stale}
    words = [f"{len(items):,} {what}" for what, items in counts.items() if items]
    file = str(before.directory / "volumes.json")
    return Done(f"volumes: {', '.join(words) or 'as before'}", tuple(named(found, file)))
