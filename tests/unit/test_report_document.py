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
