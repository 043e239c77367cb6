"""The steps of a node's upgrade, and which of them are over. Pure.

All that is slow or may fail comes before the cordon, while the node still works: packages, a snapshot of
etcd, and kubeadm's own part, which touches no pod of a user. Only the kubelet's restart is between cordon
and uncordon.

A step that was begun on the node is over when its own job has written so on the node's disk, whatever its
first signs are elsewhere: `kubeadm upgrade apply` moves the control plane in the second of its eight phases.
Where none was begun, the node may have been brought there by hand or made there, and its parts say so.
Source: kubernetes/kubernetes cmd/kubeadm/app/cmd/upgrade/{apply,node}.go.
"""

from kubectl_admin.plan import Step
from kubectl_admin.upgrade.facts import ClusterFacts, Disk, Mark, Role, Target
from kubectl_admin.upgrade.preflight import is_moved

PACKAGES, SNAPSHOT, KUBEADM = "packages", "snapshot", "kubeadm"
DRAIN, KUBELET, SETTLE = "drain", "kubelet", "settle"
PAID = (DRAIN, KUBELET, SETTLE)  # what the node's users notice
APPLY, NODE = "apply", "node"  # kubeadm's two commands for an upgrade
TO_DO, DONE, NOT_NEEDED = "to do", "done", "not needed"
NONE = "-"  # for an option that was not given


def steps(
    facts: ClusterFacts,
    disk: Disk,
    role: Role,
    target: Target,
    *,
    snapshot: bool,
    drain: bool,
) -> tuple[Step, ...]:
    """The steps in their order; those that are over already say so.

    snapshot: whether etcd is to be saved first. drain: whether the node is to be drained.
    """
    node, version = facts.node, target.version
    new = is_installed(disk, target) and is_ended(disk, PACKAGES, target.package)
    over = is_configured(facts, disk, role, target)
    runs = is_running(facts, disk, target) and is_ended(disk, KUBELET, target.package)
    names = " and ".join(name for name in disk.packages.installed if name != "kubeadm")
    found = [Step(PACKAGES, f"packages of {version} downloaded, kubeadm installed", node, new)]
    if role.control_plane and snapshot:
        found.append(Step(SNAPSHOT, "verified snapshot of etcd on this machine", node, over))
    found.append(Step(KUBEADM, kubeadm_title(disk, role, target, over=over), node, over))
    if drain:
        found.append(Step(DRAIN, "cordoned and drained", node, runs))
    found.append(Step(KUBELET, f"{names} {version} installed, kubelet restarted", node, runs))
    mark = mark_that_counts(facts, target)
    ends = mark.uncordon if mark else not facts.cordoned
    title = "Ready at its version" + (", and uncordoned" if drain and ends else "")
    found.append(Step(SETTLE, title, node, runs and over and not facts.mark and not disk.records))
    return tuple(found)


def mark_that_counts(facts: ClusterFacts, target: Target) -> Mark | None:
    """The mark of a run that was cut, whose cordon is still there; None for any other.

    On the way to another version it counts only where the drain beside it says that the cordon is its own:
    somebody else may have cordoned the node since an upgrade was given up.
    """
    mark = facts.mark
    if mark is None or not facts.cordoned:
        return None
    return mark if mark.target == str(target.version) or (mark.uncordon and facts.drained) else None


def mode(role: Role) -> str:
    """Which of kubeadm's commands a node of this role has."""
    return APPLY if role is Role.FIRST else NODE


def is_installed(disk: Disk, target: Target) -> bool:
    """Whether those of the packages that the node has are the target's."""
    installed = disk.packages.installed
    return {"kubeadm", "kubelet"} <= installed.keys() and set(installed.values()) == {target.package}


def is_running(facts: ClusterFacts, disk: Disk, target: Target) -> bool:
    """Whether the target's kubelet is installed, with the node's kubectl, and runs."""
    installed = disk.packages.installed
    others = {package for name, package in installed.items() if name != "kubeadm"}
    return "kubelet" in installed and others == {target.package} and target.version.is_release(facts.kubelet)


def is_ended(disk: Disk, step: str, package: str) -> bool:
    """Whether a step of packages was ended by its job, or none was begun here."""
    record = disk.records.get(step)
    return record is None or (record.target, record.exit_code) == (package, 0)


def is_configured(facts: ClusterFacts, disk: Disk, role: Role, target: Target) -> bool:
    """Whether all of kubeadm's phases are over on this node.

    Where the node has no record of them: only if the target's kubelet runs, which comes last also by hand,
    and its control plane is there. Add-ons say nothing of that: somebody else may keep them as they are.
    """
    record = disk.records.get(KUBEADM)
    if record is not None:
        modes = {APPLY, mode(role)}
        return record.target == f"v{target.version}" and record.mode in modes and record.exit_code == 0
    moved = is_moved(facts, target.version) if role.control_plane else True
    return moved and is_running(facts, disk, target)


def state(step: Step) -> str:
    """How far a step is, in words. One that only prepares another is not needed once that one is over."""
    if not step.done:
        return TO_DO
    return NOT_NEEDED if step.name in (SNAPSHOT, DRAIN) else DONE


def kubeadm_title(disk: Disk, role: Role, target: Target, *, over: bool) -> str:
    """kubeadm's task; where that is over, the task that it had, as far as that is known."""
    record = disk.kubeadm_record
    if over and record is None:
        part = "control plane" if role.control_plane else "configuration"
        return f"{part} of {target.version}"
    if record.mode == APPLY if over and record else role is Role.FIRST:
        return f"kubeadm upgrade apply v{target.version}"
    return "kubeadm upgrade node" + (": its control plane" if role.control_plane else ": its configuration")
