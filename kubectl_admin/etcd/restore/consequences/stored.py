"""The snapshot's side of a restore, in one pass over its keys. Needs no cluster."""

from kubectl_admin.etcd.restore.consequences.collect import WANTED, Collector, Resource
from kubectl_admin.etcd.restore.consequences.facts import Side
from kubectl_admin.etcd.snapshot.latest import Latest
from kubectl_admin.etcd.stored.kinds import by_place
from kubectl_admin.etcd.stored.objects import objects


def side(latest: Latest, prefix: str = "/registry") -> Side:
    """The snapshot's side. latest: its living keys. prefix: kube-apiserver's --etcd-prefix.

    Raises AdminError where the file is not any more what it was.
    """
    collector, resources = Collector(), places()
    for one in objects(latest, prefix, *resources):
        collector.take(*resources[one.place], one.content)
    return collector.side()


def places() -> dict[str, Resource]:
    """Where the resources that are judged are stored below the prefix."""
    own = {(kind.group, kind.resource): place for place, kind in by_place().items()}
    return {own.get(resource, "/".join(resource)): resource for resource in WANTED}
