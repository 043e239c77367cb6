"""Nodes and their Leases as their objects show them. Pure."""

from collections.abc import Iterable
from datetime import datetime

from kubectl_admin.cluster.decode import decode_moment, mapping, whole_number
from kubectl_admin.cluster.objects import Object
from kubectl_admin.control_plane.static_pods import LABEL
from kubectl_admin.drain.cordon import ANNOTATION, UPGRADE
from kubectl_admin.health.asking.pods import objects_in
from kubectl_admin.health.asking.read import conditions_of
from kubectl_admin.health.facts import Lease, Node

CORDON = "node.kubernetes.io/unschedulable"  # the taint that comes with it


def node_of(item: Object) -> Node:
    """A node by its object, without what comes of asking it."""
    metadata, spec, status = item["metadata"], mapping(item.get("spec")), mapping(item.get("status"))
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    taints = [one for one in objects_in(spec.get("taints")) if one.get("key") == CORDON]
    unschedulable = spec.get("unschedulable") is True
    mark = next((name for name in (UPGRADE, ANNOTATION) if name in annotations), "")
    addresses = {str(one.get("type")): str(one.get("address")) for one in objects_in(status.get("addresses"))}
    return Node(
        name=str(metadata["name"]),
        is_control_plane=LABEL in labels,
        conditions=conditions_of(item),
        unschedulable=unschedulable,
        cordoned=decode_moment(taints[0].get("timeAdded")) if taints else None,
        by=mark.replace("kubectl-admin/", "kubectl admin ") if unschedulable else "",
        kubelet=str(mapping(status.get("nodeInfo")).get("kubeletVersion") or ""),
        address=addresses.get("InternalIP") or next(iter(addresses.values()), ""),
        capacity=whole_number(mapping(status.get("capacity")).get("pods")),
        created=decode_moment(metadata.get("creationTimestamp")),
    )


def lease_of(item: Object, read: datetime | None = None) -> Lease:
    """A Lease by its object. read: when that was, by this machine's clock."""
    spec = mapping(item.get("spec"))
    duration = whole_number(spec.get("leaseDurationSeconds"))
    return Lease(
        name=str(item["metadata"]["name"]),
        holder=str(spec.get("holderIdentity") or ""),
        renewed=decode_moment(spec.get("renewTime")),
        duration=None if duration is None else float(duration),
        transitions=whole_number(spec.get("leaseTransitions")) or 0,
        acquired=decode_moment(spec.get("acquireTime")),
        strategy=str(spec.get("strategy") or ""),
        preferred=str(spec.get("preferredHolder") or ""),
        read=read,
    )


def wants_proxy(daemon_sets: Iterable[Object] | None, node: Object) -> bool:
    """Whether a DaemonSet of kube-proxy wants a pod on a node; no, where that can't be told."""
    labels = node["metadata"].get("labels") or {}
    for item in daemon_sets or ():
        spec = mapping(mapping(mapping(item.get("spec")).get("template")).get("spec"))
        wanted = mapping(spec.get("nodeSelector"))
        if not spec.get("affinity") and all(labels.get(name) == value for name, value in wanted.items()):
            return True
    return False
