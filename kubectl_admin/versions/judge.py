"""The judgement on a cluster's versions: facts and upstream's table in, findings out. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding
from kubectl_admin.versions import rules
from kubectl_admin.versions.breaches import Breach
from kubectl_admin.versions.facts import Evidence, Facts, Instance
from kubectl_admin.versions.policy import minors_text
from kubectl_admin.versions.requirements import unmet
from kubectl_admin.versions.upstream import Upstream
from kubectl_admin.versions.version import Version


def judge(facts: Facts, found: Iterable[Breach], upstream: Upstream, today: date) -> list[Finding]:
    """All findings on the cluster as it is, those on the breaches that were found in it first."""
    return [
        *skew_findings(found),
        *disagreements(facts.instances),
        *not_restarted(facts.instances),
        *silent(facts.instances),
        *not_judged(facts.instances),
        *support(facts, upstream, today),
        *(unmet(facts, upstream, max(facts.apiserver_minors)) if facts.apiserver_minors else ()),
        *gaps(facts),
    ]


def skew_findings(found: Iterable[Breach]) -> list[Finding]:
    """The breaches as findings, those alike in one: 5,000 kubelets that are too old are one finding."""
    alike: dict[tuple[object, ...], list[Breach]] = defaultdict(list)
    for breach in found:
        version = breach.instance.effective
        key = (breach.rule, version, breach.allowed, breach.legal_if_local)
        alike[key].append(breach)
    return [_skew_finding(group) for group in alike.values()]


def _skew_finding(group: list[Breach]) -> Finding:
    breach = group[0]
    instance = breach.instance
    measure = "kubelet" if breach.rule is rules.KUBE_PROXY_KUBELET_SKEW else "kube-apiserver"
    evidence = f"beside {measure} {minors_text(breach.against)} it may be {breach.allowed}"
    if instance.emulates:
        evidence += f"; it counts as {instance.emulates.minor_text}, the version that it emulates"
    if breach.legal_if_local:
        evidence += (
            "; allowed if it talks to its own node's API server alone, as kubeadm sets it up: not seen"
        )
        evidence += " (--probe looks)" if instance.component is Component.KUBELET else ""
    components = dict.fromkeys(str(other.instance.component) for other in group)
    nodes = dict.fromkeys(f"node/{other.instance.node}" for other in group if other.instance.node)
    return breach.rule.violation(
        subject=f"{' and '.join(components)} {instance.effective}",
        evidence=evidence,
        fix=_fix(breach),
        objects=nodes,
    )


def _fix(breach: Breach) -> str:
    match breach.instance.component:
        case Component.APISERVER:
            return f"upgrade these API servers, minor by minor, to at least 1.{breach.allowed.oldest}"
        case Component.KUBECTL:
            return (
                f"use a kubectl of {breach.allowed}" if breach.allowed.oldest <= breach.allowed.newest else ""
            )
        case _ if breach.rule is rules.KUBE_PROXY_KUBELET_SKEW:
            return "upgrade the older one of kube-proxy and kubelet on these nodes"
        case _ if breach.newer:
            return _servers_first(breach)
        case Component.KUBELET:
            return f"drain these nodes and upgrade their kubelet to at least 1.{breach.allowed.oldest}"
        case _:
            return f"upgrade it to at least 1.{breach.allowed.oldest}"


def _servers_first(breach: Breach) -> str:
    """The fix for a component newer than its API servers."""
    oldest = min(breach.against)
    way = ", minor by minor" if breach.minor > oldest + 1 else ""
    command = f"kubectl admin drain-upgrade {breach.oldest_server} --to 1.{oldest + 1}"
    return f"upgrade the API servers to 1.{breach.minor} first{way}" + (
        f": {command}" if breach.oldest_server else ""
    )


def disagreements(instances: Iterable[Instance]) -> Iterator[Finding]:
    """Instances of which two sources give different versions, those alike in one finding."""
    alike: dict[tuple[Component, Evidence, Evidence], list[Instance]] = defaultdict(list)
    for instance in instances:
        if pair := instance.disagreement:
            alike[instance.component, *pair].append(instance)
    for (component, one, other), group in alike.items():
        yield rules.SOURCES_DISAGREE.warning(
            subject=str(component),
            evidence=f"{one.version} by {one.source}, {other.version} by {other.source}",
            fix="restart it if it was upgraded on disk; otherwise correct the image's tag",
            objects=tuple(f"node/{instance.node}" for instance in group if instance.node),
        )


def not_restarted(instances: Iterable[Instance]) -> Iterator[Finding]:
    """Instances of which the disk has another version than the one that runs, those alike in one finding."""
    alike: dict[tuple[Component, Version, Version], list[Instance]] = defaultdict(list)
    for instance in instances:
        if instance.installed and instance.version and instance.installed.version != instance.version:
            alike[instance.component, instance.version, instance.installed.version].append(instance)
    for (component, runs, installed), group in alike.items():
        yield rules.RESTART_PENDING.warning(
            subject=f"{component} {runs}",
            evidence=f"{installed} is installed on the node's disk, and {runs} still runs",
            fix=f"restart {component} there if the skew policy allows {installed}; a reboot would do it, too",
            objects=tuple(f"node/{instance.node}" for instance in group if instance.node),
        )


def silent(instances: Iterable[Instance]) -> Iterator[Finding]:
    """Instances that were asked and did not answer, those with the same reason in one finding."""
    alike: dict[tuple[Component, str], list[Instance]] = defaultdict(list)
    for instance in instances:
        if instance.problem:
            alike[instance.component, instance.problem].append(instance)
    for (component, problem), group in alike.items():
        claims = sorted({str(instance.claimed.version) for instance in group if instance.claimed})
        counted = f"judged by its image tag, {', '.join(claims)}" if claims else "not judged"
        yield rules.NO_ANSWER.warning(
            subject=str(component),
            evidence=f"{problem}; {counted}",
            objects=tuple(f"node/{instance.node}" for instance in group if instance.node),
        )


def not_judged(instances: Iterable[Instance]) -> Iterator[Finding]:
    """Instances that neither report their version nor have one in their image's tag, one for each kind."""
    alike: dict[Component, list[Instance]] = defaultdict(list)
    for instance in instances:
        # CoreDNS is measured by no rule.
        if instance.version is None and not instance.problem and instance.component is not Component.COREDNS:
            alike[instance.component].append(instance)
    for component, group in alike.items():
        asks = component in {Component.KUBELET, Component.KUBE_PROXY}
        yield rules.NOT_JUDGED.warning(
            subject=str(component),
            evidence=f"{len(group)} of them report no version, nor does their image's tag; not judged",
            fix=(
                "kubectl admin skew --probe asks it itself"
                if asks
                else "give its image a tag that is a version"
            ),
            objects=tuple(f"node/{instance.node}" for instance in group if instance.node),
        )


def support(facts: Facts, upstream: Upstream, today: date) -> Iterator[Finding]:
    """Whether the cluster's minors still get patches, and which patch is the newest known."""
    for minor in facts.apiserver_minors:
        window = upstream.support.get(minor)
        if window is None:
            yield rules.SUPPORT_UNKNOWN.note(
                subject=f"Kubernetes 1.{minor}",
                evidence=f"the table of {upstream.taken} does not know it",
                fix="update kubectl-admin, or give a newer table with --data",
            )
        elif window.end < today:
            yield rules.SUPPORT_ENDED.warning(
                subject=f"Kubernetes 1.{minor}",
                evidence=f"no patches since {window.end}, {(today - window.end).days} days ago",
                fix=f"upgrade to 1.{minor + 1}",
            )
        else:
            yield from _patches_behind(facts, minor, window.latest)


def _patches_behind(facts: Facts, minor: int, latest: Version) -> Iterator[Finding]:
    behind = [
        server
        for server in facts.of(Component.APISERVER)
        if server.version and server.version.minor == minor and server.version < latest
    ]
    if behind:
        yield rules.PATCH_BEHIND.note(
            subject=f"kube-apiserver {min(server.version for server in behind if server.version)}",
            evidence=f"{latest} is the latest patch known",
            fix=f"upgrade to {latest}",
        )


def gaps(facts: Facts) -> Iterator[Finding]:
    """All that was not looked at, so that silence is not taken for health."""
    return (gap.finding() for gap in facts.gaps)
