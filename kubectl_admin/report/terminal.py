"""A report for a person: tables, paragraphs and findings, coloured where colour is wanted."""

import re
import textwrap
from collections.abc import Iterable
from datetime import datetime

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Mark, Report, Table
from kubectl_admin.report.pages import located
from kubectl_admin.report.text import beside, printable, span

SEPARATORS = re.compile(r"[\s,]+")  # between the words of a subject
CHANGED = "~"  # behind a cell that has just changed
RED, YELLOW, DIM, RESET = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"
COLOUR_OF_MARK = {Mark.BAD: RED, Mark.DOUBT: YELLOW}
COLOUR_OF_SEVERITY = {Severity.VIOLATION: RED, Severity.WARNING: YELLOW, Severity.NOTE: DIM}


def render(report: Report, *, wide: bool, headers: bool, colour: bool, width: int) -> str:
    """The report as text of lines that fit `width` columns where the tables allow it."""
    parts = [table_text(table, wide=wide, headers=headers, colour=colour) for table in report.tables]
    parts += [
        "\n".join(wrapped(printable(line), width) for line in paragraph.split("\n"))
        for paragraph in report.paragraphs
    ]
    if report.findings:
        parts.append(
            "\n".join(finding_text(finding, colour, width, report.at) for finding in report.findings)
        )
    parts.append(wrapped(printable(report.closing), width))
    return "\n\n".join(part for part in parts if part) + "\n"


def table_text(table: Table, *, wide: bool, headers: bool, colour: bool) -> str:
    """The table with upper-case headers and two or more spaces between its columns, like kubectl's."""
    import tabulate

    shown = [number for number, column in enumerate(table.columns) if wide or not column.wide]
    names = [table.columns[number].name for number in shown]
    if not table.rows:
        return "  ".join(names) if headers else ""
    # A column is handed over as one cell of many lines: tabulate looks at each cell five times to find out
    # what it is, and 5,000 rows would take four times as long.
    columns = ["\n".join([cell_text(row[number], colour) for row in table.rows]) for number in shown]
    # Headers get two columns of padding of their own, which a table of 80 columns has no room for.
    tabulate.MIN_PADDING = 0
    # Numbers must stay text: parsed ones turn version 1.30 into 1.3.
    return tabulate.tabulate(
        [columns], headers=names if headers else (), tablefmt="plain", disable_numparse=True, stralign="left"
    )


def cell_text(cell: Cell | str, colour: bool) -> str:
    """One cell in a line of printable characters, with its mark as a sign behind it; «-» for nothing."""
    if isinstance(cell, str):
        return printable(cell).strip() or "-"
    text = f"{printable(cell.text)}{cell.mark or ''}".strip() or "-"
    text += CHANGED if cell.changed else ""
    return f"{COLOUR_OF_MARK[cell.mark]}{text}{RESET}" if cell.mark and colour else text


def finding_text(finding: Finding, colour: bool, width: int, now: datetime | None = None) -> str:
    """A finding as a paragraph: what breaks which rule on which objects, since when, and what to do.

    now: the moment of the report.
    """
    severity = f"{finding.severity}:"
    first = coloured(wrapped(printable(f"{severity} {headline(finding, now)}"), width), finding, colour)
    return "\n".join(
        [first, *wrapped_parts((("rule", rule_text(finding)), ("fix", located(finding.fix))), width)]
    )


def headline(finding: Finding, now: datetime | None) -> str:
    """A finding's subject and evidence: «etcd on node/cp-1 for 5 minutes: hangs»."""
    lasting = max((now - finding.since).total_seconds(), 0.0) if now and finding.since else None
    since = f" for {span(lasting)}" if lasting is not None else ""
    return f"{about(finding)}{since}: {finding.evidence}"


def about(finding: Finding) -> str:
    """The subject and the objects of a finding; those that the subject names itself are not named twice."""
    named = SEPARATORS.split(finding.subject)
    first = finding.objects[0].partition("/")[2] if finding.objects else ""
    return finding.subject if first in named else f"{finding.subject}{beside(finding.objects)}"


def coloured(text: str, finding: Finding, colour: bool) -> str:
    """The text, which begins with the finding's severity, with that in its colour."""
    severity = f"{finding.severity}:"
    if not colour:
        return text
    return f"{COLOUR_OF_SEVERITY[finding.severity]}{severity}{RESET}{text.removeprefix(severity)}"


def rule_text(finding: Finding) -> str:
    """The rule's demand, and where that is written."""
    return f"{finding.says} ({finding.source})" if finding.source else finding.says


def wrapped_parts(parts: Iterable[tuple[str, str]], width: int) -> list[str]:
    """The named parts of a finding that are not empty, each wrapped below its name."""
    return [wrapped(f"  {name + ':':<6}{printable(text)}", width, hang=8) for name, text in parts if text]


def wrapped(text: str, width: int, hang: int = 2) -> str:
    """The text in lines of at most `width` columns; words are never cut, so that they can be copied."""
    return textwrap.fill(
        text,
        max(width, 40),
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
