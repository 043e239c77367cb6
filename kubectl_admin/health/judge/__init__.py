"""The judgement on a cluster's health: facts in, findings out. Pure.

Reading order: states (findings by the states of components), then by component: apiserver, etcd, kubelet,
kube_proxy, controllers (controller-manager and scheduler), leases (their leaders), clocks; then by the API's
objects: nodes, apis, webhooks, workloads, dns, expiry (of certificates).
One cause gives one finding: its consequences are in the finding's advice, or nowhere.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence

from kubectl_admin.finding import NOT_SEEN, Finding, Gap, Severity
from kubectl_admin.health.facts import Facts
from kubectl_admin.health.judge import (
    apis,
    apiserver,
    clocks,
    controllers,
    dns,
    etcd,
    expiry,
    kube_proxy,
    kubelet,
    leases,
    nodes,
    states,
    webhooks,
    workloads,
)
from kubectl_admin.pool import ODD, odd_words

log = logging.getLogger("kubectl_admin.health")

Check = Callable[[Facts], Iterable[Finding]]


def judge(facts: Facts, checks: Iterable[Check] | None = None) -> list[Finding]:
    """All findings on a cluster's health, the worst first, then in the order of the checks.

    checks: instead of CHECKS.
    """
    found = [*facts.found]
    for check in CHECKS if checks is None else checks:
        found += judged(check, facts)
    found.extend(of_gaps(facts.gaps))
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))


def judged(check: Check, facts: Facts) -> list[Finding]:
    """A check's findings; that it could not judge, where a fact is not as the check takes for granted.

    No node must be able to end what all other checks find. The traceback is logged.
    """
    found: list[Finding] = []
    try:
        found.extend(check(facts))
    except ODD as error:
        for line in traceback.format_exc().splitlines():
            log.debug(line)
        name = f"{check.__module__.rpartition('.')[2]}.{getattr(check, '__name__', '')}"
        why = f"something seen is not as it should be ({odd_words(error)}); -vv says where"
        found.append(Gap(f"the check {name}", why).finding())
    return found


def of_gaps(gaps: Sequence[Gap]) -> Iterator[Finding]:
    """Notes on gaps: one for all for which rights are missing, whatever their number."""
    refused = [gap for gap in gaps if gap.permission]
    yield from (gap.finding() for gap in gaps if not gap.permission or len(refused) == 1)
    if len(refused) > 1:
        rights = dict.fromkeys(gap.permission for gap in refused)
        yield NOT_SEEN.note(
            subject="not judged for want of rights",
            evidence=", ".join(f"{gap.what} ({gap.permission})" for gap in refused),
            fix=f"grant them: docs/permissions.md has the role that gives all {len(rights)}",
        )


CHECKS: tuple[Check, ...] = (
    states.nodes,
    states.components,
    states.crashes,
    apiserver.instances,
    etcd.members,
    etcd.cluster,
    kubelet.health,
    kube_proxy.health,
    controllers.health,
    leases.leaders,
    clocks.differing,
    apiserver.balancer,
    etcd.speed,
    etcd.elections,
    kubelet.events,
    kubelet.certificates,
    kube_proxy.behind,
    kube_proxy.failures,
    apiserver.errors,
    apiserver.clients,
    leases.holders,
    leases.changes,
    leases.unheeded,
    states.contradictions,
    clocks.operator,
    kube_proxy.modes,
    kube_proxy.unnamed_mode,
    kube_proxy.leaving,
    kubelet.ageing,
    apiserver.deprecated,
    states.elsewhere,
    states.unseen,
    nodes.not_ready,
    nodes.flapping,
    nodes.pressure,
    nodes.conditions,
    nodes.leases,
    dns.down,
    dns.answers,
    workloads.critical,
    workloads.daemonsets,
    workloads.budgets,
    webhooks.backends,
    apis.aggregated,
    apis.instances,
    apis.terminating,
    apis.requests,
    expiry.certificates,
    nodes.cordoned,
    nodes.full,
)
