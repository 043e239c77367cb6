"""Findings that forbid a node's upgrade, before anything is changed. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from kubectl_admin.control_plane.component import Component
from kubectl_admin.etcd.members.rules import ETCD_QUORUM
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.upgrade import removed
from kubectl_admin.upgrade.facts import STATIC, ClusterFacts, Disk, Role, Target
from kubectl_admin.upgrade.machine import label, machine, space
from kubectl_admin.upgrade.next_start import next_start
from kubectl_admin.upgrade.rules import (
    CONTROL_PLANE_ORDER,
    COREDNS_RETURNS,
    DOWNGRADE,
    DRAIN_NEEDED,
    ETCD_ALARM,
    ETCD_LEARNER,
    KUBE_PROXY_RETURNS,
    SKIPPED_MINOR,
)
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Evidence, Facts, Instance, KubeadmConfig
from kubectl_admin.versions.judge import not_judged, silent, skew_findings
from kubectl_admin.versions.requirements import etcd_gate, etcd_minor
from kubectl_admin.versions.upstream import Upstream
from kubectl_admin.versions.version import Version

# The first minor whose kubeadm installs an add-on also where its ConfigMap is gone.
# Source: kubernetes/kubernetes cmd/kubeadm/app/cmd/phases/upgrade/addons.go, runKubeProxyAddon and
# runCoreDNSAddon; before cmd/kubeadm/app/phases/upgrade/postupgrade.go, PerformAddonsUpgrade.
ADDONS_COME_ANYWAY = 32


def findings(  # noqa: PLR0913 - all that is known
    facts: ClusterFacts,
    disk: Disk,
    role: Role,
    target: Target,
    upstream: Upstream,
    *,
    first: bool = False,
    drained: bool = True,
    kubeadm: bool = True,
) -> list[Finding]:
    """All that forbids the upgrade of the node to the target, or that is worth a warning.

    first: this node may be the first control-plane node, though another one is older. drained: whether the
    node is to be drained. kubeadm: whether its step is still to come.
    """
    version = target.version
    coming = next_start(facts, disk, kubeadm=kubeadm, control_plane=role.control_plane)
    found = [
        *direction(facts, disk, version),
        # A version that is refused is begun on no node.
        *(order(facts, disk, role, version, first=first) if target.package else ()),
        *skew(facts, role, version),
        *machine(facts, disk, coming, upstream, version.minor),
        *label(facts, disk, role),
        *space(facts, disk, role),
        *removed.findings(version.minor, coming.settings, etcd=etcd_minor(facts.versions, upstream)),
        *silent(facts.versions.instances),
        *not_judged(facts.versions.instances),
        *(gap.finding() for gap in (*facts.versions.gaps, *facts.gaps, *coming.gaps)),
        *(gap.finding() for gap in (facts.etcd.unanswered if facts.etcd else ())),
    ]
    if role.control_plane and kubeadm:
        found += addons_return(facts, version.minor)
    if role.control_plane and not is_moved(facts, version):
        found += [*etcd_gate(with_members(facts), upstream, version.minor), *etcd_health(facts)]
    if not drained and facts.kubelet and facts.kubelet.minor != version.minor:
        found.append(
            DRAIN_NEEDED.violation(
                subject=f"kubelet {facts.kubelet} to {version}",
                evidence="--no-drain is given, which is only for another patch of the same minor",
                fix="omit --no-drain",
                objects=(f"node/{facts.node}",),
            )
        )
    return found


def allow(found: Sequence[Finding], names: Collection[str]) -> list[Finding]:
    """The findings with those violations as warnings whose rules a person has allowed by name."""
    return [
        replace(each, severity=Severity.WARNING)
        if each.rule in names and each.severity is Severity.VIOLATION
        else each
        for each in found
    ]


def direction(facts: ClusterFacts, disk: Disk, target: Version) -> Iterator[Finding]:
    """No downgrade, and no minor left out.

    Source: kubernetes/kubernetes cmd/kubeadm/app/phases/upgrade/policy.go; etcd can't be taken back at all.
    """
    here = (f"node/{facts.node}",)
    own = facts.own_apiserver.version if facts.own_apiserver else None
    known = filter(None, (own, facts.kubelet, disk.kubelet))
    newest = max(known, key=lambda version: version.precedence, default=None)
    if newest and target.precedence < newest.precedence:
        yield DOWNGRADE.violation(
            subject=f"{newest} to {target}",
            evidence=f"node {facts.node} has {newest}",
            fix="name this version or a newer one with --to",
            objects=here,
        )
    if own and target.minor > own.minor + 1:
        yield SKIPPED_MINOR.violation(
            subject=f"{own.minor_text} to {target.minor_text}",
            evidence=f"the API server of node {facts.node} is at {own}",
            fix=f"upgrade to 1.{own.minor + 1} first: --to 1.{own.minor + 1}",
            objects=here,
        )


def order(facts: ClusterFacts, disk: Disk, role: Role, target: Version, *, first: bool) -> Iterator[Finding]:
    """Which control-plane node has `kubeadm upgrade apply`: one that has begun with it, else the oldest.

    Once it has written the version into kubeadm-config, the others follow, also before this one is done.
    """
    record = disk.kubeadm_record
    if role is not Role.FIRST or facts.is_written(target) or (record and record.is_apply(target)):
        return
    begun = [
        part.node
        for part in facts.versions.of(*STATIC)
        if target.is_met_by(part.version) and part.node and part.node != facts.node
    ]
    if begun:
        why = f"node {begun[0]} is being upgraded to {target}, and that is not finished"
        fix = f"finish it first: kubectl admin drain-upgrade {begun[0]} --to {target}"
    elif first or not facts.order or facts.order[0] == facts.node:
        return
    else:
        why = f"no control plane is at {target} yet, and {facts.order[0]} is the oldest control-plane node"
        begin = f"kubectl admin drain-upgrade {facts.order[0]} --to {target}"
        fix = f"begin with that node: {begin}; or begin here with --first"
    yield CONTROL_PLANE_ORDER.violation(
        subject=f"node {facts.node}",
        evidence=why,
        fix=fix,
        objects=(f"node/{facts.node}",),
    )


def skew(facts: ClusterFacts, role: Role, target: Version) -> list[Finding]:
    """Breaches of the skew policy once the node is there that are none now."""
    known = {(breach.instance.component, breach.instance.node) for breach in breaches(facts.versions)}
    after = moved(facts.versions, facts.node, target, role)
    # A kubelet or controller beside its own API server talks to that one alone, as kubeadm sets it up.
    new = [
        breach
        for breach in breaches(after)
        if (breach.instance.component, breach.instance.node) not in known and not breach.legal_if_local
    ]
    return skew_findings(new)


def moved(versions: Facts, node: str, target: Version, role: Role) -> Facts:
    """The facts once the node is at the target."""
    parts = {Component.KUBELET, *(STATIC if role.control_plane else ())}
    planned = Evidence(target, "the plan")
    return replace(
        versions,
        instances=tuple(
            replace(part, running=planned, emulates=None)
            if part.node == node and part.component in parts
            else part
            for part in versions.instances
        ),
    )


def with_members(facts: ClusterFacts) -> Facts:
    """The facts with every member of etcd's own list: also one of which no static pod is to be seen."""
    versions = facts.versions
    seen = {part.node for part in versions.of(Component.ETCD)}
    unseen = [each for each in (facts.etcd.members if facts.etcd else ()) if each.node not in seen]
    parts = [
        Instance(
            Component.ETCD,
            each.node or each.title,
            running=Evidence.of(Version.find(each.status.version), "itself") if each.status else None,
        )
        for each in unseen
    ]
    return replace(versions, instances=(*versions.instances, *parts))


def addons_return(facts: ClusterFacts, minor: int) -> Iterator[Finding]:
    """Which add-ons kubeadm is about to install that somebody has taken away."""
    config, proxy, dns = facts.versions.kubeadm_config or KubeadmConfig(), facts.proxy, facts.coredns
    addons = [
        (KUBE_PROXY_RETURNS, "DaemonSet kube-proxy", "proxy", proxy.present, config.proxy_disabled),
        (COREDNS_RETURNS, "Deployment coredns", "dns", dns.present, config.dns_disabled),
    ]
    configured = {"proxy": proxy.config is not None, "dns": dns.configured}
    for rule, name, part, present, disabled in addons:
        if present is not False or disabled or (minor < ADDONS_COME_ANYWAY and not configured[part]):
            continue
        yield rule.warning(
            subject=name.split()[-1],
            evidence=f"there is no {name}, and kubeadm's configuration does not disable the add-on",
            fix=f"set {part}.disabled: true in ConfigMap kube-system/kubeadm-config (v1beta4), or delete the "
            "add-on after the upgrade",
        )


def etcd_health(facts: ClusterFacts) -> Iterator[Finding]:
    """Whether etcd can spare this node's member while kubeadm restarts it."""
    state = facts.etcd
    if state is None:
        return
    here = (f"node/{facts.node}",)
    if any(member.learner for member in state.members if member.node == facts.node):
        yield ETCD_LEARNER.violation(
            subject=f"etcd on node {facts.node}",
            evidence="it is a learner that was not promoted",
            fix="promote it, or remove it and join it again; see kubectl admin etcd-status",
            objects=here,
        )
    if not state.listed:
        yield ETCD_QUORUM.violation(
            subject=f"etcd without node {facts.node}",
            evidence="no member has answered with the list of members",
            fix="see kubectl admin etcd-status for the reason",
            objects=here,
        )
    others = [member for member in state.voters if member.node != facts.node]
    up = sum(member.up for member in others)
    if len(state.voters) > 1 and up < state.quorum:
        silent = ", ".join(member.title for member in others if not member.up)
        first = "bring them back" if silent else "add a voting member"
        yield ETCD_QUORUM.violation(
            subject=f"etcd without node {facts.node}",
            evidence=f"{up} of {len(others)} other voters answer, {state.quorum} are needed"
            + (f"; no answer from {silent}" if silent else ""),
            fix=f"{first} first; see kubectl admin etcd-status",
            objects=here,
        )
    alarms = sorted({str(alarm.kind) for alarm in state.alarms})
    if alarms:
        yield ETCD_ALARM.violation(
            subject="etcd",
            evidence=f"alarms are raised: {', '.join(alarms)}",
            fix="clear them first; see kubectl admin etcd-status",
            objects=here,
        )


def is_moved(facts: ClusterFacts, target: Version) -> bool:
    """Whether kubeadm's part is over on this node: its control plane runs the target, and is written so."""
    own = facts.static_versions()
    return bool(own) and all(map(target.is_met_by, own.values())) and facts.is_written(target)
