"""All checks together."""

import logging

from kubectl_admin.finding import Gap
from kubectl_admin.health.judge import judge
from kubectl_admin.health.judge.states import contradictions
from kubectl_admin.health.rules import SLOW_DISK
from tests.unit.health.made import facts


def half(_facts):
    """Finds one thing, and stumbles over the next."""
    yield SLOW_DISK.warning(subject="etcd", evidence="slow")
    raise OverflowError("year 99999 is\nout of range")


def slow(_facts):
    return [SLOW_DISK.violation(subject="etcd", evidence="very slow")]


def test_one_check_that_fails_costs_only_its_own(caplog):
    caplog.set_level(logging.DEBUG)
    gap = Gap("budgets", "forbidden")
    found = judge(facts(gaps=(gap,)), [half, contradictions, slow])
    assert [(str(one.severity), one.rule, one.subject) for one in found] == [
        ("violation", "slow-disk", "etcd"),
        ("warning", "slow-disk", "etcd"),
        ("note", "not-seen", "the check test_judge.half"),
        ("note", "not-seen", "budgets"),
    ]
    assert "(OverflowError: year 99999 is out of range)" in found[2].evidence
    assert any("in half" in record.message for record in caplog.records)


def test_a_cluster_that_is_well_has_no_findings():
    assert judge(facts()) == []
