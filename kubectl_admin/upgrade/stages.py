"""The steps of a node's upgrade, and which of them are over. Pure.

All that is slow or may fail comes before the cordon, while the node still works: packages, a snapshot of
etcd, and kubeadm's own part, which touches no pod of a user. Only the kubelet's restart is between cordon
and uncordon.
"""

from kubectl_admin.plan import Step
from kubectl_admin.upgrade.facts import Around, Disk, Role, Target
from kubectl_admin.upgrade.gates import is_moved

PACKAGES, SNAPSHOT, KUBEADM = "packages", "snapshot", "kubeadm"
DRAIN, KUBELET, SETTLE = "drain", "kubelet", "settle"
PAID = (DRAIN, KUBELET, SETTLE)  # what the node's users notice


def stages(
    around: Around, disk: Disk, role: Role, target: Target, *, snapshot: bool, drain: bool
) -> tuple[Step, ...]:
    """The steps in their order; those that are over already say so.

    snapshot: whether etcd is to be saved first. drain: whether the node is to be drained.
    """
    node, version, package = around.node, target.version, target.package
    installed = disk.packages.installed
    kubeadm = installed.get("kubeadm") == package
    kubelet = all(installed.get(name) == package for name in ("kubelet", "kubectl"))
    running = around.kubelet == version
    over = is_moved(around, version) if role.control_plane else kubelet and running
    steps = [
        Step(PACKAGES, f"packages of {version} downloaded, kubeadm installed", node, kubeadm and kubelet)
    ]
    if role.control_plane and snapshot:
        steps.append(Step(SNAPSHOT, "snapshot of etcd, proven, on this machine", node, over))
    steps.append(Step(KUBEADM, kubeadm_title(role, target), node, over))
    if drain:
        steps.append(Step(DRAIN, "cordoned and drained", node, kubelet and running))
    steps.append(
        Step(
            KUBELET, f"kubelet and kubectl {version} installed, kubelet restarted", node, kubelet and running
        )
    )
    ends = around.mark.uncordon if around.mark else not around.cordoned
    title = "well at its version" + (", and uncordoned" if drain and ends else "")
    steps.append(Step(SETTLE, title, node, kubelet and running and over and not around.mark))
    return tuple(steps)


def kubeadm_title(role: Role, target: Target) -> str:
    """What kubeadm is asked to do."""
    if role is Role.FIRST:
        return f"kubeadm upgrade apply v{target.version}"
    return "kubeadm upgrade node" + (": its control plane" if role.control_plane else ": its configuration")
