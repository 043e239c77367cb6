"""What stands in the way of a node's upgrade, found before anything is touched. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.upgrade import removed
from kubectl_admin.upgrade.facts import STATIC, Around, Disk, Role, Target
from kubectl_admin.versions.facts import Component, Evidence, Facts, Instance
from kubectl_admin.versions.judge import skew_findings
from kubectl_admin.versions.needs import etcd_gate, unmet
from kubectl_admin.versions.policy import breaches
from kubectl_admin.versions.upstream import Upstream
from kubectl_admin.versions.version import Version

# kubeadm copies etcd's data folder there before it touches etcd.
# Source: kubernetes/kubernetes cmd/kubeadm/app/phases/upgrade/staticpods.go, performEtcdStaticPodUpgrade.
BACKUPS = "/etc/kubernetes"
# Bytes that the packages take, downloaded and unpacked, with some to spare.
DOWNLOADED, UNPACKED = 200 << 20, 400 << 20


def gates(  # noqa: PLR0913 - all that is known
    around: Around,
    disk: Disk,
    role: Role,
    target: Target,
    upstream: Upstream,
    *,
    first: bool = False,
    drained: bool = True,
) -> list[Finding]:
    """Everything that forbids the node's way to the target, or that is worth a warning.

    first: this node may be the first control-plane node, though another one is older. drained: whether the
    node is to be drained.
    """
    version = target.version
    found = [
        *direction(around, disk, version),
        *order(around, role, version, first=first),
        *skew(around, role, version),
        *machine(around, disk, upstream, version.minor),
        *space(around, disk, role),
        *removed.findings(version.minor, flags(around, disk)),
        *(gap.finding() for gap in around.versions.gaps),
    ]
    if role.control_plane and not is_moved(around, version):
        found += [*etcd_gate(with_members(around), upstream, version.minor), *etcd_health(around)]
    if not drained and around.kubelet and around.kubelet.minor != version.minor:
        found.append(
            Finding(
                Severity.VIOLATION,
                "drain-needed",
                f"kubelet {around.kubelet} to {version}",
                "a node is drained before its kubelet goes to another minor",
                "--no-drain is for patches of the same minor",
                "leave --no-drain out",
                "https://kubernetes.io/releases/version-skew-policy/#kubelet-1",
                (f"node/{around.node}",),
            )
        )
    return found


def allowed(found: Sequence[Finding], names: Collection[str]) -> list[Finding]:
    """The findings with those violations as warnings whose rules a person has allowed by name."""
    return [
        replace(each, severity=Severity.WARNING)
        if each.rule in names and each.severity is Severity.VIOLATION
        else each
        for each in found
    ]


def direction(around: Around, disk: Disk, target: Version) -> Iterator[Finding]:
    """No way back, and no minor left out.

    Source: kubernetes/kubernetes cmd/kubeadm/app/phases/upgrade/policy.go; etcd can't be taken back at all.
    """
    here = (f"node/{around.node}",)
    own = around.own_apiserver.version if around.own_apiserver else None
    newest = max(filter(None, (own, around.kubelet, disk.kubelet)), default=None)
    if newest and target < newest:
        yield Finding(
            Severity.VIOLATION,
            "downgrade",
            f"{newest} to {target}",
            "Kubernetes is not taken back to an older version",
            f"node {around.node} has {newest}",
            "name this version or a later one with --to",
            "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/",
            here,
        )
    if own and target.minor > own.minor + 1:
        yield Finding(
            Severity.VIOLATION,
            "skipped-minor",
            f"{own.minor_text} to {target.minor_text}",
            "a control plane goes from one minor to the next",
            f"the API server of node {around.node} is at {own}",
            f"go to 1.{own.minor + 1} first: --to 1.{own.minor + 1}",
            "https://kubernetes.io/releases/version-skew-policy/#kube-apiserver-1",
            here,
        )


def order(around: Around, role: Role, target: Version, *, first: bool) -> Iterator[Finding]:
    """Which control-plane node has `kubeadm upgrade apply`: one that has begun with it, else the oldest."""
    if role is not Role.FIRST:
        return
    begun = [
        part.node
        for part in around.versions.of(*STATIC)
        if part.version == target and part.node and part.node != around.node
    ]
    if begun:
        why = f"node {begun[0]} is on its way to {target}, and has not come to its end"
        fix = f"end it there: kubectl admin drain-upgrade {begun[0]} --to {target}"
    elif first or not around.order or around.order[0] == around.node:
        return
    else:
        why = f"none is at {target} yet, and {around.order[0]} is the oldest control-plane node"
        begin = f"kubectl admin drain-upgrade {around.order[0]} --to {target}"
        fix = f"begin with it: {begin}; or here with --first"
    yield Finding(
        Severity.VIOLATION,
        "control-plane-order",
        f"node {around.node}",
        "one control-plane node goes first, with «kubeadm upgrade apply», and the others follow",
        why,
        fix,
        "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/",
        (f"node/{around.node}",),
    )


def skew(around: Around, role: Role, target: Version) -> list[Finding]:
    """What the skew policy would forbid once the node is there, and does not now."""
    known = {(breach.instance.component, breach.instance.node) for breach in breaches(around.versions)}
    after = moved(around.versions, around.node, target, role)
    # A kubelet or controller beside its own API server talks to that one alone, as kubeadm sets it up.
    new = [
        breach
        for breach in breaches(after)
        if (breach.instance.component, breach.instance.node) not in known and not breach.legal_if_local
    ]
    return skew_findings(new)


def moved(facts: Facts, node: str, target: Version, role: Role) -> Facts:
    """The facts once the node is at the target."""
    parts = {Component.KUBELET, *(STATIC if role.control_plane else ())}
    planned = Evidence(target, "the plan")
    return replace(
        facts,
        instances=tuple(
            replace(part, running=planned, emulates=None)
            if part.node == node and part.component in parts
            else part
            for part in facts.instances
        ),
    )


def with_members(around: Around) -> Facts:
    """The facts with every member of etcd's own list: also one of which no static pod is to be seen."""
    facts = around.versions
    seen = {part.node for part in facts.of(Component.ETCD)}
    unseen = [each for each in (around.etcd.members if around.etcd else ()) if each.node not in seen]
    parts = [
        Instance(
            Component.ETCD,
            each.node or each.title,
            running=Evidence.of(Version.find(each.status.version), "itself") if each.status else None,
        )
        for each in unseen
    ]
    return replace(facts, instances=(*facts.instances, *parts))


def machine(around: Around, disk: Disk, upstream: Upstream, minor: int) -> Iterator[Finding]:
    """What this node's machine lacks to run the minor, and what the work itself needs there."""
    here = [replace(node, cgroup=disk.cgroup) for node in around.versions.nodes if node.name == around.node]
    yield from unmet(replace(around.versions, nodes=tuple(here)), upstream, minor)
    if not disk.systemd:
        yield Finding(
            Severity.VIOLATION,
            "no-systemd",
            f"node {around.node}",
            "systemd keeps the work going while the connection is cut, and runs the kubelet",
            "this host runs without it",
            "upgrade it by hand",
            objects=(f"node/{around.node}",),
        )
    if not around.ready:
        yield Finding(
            Severity.VIOLATION,
            "not-ready",
            f"node {around.node}",
            "a node is upgraded while it works",
            "it is not Ready",
            f"bring it back first: kubectl describe node {around.node}",
            objects=(f"node/{around.node}",),
        )


def space(around: Around, disk: Disk, role: Role) -> Iterator[Finding]:
    """Whether there is room for the packages, and for kubeadm's copy of etcd's data."""
    needs = {"/var/cache": DOWNLOADED, "/usr": UNPACKED}
    if role.control_plane and disk.etcd:
        needs[BACKUPS] = disk.etcd + DOWNLOADED
    for folder, bytes_needed in needs.items():
        free = disk.free.get(folder)
        if free is not None and free < bytes_needed:
            yield Finding(
                Severity.VIOLATION,
                "disk-full",
                f"node {around.node}: {folder}",
                "packages, and kubeadm's copy of etcd's data, need their room",
                f"{free >> 20} MiB are free, and {bytes_needed >> 20} MiB are wanted",
                f"free some space there; kubeadm keeps old copies below {BACKUPS}",
                objects=(f"node/{around.node}",),
            )


def etcd_health(around: Around) -> Iterator[Finding]:
    """Whether etcd can spare this node's member while kubeadm restarts it."""
    state = around.etcd
    if state is None:
        return
    here = (f"node/{around.node}",)
    others = [member for member in state.voters if member.node != around.node]
    up = sum(member.up for member in others)
    if len(state.voters) > 1 and up < state.quorum:
        silent = ", ".join(member.title for member in others if not member.up)
        yield Finding(
            Severity.VIOLATION,
            "etcd-quorum",
            f"etcd without node {around.node}",
            "the other members make a quorum while this one is restarted",
            f"{up} of them answer, and {state.quorum} are needed; silent: {silent or '-'}",
            "bring them back first: kubectl admin etcd-status",
            objects=here,
        )
    alarms = sorted({str(alarm.kind) for alarm in state.alarms})
    if alarms:
        yield Finding(
            Severity.VIOLATION,
            "etcd-alarm",
            "etcd",
            "etcd is well before it is restarted",
            f"alarms are raised: {', '.join(alarms)}",
            "kubectl admin etcd-status says what to do",
            objects=here,
        )


def flags(around: Around, disk: Disk) -> dict[str, Mapping[str, str]]:
    """The flags really set on this node, by component; feature gates of the kubelet's file included."""
    kubelet = dict(disk.flags)
    gates_set = ",".join(f"{name}={value}" for name, value in disk.gates.items())
    # The flag comes last, since it wins over the file.
    written = ",".join(part for part in (gates_set, kubelet.get("feature-gates", "")) if part)
    if written:
        kubelet["feature-gates"] = written
    return {**around.flags, str(Component.KUBELET): kubelet}


def is_moved(around: Around, target: Version) -> bool:
    """Whether kubeadm's part is over on this node: its control plane runs the target, and is written so."""
    own = around.static_versions()
    written = around.versions.kubeadm
    return (
        bool(own)
        and all(version == target for version in own.values())
        and bool(written and written >= target)
    )
