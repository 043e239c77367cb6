import json

import pytest
import yaml

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Report
from kubectl_admin.report.document import to_json, to_yaml
from tests.fakes.program import NASTY

FINDING = Finding(Severity.WARNING, "a-rule", "subject", "says", "evidence", "fix", "source", ("node/w1",))
REPORT = Report(
    "SkewReport",
    items=lambda: ({"name": name, "version": version} for name, version in [("w1", "1.30"), (NASTY, None)]),
    names=list,
    findings=[FINDING],
    fields={"server": "https://a.example:6443", "ready": True},
)
DOCUMENT = {
    "apiVersion": "kubectl-admin/v1",
    "kind": "SkewReport",
    "server": "https://a.example:6443",
    "ready": True,
    "items": [{"name": "w1", "version": "1.30"}, {"name": NASTY, "version": None}],
    "findings": [
        {
            "severity": "warning",
            "rule": "a-rule",
            "subject": "subject",
            "objects": ["node/w1"],
            "says": "says",
            "evidence": "evidence",
            "fix": "fix",
            "source": "source",
        }
    ],
}


@pytest.mark.parametrize(("write", "read"), [(to_json, json.loads), (to_yaml, yaml.safe_load)])
def test_a_document_is_one_object_of_a_kind(write, read):
    text = write(REPORT)
    document = read(text)
    assert document == DOCUMENT
    assert list(document)[:2] == ["apiVersion", "kind"]
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("write", [to_json, to_yaml])
def test_an_empty_report_has_empty_lists(write):
    document = yaml.safe_load(write(Report("SkewReport", items=list, names=list)))
    assert (document["items"], document["findings"]) == ([], [])


@pytest.mark.parametrize("write", [to_json, to_yaml])
def test_a_document_is_plain_ascii(write):
    assert all(" " <= char <= "~" or char == "\n" for char in write(REPORT))


def test_versions_stay_text_in_yaml():
    assert "version: '1.30'\n" in to_yaml(REPORT)


def test_a_name_that_is_no_text_is_escaped():
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    report = Report("Listing", items=lambda: ({"name": odd},), names=list)
    assert json.loads(to_json(report))["items"] == [{"name": odd}]
    assert "caf\\uDCE9" in to_yaml(report)


ODD = Report(
    "Listing",
    items=lambda: (
        {"name": f"w{number}", "some": {"of": [], "a": {}, "b": [1, "2\n"]}} for number in range(250)
    ),
    names=list,
    findings=[FINDING, FINDING],
)


@pytest.mark.parametrize("report", [REPORT, ODD, Report("Listing", items=list, names=list)])
def test_a_document_that_is_made_in_pieces_looks_as_if_made_at_once(report):
    whole = {
        "apiVersion": "kubectl-admin/v1",
        "kind": report.kind,
        **report.fields,
        "items": list(report.items()),
        "findings": [finding.document() for finding in report.findings],
    }
    assert to_json(report) == json.dumps(whole, indent=2) + "\n"
    assert to_yaml(report) == yaml.dump(whole, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=False)
