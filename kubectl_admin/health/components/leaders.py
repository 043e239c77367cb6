"""Who leads, by the Leases of the controller-manager and the scheduler. Pure."""

from kubectl_admin.health.facts import Facts, Node, Process


def leads(facts: Facts, process: Process) -> bool:
    """Whether its leader's Lease names a process on its node as the holder."""
    lease = facts.leaders.get(process.component)
    node = holding_node(facts, lease.holder) if lease else None
    return node is not None and node.name == process.node


def node_of_holder(holder: str) -> str:
    """The host in a leader's identity: «cp-1_0f62c528-…» is on cp-1.

    Source: kubernetes/kubernetes cmd/kube-controller-manager/app/controllermanager.go: hostname, «_», a UUID.
    """
    return holder.rpartition("_")[0] or holder


def holding_node(facts: Facts, holder: str) -> Node | None:
    """The node of a leader's identity; None where no node is like it.

    A node may have its host's name with or without the domain, or another one (kubeadm --node-name).
    """
    host = node_of_holder(holder).lower()
    exact = next((node for node in facts.nodes if node.name.lower() == host), None)
    if exact or not host:
        return exact
    short = [node for node in facts.nodes if _first_label(node.name) == _first_label(host)]
    return short[0] if len(short) == 1 else None


def _first_label(name: str) -> str:
    return name.lower().partition(".")[0]
