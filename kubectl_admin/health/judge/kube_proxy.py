"""The judgement on kube-proxies: whether they write their rules, and which mode they have. Pure."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding
from kubectl_admin.health import rules
from kubectl_admin.health.asking import judged_metrics as metrics
from kubectl_admin.health.components.ages import age
from kubectl_admin.health.components.series import rise, samples, total
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Facts, Process, Reply
from kubectl_admin.health.judge.states import Standing, standings
from kubectl_admin.report.text import some_of, span

FAMILY = "ip_family"
FAILURES = {
    metrics.RESTORE_FAILURES: "iptables-restore failed",
    metrics.PARTIAL_RESTORE_FAILURES: "a partial iptables-restore failed",
    metrics.NFTABLES_FAILURES: "nft failed",
}
LATEST_TIMESTAMP = 2**33  # seconds of Unix time; a number above it is not a time
DEPRECATED_MODES = ("ipvs",)
SWITCH = "1.40"  # the minor that takes another mode where none is named
MODE = 40  # characters of a mode that are taken: a node may answer what it likes


def health(facts: Facts) -> Iterator[Finding]:
    """kube-proxies that answer that updates have waited for too long, by the family of addresses."""
    for one in standings(facts, Component.KUBE_PROXY):
        if one.verdict.state is State.UNHEALTHY:
            yield rules.KUBE_PROXY_UNHEALTHY.violation(
                subject=one.subject,
                evidence=_families(one) or one.verdict.evidence,
                fix=_advice(one),
                objects=one.objects,
            )


def leaving(facts: Facts) -> Iterator[Finding]:
    """Nodes that the cluster autoscaler, or whoever deletes them, is about to take away."""
    for one in standings(facts, Component.KUBE_PROXY):
        if one.verdict.is_well and _document(one.process, "/healthz").get("nodeEligible") is False:
            yield rules.NODE_NOT_ELIGIBLE.note(
                subject=f"node {one.node.name}",
                evidence="its kube-proxy tells load balancers that it is about to be deleted",
                objects=one.objects,
            )


def behind(facts: Facts) -> Iterator[Finding]:
    """kube-proxies whose rules lack updates that have waited for more than a minute."""
    for one in standings(facts, Component.KUBE_PROXY):
        if one.verdict.state is State.UNHEALTHY:
            continue  # it says so itself
        synced = {_family(sample.labels): sample.value for sample in samples(one.process, metrics.SYNCED)}
        late = []
        oldest = None
        for sample in samples(one.process, metrics.QUEUED):
            queued, family = sample.value, _family(sample.labels)
            last = synced.get(family)
            if last is None or not 0 < last < queued < LATEST_TIMESTAMP:
                continue
            moment = datetime.fromtimestamp(queued, UTC)
            waiting = age(facts, one.node.name, moment)
            # An update queued long ago is as bad as one queued long after the last that was written.
            if queued - last > rules.BEHIND or (waiting.error is not None and waiting.is_above(rules.BEHIND)):
                written = datetime.fromtimestamp(last, UTC)
                oldest = min(oldest or written, written)
                ago = span(age(facts, one.node.name, written).seconds)
                late.append(f"{family} rules were written {ago} ago".strip())
        if late:
            yield rules.KUBE_PROXY_BEHIND.violation(
                subject=one.subject,
                evidence=f"its {', its '.join(late)}, and updates have been queued since",
                fix=_advice(one),
                objects=one.objects,
                since=oldest,
            )


def failures(facts: Facts) -> Iterator[Finding]:
    """Rules that the node refused: a warning where that goes on, a note where it was once."""
    for one in standings(facts, Component.KUBE_PROXY):
        rising = {words: rise(one.process, name) for name, words in FAILURES.items()}
        recent = [f"{words} {count:,.0f} times" for words, count in rising.items() if count]
        if recent:
            yield rules.KUBE_PROXY_FAILING.warning(
                subject=one.subject,
                evidence=f"between two looks {', '.join(recent)}",
                fix=_advice(one),
                objects=one.objects,
            )
            continue
        totals = {words: total(one.process, name) for name, words in FAILURES.items()}
        ever = [f"{words} {count:,.0f} times" for words, count in totals.items() if count]
        if ever:
            yield rules.KUBE_PROXY_FAILING.note(
                subject=one.subject,
                evidence=f"since it began {', '.join(ever)}; --sample shows whether that goes on",
                objects=one.objects,
            )


def modes(facts: Facts) -> Iterator[Finding]:
    """Modes that differ between nodes, and those that will go."""
    by_mode: dict[str, list[Standing]] = {}
    for one in standings(facts, Component.KUBE_PROXY):
        reply = one.process.replies.get("/proxyMode")
        if isinstance(reply, Reply) and reply.is_fine and reply.text.strip():
            by_mode.setdefault(reply.text.strip()[:MODE], []).append(one)
    if len(by_mode) > 1:
        shown = "; ".join(
            f"{mode}: {some_of([one.node.name for one in found])}" for mode, found in by_mode.items()
        )
        fewest = min(by_mode.values(), key=len)
        yield rules.PROXY_MODE.warning(
            subject="kube-proxy",
            evidence=f"nodes have different modes ({shown})",
            fix="set mode in ConfigMap kube-system/kube-proxy, then kubectl -n kube-system rollout restart "
            "daemonset kube-proxy",
            objects=tuple(name for one in fewest for name in one.objects),
        )
    for mode in DEPRECATED_MODES:
        if mode in by_mode:
            yield rules.PROXY_MODE.note(
                subject="kube-proxy",
                evidence=f"mode {mode}, deprecated since 1.35, on "
                f"{some_of([one.node.name for one in by_mode[mode]])}",
                fix="plan the change to mode nftables",
                objects=tuple(name for one in by_mode[mode] for name in one.objects),
            )


def unnamed_mode(facts: Facts) -> Iterator[Finding]:
    """A configuration that names no mode, which will mean another one.

    Source: kubernetes/kubernetes 1.37 cmd/kube-proxy/app/server_linux.go, defaultedMode.
    """
    if facts.objects is None or facts.objects.proxy_mode != "":
        return
    reading = [one for one in standings(facts, Component.KUBE_PROXY) if "config" in one.process.flags]
    if reading:
        yield rules.PROXY_MODE.note(
            subject="ConfigMap kube-system/kube-proxy",
            evidence="it names no mode: kube-proxy takes iptables up to 1.39, and nftables from 1.40 on",
            fix=f"set mode there, iptables or nftables, before the upgrade to {SWITCH}",
        )


def _families(one: Standing) -> str:
    """The families of addresses whose rules are late, in words; "" where the answer does not say."""
    document = _document(one.process, "/livez") or _document(one.process, "/healthz")
    status = document.get("status")
    if not isinstance(status, Mapping):
        return ""
    late = [
        str(family)
        for family, state in status.items()
        if isinstance(state, Mapping) and state.get("healthy") is False
    ]
    return f"updates of its {' and '.join(sorted(late))} rules wait for more than a minute" if late else ""


def _document(process: Process, path: str) -> Mapping[str, Any]:
    reply = process.replies.get(path)
    try:
        document = json.loads(reply.text) if isinstance(reply, Reply) else {}
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _family(labels: Mapping[str, str]) -> str:
    return labels.get(FAMILY, "")


def _advice(one: Standing) -> str:
    pod = one.process.pod
    log = f"kubectl -n {pod.namespace} logs {pod.name}" if pod else "its log"
    return f"look at {log}: another program that holds the xtables lock, or rules that nft refuses"
