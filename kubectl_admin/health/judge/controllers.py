"""The judgement on controller-managers and schedulers, by their own answers. Pure."""

from collections.abc import Iterator

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding
from kubectl_admin.health import rules
from kubectl_admin.health.components.checks import failed_checks, health_replies
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import Facts
from kubectl_admin.health.judge.states import Standing, is_told, standings

UNHEALTHY = {
    Component.CONTROLLER_MANAGER: rules.CONTROLLER_MANAGER_UNHEALTHY,
    Component.SCHEDULER: rules.SCHEDULER_UNHEALTHY,
}


def health(facts: Facts) -> Iterator[Finding]:
    """Those that answer that they are not well; a scheduler's caches are empty while another one leads."""
    for component, rule in UNHEALTHY.items():
        for one in standings(facts, component):
            if one.verdict.state is State.UNHEALTHY:
                yield rule.violation(
                    subject=one.subject,
                    evidence=one.verdict.evidence,
                    fix=_advice(facts, one),
                    objects=one.objects,
                    since=one.unready_since,
                )


def _advice(facts: Facts, one: Standing) -> str:
    process, node = one.process, one.node.name
    failed = {name for path in health_replies(process) for name in failed_checks(process, path)}
    log = f"kubectl -n kube-system logs {process.component}-{node}"
    if failed & {"leaderElection", "informer-sync", "sched-handler-sync"}:
        if is_told(facts, node, Component.APISERVER):
            return f"bring up the API server on node {node} first, which has a finding of its own"
        return f"it can't reach its API server, or that is slow; look at its log: {log}"
    return f"look at its log: {log}"
