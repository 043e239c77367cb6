"""A report as json or yaml, for programs."""

import json
from typing import Any

from kubectl_admin.report import API_VERSION, Report


def document(report: Report) -> dict[str, Any]:
    """The report as one object with apiVersion, kind, items and findings, which can grow further fields."""
    return {
        "apiVersion": API_VERSION,
        "kind": report.kind,
        **report.fields,
        "items": list(report.items()),
        "findings": [finding.document() for finding in report.findings],
    }


def to_json(report: Report) -> str:
    """The document as indented json; plain ASCII, so that no text of a cluster reaches a terminal raw."""
    return json.dumps(document(report), indent=2) + "\n"


def to_yaml(report: Report) -> str:
    """The document as yaml, in plain ASCII as well."""
    import yaml

    quick: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    whole = document(report)
    try:
        return str(yaml.dump(whole, Dumper=quick, sort_keys=False, allow_unicode=False))
    except UnicodeEncodeError:  # a name on a host that is not UTF-8, which libyaml can't escape
        return str(yaml.dump(whole, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=False))
