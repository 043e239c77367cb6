"""A side of a restore, put together object by object: each is reduced at once, so that any number fits.

collector = Collector()
for stored in objects_of_a_snapshot(WANTED):
    collector.take(stored.group, stored.resource, stored.content)
old = collector.side()
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import Object, ObjectName, name_of
from kubectl_admin.etcd.restore.consequences import read
from kubectl_admin.etcd.restore.consequences.facts import (
    Attachment,
    Content,
    Database,
    Hook,
    Node,
    Side,
    Volume,
)
from kubectl_admin.pool import ODD

Resource = tuple[str, str]  # group and resource

NODES: Resource = ("", "nodes")
VOLUMES: Resource = ("", "persistentvolumes")
SERVICES: Resource = ("", "services")
ATTACHMENTS: Resource = ("storage.k8s.io", "volumeattachments")
SLICES: Resource = ("discovery.k8s.io", "endpointslices")
CONTENTS: Resource = ("snapshot.storage.k8s.io", "volumesnapshotcontents")
DATABASES: Resource = ("postgresql.cnpg.io", "clusters")
# By which networks keep the addresses of pods.
ADDRESSES: dict[Resource, str] = {
    ("crd.projectcalico.org", "ipamblocks"): "Calico's IPAMBlock",
    ("cilium.io", "ciliumnodes"): "Cilium's CiliumNode",
}
HOOKS: dict[Resource, str] = {
    ("admissionregistration.k8s.io", f"{kind}s"): kind
    for kind in ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")
}
WORKLOADS: dict[Resource, str] = {
    ("apps", "deployments"): "deployment",
    ("apps", "statefulsets"): "statefulset",
    ("apps", "daemonsets"): "daemonset",
    ("batch", "cronjobs"): "cronjob",
    ("batch", "jobs"): "job",
}
# Both sides' objects, and those that only the snapshot is asked for.
BOTH = (NODES, VOLUMES, ATTACHMENTS, CONTENTS, DATABASES, *ADDRESSES)
WANTED = (*BOTH, SERVICES, SLICES, *HOOKS, *WORKLOADS)
SHOWN = 3  # workloads that are named of those that need an image


class Collector:
    """Takes the objects of a side in any order; `side` gives it."""

    def __init__(self) -> None:
        self._nodes = dict[str, Node]()
        self._volumes = list[Volume]()
        self._contents = list[Content]()
        self._attachments = list[Attachment]()
        self._hooks = list[Hook]()
        self._endpoints = defaultdict[ObjectName, set[str]](set)
        self._elsewhere = set[ObjectName]()
        self._databases = dict[ObjectName, Database]()
        self._templates = dict[str, list[str]]()
        self._images = set[str]()
        self._cut = list[str]()
        self._address_kinds = dict[str, None]()
        self._unread = Counter[str]()
        self._takers: dict[Resource, Callable[[Any], None]] = {
            NODES: self._node,
            VOLUMES: lambda item: self._volumes.append(read.volume_of(item)),
            CONTENTS: lambda item: self._contents.append(read.content_of(item)),
            ATTACHMENTS: lambda item: self._attachments.append(read.attachment_of(item)),
            SERVICES: self._service,
            SLICES: self._slice,
            DATABASES: self._database,
        }

    def take(self, group: str, resource: str, item: Object | None) -> None:
        """Takes an object of a resource; of one that is not in WANTED nothing. None: it could not be read."""
        kind = (group, resource)
        if kind not in WANTED:
            return
        try:
            if item is not None:
                self._take(kind, item)
                return
        except ODD:
            pass  # an object of a snapshot has passed no API server: it counts as unread
        self._unread[f"{resource}.{group}".rstrip(".")] += 1

    def _take(self, kind: Resource, item: Object) -> None:
        if kind in HOOKS:
            self._hooks += read.hooks_of(HOOKS[kind], item)
        elif kind in ADDRESSES:
            self._address_kinds[ADDRESSES[kind]] = None
        elif kind in WORKLOADS:
            self._workload(WORKLOADS[kind], item)
        else:
            self._takers[kind](item)

    def side(self) -> Side:
        """All that was taken."""
        return Side(
            nodes=self._nodes,
            volumes=tuple(self._volumes),
            contents=tuple(self._contents),
            attachments=tuple(self._attachments),
            hooks=tuple(self._hooks),
            endpoints={name: frozenset(nodes) for name, nodes in self._endpoints.items()},
            elsewhere=frozenset(self._elsewhere),
            databases=self._databases,
            templates={image: tuple(names) for image, names in self._templates.items()},
            images=frozenset(self._images),
            cut=tuple(self._cut),
            address_kinds=tuple(self._address_kinds),
            unread=dict(self._unread),
        )

    def _node(self, item: Object) -> None:
        node = read.node_of(item)
        self._nodes[node.name] = node
        held, more = read.images_of(item)
        self._images |= held
        if more:
            self._cut.append(node.name)

    def _service(self, item: Object) -> None:
        if mapping(item.get("spec")).get("type") == "ExternalName":
            self._elsewhere.add(name_of(item))

    def _slice(self, item: Object) -> None:
        if found := read.endpoints_of(item):
            name, nodes = found
            if nodes:
                self._endpoints[name] |= nodes

    def _database(self, item: Object) -> None:
        database = read.database_of(item)
        self._databases[database.name] = database

    def _workload(self, kind: str, item: Object) -> None:
        # A Job of a CronJob is named by that.
        owned = kind == "job" and item["metadata"].get("ownerReferences")
        for image in () if owned else read.template_images(item):
            named = self._templates.setdefault(image, [])
            if len(named) <= SHOWN:
                named.append("/".join((kind, *name_of(item))))
