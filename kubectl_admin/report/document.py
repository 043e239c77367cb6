"""A report as json or yaml, for programs: one object with apiVersion, kind, items and findings, which can
grow further fields. It is made in pieces, an item at a time: there may be a million of them.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from kubectl_admin.report import API_VERSION, Report

AT_ONCE = 100  # items that are made into yaml together


def to_json(report: Report) -> str:
    """The document as indented json; plain ASCII, so that no text of a cluster reaches a terminal raw."""
    return "".join(json_pieces(report))


def to_yaml(report: Report) -> str:
    """The document as yaml, in plain ASCII as well."""
    return "".join(yaml_pieces(report))


def json_pieces(report: Report) -> Iterator[str]:
    """The text of `to_json` in pieces, of which none is longer than an item, the fields, or the findings."""
    yield json.dumps(_head(report), indent=2).removesuffix("\n}")
    yield ',\n  "items": ['
    count = 0
    for count, item in enumerate(report.items(), 1):
        yield ("," if count > 1 else "") + _inner(f"\n{json.dumps(item, indent=2)}", 4)
    yield "\n  ]" if count else "]"
    yield f',\n  "findings": {_inner(json.dumps(_findings(report), indent=2), 2)}\n}}\n'


def yaml_pieces(report: Report) -> Iterator[str]:
    """The text of `to_yaml` in pieces, likewise."""
    yield _yaml(_head(report))
    items, count = iter(report.items()), 0
    while some := list(islice(items, AT_ONCE)):
        yield ("" if count else "items:\n") + _yaml(some)
        count += len(some)
    yield "" if count else "items: []\n"
    yield _yaml({"findings": _findings(report)})


def _head(report: Report) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": report.kind, **report.fields}


def _findings(report: Report) -> list[dict[str, object]]:
    return [finding.document() for finding in report.findings]


def _inner(text: str, spaces: int) -> str:
    """Lines of json further in; no text in json has a line's end of its own."""
    return text.replace("\n", "\n" + " " * spaces)


def _yaml(data: Any) -> str:
    import yaml

    quick: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    try:
        return str(yaml.dump(data, Dumper=quick, sort_keys=False, allow_unicode=False))
    except UnicodeEncodeError:  # a name on a host that is not UTF-8, which libyaml can't escape
        return str(yaml.dump(data, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=False))
