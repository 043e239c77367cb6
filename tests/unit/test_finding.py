"""Rules, and the findings that are made from them."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from kubectl_admin.finding import Finding, Gap, Rule, Severity

FULL = Rule("kubelet-skew", "a kubelet is not newer than an API server", "https://example.org/policy")


def test_a_finding_has_its_rules_words_and_what_was_seen() -> None:
    finding = FULL.violation(
        subject="kubelet 1.38.0", evidence="the API server is at 1.37", objects=["node/w1"]
    )
    assert finding == Finding(
        severity=Severity.VIOLATION,
        rule="kubelet-skew",
        subject="kubelet 1.38.0",
        says="a kubelet is not newer than an API server",
        evidence="the API server is at 1.37",
        source="https://example.org/policy",
        objects=("node/w1",),
    )


@pytest.mark.parametrize(
    ("make", "severity"),
    [(FULL.violation, Severity.VIOLATION), (FULL.warning, Severity.WARNING), (FULL.note, Severity.NOTE)],
)
def test_each_severity_has_its_word(make: Callable[..., Finding], severity: Severity) -> None:
    assert make(subject="a", evidence="b").severity is severity
    assert FULL.finding(severity, subject="a", evidence="b").severity is severity


def test_a_finding_may_be_more_definite_than_its_rule() -> None:
    assert FULL.note(subject="a", evidence="b", says="it is at least 1.35").says == "it is at least 1.35"
    assert FULL.note(subject="a", evidence="b", fix="upgrade it").fix == "upgrade it"


def test_a_gap_is_a_note_that_names_the_permission() -> None:
    finding = Gap("the nodes", "forbidden", "list nodes").finding()
    assert (finding.severity, finding.rule) == (Severity.NOTE, "not-seen")
    assert finding.fix == "grant it: list nodes (docs/permissions.md)"
    assert not Gap("the nodes", "timed out").finding().fix


def test_a_document_has_the_time_of_a_finding_only_where_it_is_known() -> None:
    began = datetime(2026, 11, 30, 12, tzinfo=timezone(timedelta(hours=1)))
    assert FULL.note(subject="a", evidence="b", since=began).document()["since"] == "2026-11-30T11:00:00Z"
    assert "since" not in FULL.note(subject="a", evidence="b").document()
