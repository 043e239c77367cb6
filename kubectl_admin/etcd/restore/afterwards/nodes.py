"""Node objects after a restore: those of nodes that joined since are recreated; nodes that left are cordoned.

A kubelet registers its node once, when it starts, and afterwards only reports the state of an object that is
there. Source: kubernetes/kubernetes pkg/kubelet/kubelet_node_status.go, registerWithAPIServer and
tryUpdateNodeStatus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import MERGE_PATCH, Cluster
from kubectl_admin.cluster.decode import decode_moment, mapping
from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.etcd.restore.afterwards.facts import Done
from kubectl_admin.etcd.restore.before import Before
from kubectl_admin.etcd.restore.consequences import rules
from kubectl_admin.etcd.restore.consequences.facts import Network, Node
from kubectl_admin.etcd.restore.consequences.nodes import free_ranges
from kubectl_admin.etcd.restore.consequences.read import node_of, parts, ranges_of
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.report.text import some_of

NODES = "/api/v1/nodes"
RIGHTS = tuple(Right(verb, "nodes") for verb in ("get", "list", "create", "patch"))
# Names the operation that has made a Node again or cordoned it: that is done once, whatever comes later.
MARK = "kubectl-admin/restore"
PAGE = 100  # objects asked for at a time: they are large
TRIES = 20  # against others who write to the same node, as its kubelet does
# The node lifecycle controller sets and removes these by the conditions of a node.
# Source: kubernetes/api core/v1 well_known_taints.go.
LIFECYCLE = {
    f"node.kubernetes.io/{name}"
    for name in (
        "not-ready",
        "unreachable",
        "unschedulable",
        "memory-pressure",
        "disk-pressure",
        "pid-pressure",
        "network-unavailable",
    )
}


@dataclass(frozen=True, slots=True)
class Present:
    """A Node object that is there. created: None where it does not say. mark: of the operation, or ""."""

    node: Node
    created: datetime | None
    mark: str


def present_nodes(cluster: Cluster) -> dict[str, Present]:
    """All Node objects that are there, each reduced at once."""
    return {
        item["metadata"]["name"]: Present(
            node_of(item),
            decode_moment(item["metadata"].get("creationTimestamp")),
            str(mapping(item["metadata"].get("annotations")).get(MARK) or ""),
        )
        for item in cluster.list(NODES, page=PAGE)
    }


def missing(before: Before, present: Mapping[str, Present]) -> list[dict[str, Any]]:
    """The Node objects of before that are to be made again: not there, or registered by a kubelet since,
    without whatever others had given to it.

    An object of the same name that is older than the one of before is the snapshot's, and counts.
    """
    found = []
    for item in before.nodes():
        there = present.get(item["metadata"]["name"])
        if there is None or (there.mark != before.record.id and is_newer(there, item)):
            found.append(item)
    return found


def is_newer(there: Present, item: Mapping[str, Any]) -> bool:
    """Whether a Node object was made after another one of that name."""
    made = decode_moment(item["metadata"].get("creationTimestamp"))
    another = there.node.uid != item["metadata"].get("uid")
    return another and there.created is not None and made is not None and there.created > made


def make_again(cluster: Cluster, record: Record, item: Mapping[str, Any], others: dict[str, Node]) -> Done:
    """Makes the Node object of before again, or gives one that its kubelet has made all that it had.

    others: all Node objects that are there; this one is among them afterwards. Raises AdminError.
    """
    name = str(item["metadata"]["name"])
    wanted = tuple(ranges_of(item))
    kept = free_ranges(name, wanted, {one: node for one, node in others.items() if one != name})
    body = recreated(item, kept, record.id)
    try:
        made = cluster.post(NODES, body)
    except Conflict:
        made = complete(cluster, record, body)
    others[name] = node_of(made)
    if others[name].ranges == wanted or not wanted:
        return Done(f"node {name} has its object again")
    now = ", ".join(map(str, others[name].ranges)) or "a new one"
    return Done(
        f"node {name} has its object again, with another range for its pods",
        (
            rules.POD_RANGES_OVERLAP.warning(
                subject=f"node {name}",
                evidence=f"its pods' addresses are of {', '.join(map(str, wanted))}, which is another"
                f" node's; its range is {now}",
                fix=f"drain it, restart its network's pod and its kubelet, and uncordon it: node {name}",
                objects=[f"node/{name}"],
            ),
        ),
    )


def recreated(item: Mapping[str, Any], ranges: tuple[Network, ...], operation: str) -> dict[str, Any]:
    """The Node to be made out of the one of before: never its status, which is its kubelet's to report."""
    metadata, spec = item["metadata"], mapping(item.get("spec"))
    fresh: dict[str, Any] = {}
    if ranges:
        fresh |= {"podCIDR": str(ranges[0]), "podCIDRs": [str(one) for one in ranges]}
    if spec.get("providerID"):
        fresh["providerID"] = spec["providerID"]
    if spec.get("unschedulable") is True:
        fresh["unschedulable"] = True
    if taints := [taint for taint in parts(spec.get("taints")) if taint.get("key") not in LIFECYCLE]:
        fresh["taints"] = taints
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": metadata["name"],
            "labels": metadata.get("labels") or {},
            "annotations": {**(metadata.get("annotations") or {}), MARK: operation},
        },
        "spec": fresh,
    }


def complete(cluster: Cluster, record: Record, body: Mapping[str, Any]) -> dict[str, Any]:
    """Gives a Node that is there what it lacks of the body; what it has stays. Returns it as it is then."""
    path, tries = f"{NODES}/{body['metadata']['name']}", 0
    while True:
        there: dict[str, Any] = cluster.get(path)
        if mapping(there["metadata"].get("annotations")).get(MARK) == record.id:
            return there
        try:
            done: dict[str, Any] = cluster.patch(path, completion(there, body), MERGE_PATCH)
        except Conflict:
            tries += 1
            if tries == TRIES:
                raise
        else:
            return done


def completion(there: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """The patch of this version of a Node. Ranges of pods' addresses can be set once, and never changed."""
    metadata, spec = there["metadata"], mapping(there.get("spec"))
    wanted = body["spec"]
    has = list(parts(spec.get("taints")))
    known = {(one.get("key"), one.get("effect")) for one in has}
    more = [one for one in wanted.get("taints", ()) if (one.get("key"), one.get("effect")) not in known]
    change = {name: value for name, value in wanted.items() if name not in ("taints", "podCIDR", "podCIDRs")}
    if more:
        change["taints"] = [*has, *more]
    if not spec.get("podCIDR") and "podCIDR" in wanted:
        change |= {"podCIDR": wanted["podCIDR"], "podCIDRs": wanted["podCIDRs"]}
    if spec.get("providerID"):
        change.pop("providerID", None)
    lacking = {
        field: {
            key: value
            for key, value in body["metadata"][field].items()
            if key not in (metadata.get(field) or {}) or key == MARK
        }
        for field in ("labels", "annotations")
    }
    return {"metadata": {"resourceVersion": metadata["resourceVersion"], **lacking}, "spec": change}


def cordon_left(cluster: Cluster, record: Record) -> Done:
    """Cordons the nodes that have left; one that this restore has cordoned already is left as it is.

    Raises AdminError for the first that can't be cordoned.
    """
    back = [name for name in record.left if cordon(cluster, record, name)]
    if not back:
        return Done("no node that has left is back")
    return Done(
        f"cordoned: {len(back):,} nodes that have left",
        (
            rules.NODE_LEFT.warning(
                subject=f"nodes that have left: {some_of(back)}",
                evidence="their objects are back out of the snapshot, and are cordoned",
                fix=f"where the machine is gone for good: kubectl delete node {' '.join(back)}",
                objects=[f"node/{name}" for name in back],
            ),
        ),
    )


def cordon(cluster: Cluster, record: Record, name: str) -> bool:
    """Cordons a node that has left; False where it is not there."""
    path = f"{NODES}/{name}"
    try:
        metadata = cluster.get(path)["metadata"]
        if mapping(metadata.get("annotations")).get(MARK) != record.id:
            body = {"metadata": {"annotations": {MARK: record.id}}, "spec": {"unschedulable": True}}
            cluster.patch(path, body, MERGE_PATCH)
    except NotFound:
        return False
    return True
