"""The judgement on API servers, the balancer before them, their requests and their clients. Pure."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.checks import failed_checks, health_replies
from kubectl_admin.health.components.series import limit_of, rise, samples
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Balancer, Endpoint, Facts, NoReply, Process, Reply, Sample, Why
from kubectl_admin.health.judge.states import Standing, is_told, standings
from kubectl_admin.report.text import some_of
from kubectl_admin.versions.version import Version

SERVER_ERROR = 500  # the least status of an answer that tells of a failure of the server
POD_LOG = "kubectl -n kube-system logs kube-apiserver-{node}"


def instances(facts: Facts) -> Iterator[Finding]:
    """API servers that answer that they are not live or not ready, with advice by the check that fails."""
    for one in standings(facts, Component.APISERVER):
        if one.verdict.state is State.UNHEALTHY:
            yield rules.APISERVER_UNHEALTHY.violation(
                subject=one.subject,
                evidence=one.verdict.evidence,
                fix=_advice(facts, one),
                objects=one.objects,
                since=one.unready_since,
            )


def balancer(facts: Facts) -> Iterator[Finding]:
    """The addresses of the kubeconfig and of --server, where instances behind them are ready."""
    known = list(standings(facts, Component.APISERVER))
    well = [one.node.name for one in known if one.verdict.is_well]
    bad = [one.node.name for one in known if one.verdict.is_told]
    if not well:
        return  # the instances have their own findings
    for one in (facts.balancer, facts.bypassed):
        if one and (seen := _not_ready(one)):
            ready = f"{seen}; the API servers on {some_of(well)} are ready"
            is_silent = one is facts.bypassed and isinstance(one.reply, NoReply)
            yield _bypassed(one, ready) if is_silent else _balancer(one, ready, bad)


def _balancer(one: Balancer, ready: str, bad: list[str]) -> Finding:
    """On an address that leads to something that is not ready. bad: the nodes of API servers that are not."""
    if bad:
        return rules.BALANCER_UNHEALTHY.warning(
            subject=f"balancer {one.server}",
            evidence=f"{ready}, those on {some_of(bad)} are not",
            fix="let the balancer check /readyz over HTTPS: it should leave out what is not ready",
        )
    return rules.BALANCER_UNHEALTHY.violation(
        subject=f"balancer {one.server}",
        evidence=ready,
        fix="look at the balancer: its backends, and that it checks /readyz over HTTPS",
    )


def _bypassed(one: Balancer, ready: str) -> Finding:
    """On an address of the kubeconfig at which nobody answers, and that --server leads past.

    It may be out of reach for this machine alone; one that refuses has been reached.
    """
    return rules.BALANCER_UNHEALTHY.finding(
        Severity.WARNING if _is_refused(one) else Severity.NOTE,
        subject=f"the kubeconfig's address {one.server}",
        evidence=ready,
        fix="look at the balancer there: whoever goes by it, as kubelets may, reaches no API server",
    )


def errors(facts: Facts) -> Iterator[Finding]:
    """Requests that failed in an API server or were cut off, between two looks at least a minute apart."""
    if facts.window is None or facts.window < rules.WINDOW:
        return
    for one in standings(facts, Component.APISERVER):
        asked = rise(one.process, metrics.REQUESTS)
        if asked is None:
            continue
        failed = rise(one.process, metrics.REQUESTS, _is_failure) or 0.0
        cut = rise(one.process, metrics.TERMINATIONS) or 0.0
        reasons = []
        if asked >= rules.REQUESTS and failed > rules.ERROR_SHARE * asked:
            reasons.append(f"{failed:,.0f} of {asked:,.0f} requests failed (5xx)")
        if asked + cut >= rules.REQUESTS and cut > rules.TERMINATED_SHARE * (asked + cut):
            reasons.append(f"{cut:,.0f} of {asked + cut:,.0f} requests were cut off")
        if reasons:
            yield rules.API_ERRORS.warning(
                subject=one.subject,
                evidence=f"in {facts.window:.0f} s {', '.join(reasons)}",
                fix=f"look at etcd's speed and at its log: {POD_LOG.format(node=one.node.name)}",
                objects=one.objects,
            )


def clients(facts: Facts) -> Iterator[Finding]:
    """Requests that came with a certificate that expires within a week, or within a day.

    The histogram says neither whose it was nor how long it is valid by design. So it is a warning only for
    requests between two looks, and else a note; certificates themselves are judged by `certs`.
    """
    for one in standings(facts, Component.APISERVER):
        for limit, words in (
            (rules.CERTIFICATE_VIOLATION, "a day"),
            (rules.CERTIFICATE_WARNING, "a week"),
        ):
            found = _requests_within(one.process, limit)
            if not found:
                continue
            severity, count, when = found
            yield rules.CLIENT_CERTIFICATES.finding(
                severity,
                subject=f"clients of {one.subject}",
                evidence=f"{count:,.0f} requests {when} had a certificate that expires within {words}",
                fix="kubectl admin certs; certificates that are short-lived by design are not a fault",
                objects=one.objects,
            )
            break


def deprecated(facts: Facts) -> Iterator[Finding]:
    """APIs that are asked for, and that the next minor version does not have."""
    asked: dict[str, dict[str, None]] = {}
    for one in standings(facts, Component.APISERVER):
        for sample in samples(one.process, metrics.DEPRECATED_APIS):
            labels = sample.labels
            removed = labels.get("removed_release", "")
            if sample.value and removed and _is_next(facts, removed):
                group = labels.get("group") or "core"
                name = f"{group}/{labels.get('version', '')} {labels.get('resource', '')}"
                asked.setdefault(removed, {})[name] = None
    for removed, names in sorted(asked.items()):
        yield rules.DEPRECATED_API.note(
            subject=f"APIs that are removed in {removed}",
            evidence=f"somebody has asked for {some_of(sorted(names), 5)} since an API server began",
            fix="find out who, before the upgrade: objects written through them name their manager in "
            "metadata.managedFields; the audit log names who reads",
        )


def _not_ready(balancer: Balancer) -> str:
    """A sign that the address leads to no API server that is ready; "" for none.

    Behind a proxy that knows clusters by a path of the address, /readyz need not be an API server's.
    """
    reply = balancer.reply
    if isinstance(reply, Reply):
        return f"{balancer.server}/readyz is {reply.status}" if reply.status >= SERVER_ERROR else ""
    if reply.why in (Why.REFUSED, Why.SILENT, Why.GARBLED):
        return f"{balancer.server} gives no answer: {reply.said or reply.why}"
    return ""


def _is_refused(balancer: Balancer) -> bool:
    """Whether a machine has been reached that takes no connection; not the near end of a tunnel."""
    near = Endpoint(urlsplit(balancer.server).hostname or "", 0, "").is_on_loopback
    return isinstance(balancer.reply, NoReply) and balancer.reply.why is Why.REFUSED and not near


def _is_next(facts: Facts, release: str) -> bool:
    """Whether a release is the minor after the newest kubelet of the control plane, or one before that."""
    here = [Version.find(node.kubelet) for node in facts.nodes if node.is_control_plane]
    newest = max((version for version in here if version), default=None)
    removed = Version.find(release)
    return newest is None or removed is None or removed.minor <= newest.minor + 1


def _advice(facts: Facts, one: Standing) -> str:
    node, process = one.node.name, one.process
    failed = {name for path in health_replies(process) for name in failed_checks(process, path)}
    log = POD_LOG.format(node=node)
    if failed & {"etcd", "etcd-readiness"}:
        if is_told(facts, node, Component.ETCD):
            return f"it waits for etcd on node {node}, which has a finding of its own: bring that up first"
        return (
            f"look at etcd: kubectl admin etcd-status; then at the addresses in --etcd-servers on node {node}"
        )
    if "shutdown" in failed:
        return "it is being ended; wait until it has begun again"
    if "informer-sync" in failed or any(name.startswith("poststarthook/") for name in failed):
        return f"it should be done some minutes after its start; if it is not, look at its log: {log}"
    return f"look at its log: {log}"


def _is_failure(sample: Sample) -> bool:
    return sample.labels.get("code", "").startswith("5")


def _requests_within(process: Process, limit: float) -> tuple[Severity, float, str] | None:
    """Requests with a certificate that expires within so many seconds, and how bad that is; None for none."""

    def is_within(sample: Sample) -> bool:
        return limit_of(sample) == limit

    recent = rise(process, metrics.CERTIFICATE_BUCKETS, is_within)
    if recent:
        severity = Severity.WARNING if limit == rules.CERTIFICATE_VIOLATION else Severity.NOTE
        return severity, recent, "between two looks"
    count = sum(one.value for one in samples(process, metrics.CERTIFICATE_BUCKETS) if is_within(one))
    if recent is None and count:
        return Severity.NOTE, count, "since it began"
    return None
