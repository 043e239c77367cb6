"""Several clusters side by side: a row a cluster, the oldest and newest version of each part. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.versions import rules
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Facts
from kubectl_admin.versions.report import MATRIX, cluster_document, node_documents
from kubectl_admin.versions.upstream import Upstream

Judged = tuple[Facts, list[Finding]] | AdminError


def report(judged: Mapping[str, Judged], upstream: Upstream, today: date) -> Report:
    """The report on these clusters, by context; an AdminError in one's place says why it can't be reached."""
    columns = [Column("CONTEXT"), Column("NODES"), *(Column(name) for _, name in MATRIX)]
    rows = [row(context, answer, upstream, today) for context, answer in judged.items()]
    return Report(
        kind="SkewReportList",
        items=lambda: (document(context, answer, upstream) for context, answer in judged.items()),
        names=lambda: (f"context/{context}" for context in judged),
        tables=[Table([*columns, Column("SUPPORT"), Column("FINDINGS")], rows)],
        findings=[finding for context, answer in judged.items() for finding in findings(context, answer)],
    )


def row(context: str, answer: Judged, upstream: Upstream, today: date) -> list[Cell | str]:
    """A cluster's row; one that can't be seen has nothing but its name."""
    if isinstance(answer, AdminError):
        return [context, *["-"] * (len(MATRIX) + 2), Cell("unreachable", Mark.BAD)]
    facts, found = answer
    broken = {breach.instance.component for breach in breaches(facts)}
    cells = [
        Cell(text, Mark.BAD if component in broken else None) if (text := spread(facts, component)) else "-"
        for component, _ in MATRIX
    ]
    violations = sum(finding.severity is Severity.VIOLATION for finding in found)
    summary = Cell(f"{violations} violations", Mark.BAD) if violations else "none"
    return [context, str(len(facts.nodes)), *cells, supported(facts, upstream, today), summary]


def spread(facts: Facts, component: Component) -> str:
    """«1.36.3», or «1.36.3-1.37.2» where versions differ; empty where the cluster shows no such part."""
    known = sorted({part.version for part in facts.of(component) if part.version})
    return "-".join(str(version) for version in dict.fromkeys((known[0], known[-1]))) if known else ""


def supported(facts: Facts, upstream: Upstream, today: date) -> Cell | str:
    """Days that the oldest minor of the API servers is still supported."""
    window = upstream.support.get(min(facts.apiserver_minors, default=0))
    if window is None:
        return "<unknown>"
    days = (window.end - today).days
    return f"{days}d" if days >= 0 else Cell("ended", Mark.DOUBT)


def findings(context: str, answer: Judged) -> Sequence[Finding]:
    """A cluster's violations, with the context in front of their subject; why it can't be seen, if so."""
    if isinstance(answer, AdminError):
        return [
            rules.UNREACHABLE.warning(
                subject=context,
                evidence=answer.what,
                fix=answer.hint or "",
            )
        ]
    return [
        replace(finding, subject=f"{context}: {finding.subject}")
        for finding in answer[1]
        if finding.severity is Severity.VIOLATION
    ]


def document(context: str, answer: Judged, upstream: Upstream) -> dict[str, object]:
    """A cluster as plain data."""
    if isinstance(answer, AdminError):
        return {"context": context, "error": answer.what}
    facts, found = answer
    return {
        **cluster_document(facts, upstream, None),
        "nodes": list(node_documents(facts)),
        "findings": [finding.document() for finding in found],
    }
