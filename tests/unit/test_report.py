import pytest

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Report

VIOLATION, WARNING, NOTE = Severity


def report(fail_on, *severities):
    findings = [Finding(each, "a-rule", "subject", "says", "evidence") for each in severities]
    return Report("Kind", items=list, names=list, findings=findings, fail_on=fail_on)


@pytest.mark.parametrize(
    ("fail_on", "severities", "failed"),
    [
        (VIOLATION, [], False),
        (VIOLATION, [NOTE, WARNING], False),
        (VIOLATION, [NOTE, VIOLATION], True),
        (WARNING, [NOTE], False),
        (WARNING, [WARNING], True),
        (WARNING, [VIOLATION], True),
        (None, [VIOLATION, WARNING], False),
    ],
)
def test_a_report_fails_on_what_is_as_bad_as_it_says(fail_on, severities, failed):
    assert report(fail_on, *severities).failed is failed


def test_a_report_fails_on_a_violation_unless_it_says_otherwise():
    found = report(VIOLATION, VIOLATION).findings
    assert Report("Kind", items=list, names=list, findings=found).failed
