"""Which nodes of a large cluster are asked. Pure."""

from datetime import datetime

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.facts import Node

NODES_ASKED = 200  # up to so many nodes all are asked
OTHERS_ASKED = 50  # of those that look well, above that
LEASE_AGE = 40.0  # seconds. Source: kubernetes/kubernetes pkg/kubelet/apis/config, NodeLeaseDurationSeconds


def choose(listed: Listed, now: datetime, *, all_nodes: bool) -> list[str]:
    """The names of the nodes that are asked: all up to NODES_ASKED, or where that is wanted.

    now: by the API server's clock, as far as it is known.

    Else those of the control plane, those that look bad, and OTHERS_ASKED others in turn by their names: each
    day goes on where the day before has ended.
    """
    if all_nodes or len(listed.nodes) <= NODES_ASKED:
        return [node.name for node in listed.nodes]
    first = [node.name for node in listed.nodes if node.is_control_plane or looks_bad(listed, node, now)]
    others = sorted({node.name for node in listed.nodes} - set(first))
    start = now.toordinal() * OTHERS_ASKED % max(len(others), 1)
    turn = (others[start:] + others[:start])[:OTHERS_ASKED]
    chosen = {*first, *turn}
    return [node.name for node in listed.nodes if node.name in chosen]


def looks_bad(listed: Listed, node: Node, now: datetime) -> bool:
    """Whether objects of the API already say that a node is not well."""
    ready = node.condition("Ready")
    if ready is None or ready.status != "True":
        return True
    renewed = node.lease.renewed if node.lease else None
    if renewed and (now - renewed).total_seconds() > LEASE_AGE:
        return True
    plans = listed.plans.get(node.name, ())
    proxies = [plan.process.pod for plan in plans if plan.process.component is Component.KUBE_PROXY]
    return any(pod is None or not pod.ready for pod in proxies)
