"""Who leads, by the Leases of the controller-manager and the scheduler. Pure."""

from kubectl_admin.health.facts import Facts, Process


def leads(facts: Facts, process: Process) -> bool:
    """Whether its leader's Lease names a process on its node as the holder."""
    lease = facts.leaders.get(process.component)
    return lease is not None and node_of_holder(lease.holder) == process.node


def node_of_holder(holder: str) -> str:
    """The node in a leader's identity: «cp-1_0f62c528-…» is on cp-1.

    Source: kubernetes/kubernetes cmd/kube-controller-manager/app/controllermanager.go: hostname, «_», a UUID.
    """
    return holder.rpartition("_")[0] or holder
