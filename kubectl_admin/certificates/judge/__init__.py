"""Faults of a cluster's certificates, now or soon. Pure.

Read in this order: judge below, then expiry, contents, reload, reachability and authorities, one question
each; alike, text and advice are their words.
"""

from datetime import datetime

from kubectl_admin.certificates.facts import Facts
from kubectl_admin.certificates.judge import authorities, contents, expiry, reachability, reload
from kubectl_admin.certificates.judge.expiry import Thresholds
from kubectl_admin.finding import Finding, Severity


def judge(facts: Facts, now: datetime, thresholds: Thresholds) -> list[Finding]:
    """All findings, the worst first; those alike on several nodes are one."""
    found = [
        *expiry.expiring(facts, now, thresholds),
        *expiry.not_valid_yet(facts, now),
        *contents.unreadable(facts),
        *contents.odd(facts),
        *contents.kubelet_configs(facts),
        *reload.not_loaded(facts),
        *reachability.refused(facts),
        *reachability.uncertified(facts),
        *authorities.expiring_first(facts),
        *authorities.external(facts),
        *(gap.finding() for gap in facts.gaps),
    ]
    return sorted(found, key=lambda finding: list(Severity).index(finding.severity))
