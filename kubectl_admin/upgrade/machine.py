"""Needs of an upgrade that a node's machine lacks. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from kubectl_admin.control_plane.component import ETCD
from kubectl_admin.control_plane.static_pods import LABEL
from kubectl_admin.finding import Finding, Gap
from kubectl_admin.node.workspace import STATE
from kubectl_admin.report.text import mib, mib_needed
from kubectl_admin.upgrade.facts import ClusterFacts, Disk, Role
from kubectl_admin.upgrade.next_start import NextStart
from kubectl_admin.upgrade.rules import CONTROL_PLANE_LABEL, DISK_FULL, NO_SYSTEMD, NOT_READY
from kubectl_admin.versions.requirements import unmet
from kubectl_admin.versions.upstream import Upstream

# kubeadm copies etcd's data directory there before it touches etcd.
# Source: kubernetes/kubernetes cmd/kubeadm/app/phases/upgrade/staticpods.go, performEtcdStaticPodUpgrade.
BACKUPS = "/etc/kubernetes"
# Bytes that the packages take, downloaded and unpacked, with some to spare.
DOWNLOADED, UNPACKED = 200 << 20, 400 << 20
# Bytes of a control plane's new images, packed and unpacked, and where each container runtime keeps them.
IMAGES = 700 << 20
IMAGE_DIRECTORIES = {"containerd": "/var/lib/containerd", "cri-o": "/var/lib/containers/storage"}


def machine(
    facts: ClusterFacts, disk: Disk, coming: NextStart, upstream: Upstream, minor: int
) -> Iterator[Finding]:
    """Needs of the minor and of the work itself that this node's machine lacks."""
    here = [
        replace(
            node,
            cgroup=disk.cgroup,
            cgroup_seen="/sys/fs/cgroup",
            allows_cgroup_v1=coming.allows_cgroup_v1,
        )
        for node in facts.versions.nodes
        if node.name == facts.node
    ]
    if disk.cgroup is None:
        yield Gap("the version of cgroup", "/sys/fs/cgroup does not exist").finding()
    yield from unmet(replace(facts.versions, nodes=tuple(here)), upstream, minor)
    if not disk.systemd:
        yield NO_SYSTEMD.violation(
            subject=f"node {facts.node}",
            evidence="this host runs without systemd",
            fix="upgrade this node by hand",
            objects=(f"node/{facts.node}",),
        )
    if not facts.ready:
        yield NOT_READY.violation(
            subject=f"node {facts.node}",
            evidence="the node is not Ready",
            fix=f"bring it back first; see kubectl describe node {facts.node}",
            objects=(f"node/{facts.node}",),
        )


def label(facts: ClusterFacts, disk: Disk, role: Role) -> Iterator[Finding]:
    """Whether the node would be upgraded as a worker, though its host runs a control plane.

    A Node object that was deleted comes back by its kubelet, which may not give it the label again. kubeadm
    itself goes by the manifest, and would move the static pods all the same.
    Source: kubernetes/kubernetes plugin/pkg/admission/noderestriction, getModifiedLabels;
    cmd/kubeadm/app/cmd/upgrade/node.go, newNodeData.
    """
    if role.control_plane or not disk.apiserver:
        return
    labelled = facts.node in facts.order
    yield CONTROL_PLANE_LABEL.violation(
        subject=f"node {facts.node}",
        evidence=(
            "its host has /etc/kubernetes/manifests/kube-apiserver.yaml, and "
            + (
                "the API shows no kube-apiserver of this node"
                if labelled
                else f"its Node lacks the label {LABEL}"
            )
        ),
        fix=(
            f"see the reason: kubectl -n kube-system get pods --field-selector spec.nodeName={facts.node}"
            if labelled
            else f"if it is a control plane: kubectl label node {facts.node} {LABEL}=; "
            "if not, move that file away"
        ),
        objects=(f"node/{facts.node}",),
    )


def space(facts: ClusterFacts, disk: Disk, role: Role) -> Iterator[Finding]:
    """Whether there is room for the packages, the images, and for kubeadm's copy of etcd's data.

    Needs on one file system are added up.
    """
    needs = {STATE: DOWNLOADED, "/usr": UNPACKED}
    if role.control_plane:
        needs[BACKUPS] = disk.etcd
        if ETCD in facts.flags and not disk.etcd:
            data = facts.etcd_data
            why = f"the host has no directory {data}" if data else "etcd reads its settings from a file"
            yield Gap("the size of etcd's data", why).finding()
        runtime = next((each.runtime for each in facts.versions.nodes if each.name == facts.node), "")
        if directory := IMAGE_DIRECTORIES.get(runtime.partition(":")[0]):
            needs[directory] = IMAGES
    by_device: dict[str, list[str]] = {}
    for directory in needs:
        if directory in disk.room:
            by_device.setdefault(disk.room[directory].device, []).append(directory)
        else:
            yield Gap(f"the free space in {directory}", "the host does not report it").finding()
    for directories in by_device.values():
        free, wanted = disk.room[directories[0]].free, sum(needs[directory] for directory in directories)
        if free < wanted:
            yield DISK_FULL.violation(
                subject=f"node {facts.node}: {', '.join(directories)}",
                evidence=f"{mib(free)} MiB are free, {mib_needed(wanted)} MiB are needed",
                fix=f"free some space there; kubeadm keeps old copies in {BACKUPS}",
                objects=(f"node/{facts.node}",),
            )
