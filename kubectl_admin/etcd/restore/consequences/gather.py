"""The live side of a restore: a few listings, page by page, each object reduced at once."""

from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.etcd.restore.consequences.collect import (
    ADDRESSES,
    ATTACHMENTS,
    BOTH,
    CONTENTS,
    DATABASES,
    NODES,
    VOLUMES,
    Collector,
    Resource,
)
from kubectl_admin.etcd.restore.consequences.facts import Side

RIGHTS = tuple(Right("list", resource, group=group) for group, resource in BOTH)
# Custom resources are asked for by the version that their makers serve for good.
VERSIONS = {
    NODES: "v1",
    VOLUMES: "v1",
    ATTACHMENTS: "v1",
    CONTENTS: "v1",
    DATABASES: "v1",
    ("crd.projectcalico.org", "ipamblocks"): "v1",
    ("cilium.io", "ciliumnodes"): "v2",
}
PAGE = 100  # objects asked for at a time: Nodes with their images are large


def gather(cluster: Cluster) -> Side:
    """The live side. Raises AdminError, which names the rights that are missing."""
    collector = Collector()
    with explained(cluster, RIGHTS):
        for resource in BOTH:
            take(cluster, collector, resource)
    return collector.side()


def take(cluster: Cluster, collector: Collector, resource: Resource) -> None:
    """Takes the objects of a resource; none where the cluster does not know it."""
    group, name = resource
    try:
        for item in cluster.list(path_of(resource), page=1 if resource in ADDRESSES else PAGE):
            collector.take(group, name, item)
            if resource in ADDRESSES:
                return
    except NotFound:
        return


def path_of(resource: Resource) -> str:
    """Where the API lists a resource."""
    group, name = resource
    return f"/apis/{group}/{VERSIONS[resource]}/{name}" if group else f"/api/{VERSIONS[resource]}/{name}"
