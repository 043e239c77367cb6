"""The judgement on kubelets: their checks, their look at containers, their certificates. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime

from kubectl_admin.cluster.kubeconfig import parse_duration
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import UsageError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.ages import age
from kubectl_admin.health.components.checks import failed_checks
from kubectl_admin.health.components.series import observed, rise, samples, value
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Facts
from kubectl_admin.health.judge.states import Standing, standings
from kubectl_admin.report.text import some_of, span
from kubectl_admin.versions.rules import CGROUP_V1, RUNTIME_SUPPORT_ENDS

RUNTIME_FIRST = "look at the container runtime first: does crictl ps answer on the node?"
CERTIFICATES = (
    ("client", metrics.CLIENT_TTL, metrics.CLIENT_RENEW_ERRORS),
    ("serving", metrics.SERVER_TTL, metrics.SERVER_RENEW_ERRORS),
)
SIGNING_DURATION = "cluster-signing-duration"
DEFAULT_SIGNING = 8760 * 3600.0  # seconds; kubernetes/kubernetes pkg/controller/certificates/signer/config


def health(facts: Facts) -> Iterator[Finding]:
    """Kubelets that answer that they are not well."""
    for one in standings(facts, Component.KUBELET):
        if one.verdict.state is State.UNHEALTHY:
            stuck = "syncloop" in failed_checks(one.process, "/healthz")
            restart = f"systemctl restart kubelet on node {one.node.name}"
            yield rules.KUBELET_UNHEALTHY.violation(
                subject=one.subject,
                evidence=one.verdict.evidence,
                fix=f"{RUNTIME_FIRST} Then {restart}" if stuck else f"journalctl -u kubelet, then {restart}",
                objects=one.objects,
            )


def events(facts: Facts) -> Iterator[Finding]:
    """Kubelets that have not looked through their containers for minutes, or take long to do so."""
    for one in standings(facts, Component.KUBELET):
        seen = value(one.process, metrics.PLEG_SEEN)
        moment = datetime.fromtimestamp(seen, UTC) if seen and 0 < seen < 2**33 else None
        since = age(facts, one.node.name, moment) if moment else None
        slow = observed(one.process, metrics.RELIST_BUCKETS, rules.RELIST_SLOW).get("")
        if since and since.error is not None and since.is_above(rules.PLEG_LIMIT):
            yield rules.PLEG_STUCK.violation(
                subject=one.subject,
                evidence=f"it looked through its containers last {span(since.seconds)} ago",
                fix=RUNTIME_FIRST,
                objects=one.objects,
                since=moment,
            )
        elif (
            slow and facts.window and facts.window >= rules.WINDOW and slow.above > rules.SLOWEST * slow.count
        ):
            yield rules.PLEG_STUCK.warning(
                subject=one.subject,
                evidence=f"in {facts.window:.0f} s {slow.above:.0f} of {slow.count:.0f} looks through its "
                f"containers took longer than {rules.RELIST_SLOW:.0f} s",
                fix=RUNTIME_FIRST,
                objects=one.objects,
            )


def certificates(facts: Facts) -> Iterator[Finding]:
    """Certificates of kubelets that should have been renewed, and renewals that fail."""
    late = rules.LATE_RENEWAL * signing_duration(facts)
    for one in standings(facts, Component.KUBELET):
        for what, left, errors in CERTIFICATES:
            seconds = value(one.process, left)
            reasons = [] if seconds is None else [*_expiring(what, seconds, late)]
            if failed := rise(one.process, errors):
                reasons.append(f"{failed:.0f} renewals of its {what} certificate failed between two looks")
            if reasons:
                is_over = seconds is not None and seconds < min(rules.CERTIFICATE_VIOLATION, late)
                yield rules.KUBELET_CERTIFICATE.finding(
                    Severity.VIOLATION if is_over else Severity.WARNING,
                    subject=one.subject,
                    evidence=", ".join(reasons),
                    fix="kubectl admin certs csr shows whether its requests wait; else look at its log",
                    objects=one.objects,
                )


def signing_duration(facts: Facts) -> float:
    """Seconds for which the controller-managers sign certificates: the least of them, a year by default."""
    given = [
        seconds
        for node in facts.nodes
        if (process := node.process(Component.CONTROLLER_MANAGER))
        if (seconds := _seconds(process.flags.get(SIGNING_DURATION, "")))
    ]
    return min(given, default=DEFAULT_SIGNING)


def ageing(facts: Facts) -> Iterator[Finding]:
    """Nodes whose runtime or cgroups a later kubelet does not support; one finding for all that are alike."""
    losing: dict[str, list[Standing]] = {}
    old = []
    for one in standings(facts, Component.KUBELET):
        for sample in samples(one.process, metrics.LOSING_SUPPORT):
            losing.setdefault(sample.labels.get("version", ""), []).append(one)
        if value(one.process, metrics.CGROUP_VERSION) == 1.0:
            old.append(one)
    for version, found in sorted(losing.items()):
        yield RUNTIME_SUPPORT_ENDS.note(
            subject=f"the container runtime of {some_of([one.node.name for one in found])}",
            evidence=f"kubelets of {version or 'a later version'} do not support it any more",
            fix="upgrade containerd or CRI-O before the kubelet",
            objects=_objects(found),
        )
    if old:
        yield CGROUP_V1.note(
            subject=f"cgroups of {some_of([one.node.name for one in old])}",
            evidence="version 1",
            fix="boot them with cgroup v2 (systemd.unified_cgroup_hierarchy=1)",
            objects=_objects(old),
        )


def _expiring(what: str, seconds: float, late: float) -> Iterator[str]:
    """That a kubelet's certificate should have been renewed, in words; it does so at 70 to 90 % of its time.

    Source: client-go util/certificate/certificate_manager.go, nextRotationDeadline.
    """
    if seconds < min(rules.CERTIFICATE_WARNING, late):
        when = f"expires in {span(seconds)}" if seconds > 0 else f"expired {span(-seconds)} ago"
        yield f"its {what} certificate {when}"


def _seconds(duration: str) -> float | None:
    try:
        return parse_duration(duration) if duration else None
    except UsageError:
        return None


def _objects(found: list[Standing]) -> tuple[str, ...]:
    return tuple(name for one in found for name in one.objects)
