"""Running configurations and metrics as reports."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from kubectl_admin.cluster.decode import decode_moment
from kubectl_admin.finding import Finding
from kubectl_admin.report import Column, Report, Table
from kubectl_admin.report.text import age, printable, some_of
from kubectl_admin.running.compare import as_flags, fields, shown
from kubectl_admin.running.facts import Difference, Running
from kubectl_admin.running.metrics import QUANTILES, Family, Histogram, Value, number_of
from kubectl_admin.running.rules import CONFIGURATIONS_DIFFER, NOT_AS_WRITTEN

LONGEST = 1e18  # numbers above it keep their exponent


def running(found: Sequence[Running], now: datetime, *, with_flags: bool) -> Report:
    """Settings of a node's components. with_flags: show their flags as well as their configurations."""
    rows = [
        (str(one.component), name, shown(value))
        for one in found
        for name, value in {
            **(fields(one.configuration) if one.configuration is not None else {}),
            **(as_flags(one.flags or {}) if with_flags or one.configuration is None else {}),
        }.items()
    ]
    return Report(
        kind="RunningConfiguration",
        items=lambda: map(document, found),
        names=lambda: (f"{one.component}/{one.node}" for one in found),
        tables=[Table([Column("COMPONENT"), Column("FIELD"), Column("VALUE")], rows)],
        paragraphs=["\n".join(line(one, now) for one in found)],
        findings=[gap.finding() for one in found for gap in one.unseen],
    )


def line(one: Running, now: datetime) -> str:
    """«kubelet on cp-1: 1.36.3, go1.26.8, started 3h ago»."""
    started = decode_moment(one.status.get("startTime"))
    parts = (
        one.version,
        one.status.get("goVersion", ""),
        f"started {age(started, now)} ago" if started else "",
    )
    said = ", ".join(part for part in parts if part)
    return f"{one.component} on {one.node}: {said or 'it does not tell its version'}"


def document(one: Running) -> dict[str, object]:
    """A component as data."""
    return {
        "component": str(one.component),
        "node": one.node,
        "version": one.version or None,
        "status": dict(one.status),
        "configuration": one.configuration,
        "flags": dict(one.flags) if one.flags is not None else None,
    }


def differences(
    found: Sequence[Difference],
    gaps: Sequence[Finding],
    one: str,
    other: str = "configmap",
    *,
    config_maps: Sequence[str] | None = None,
) -> Report:
    """Fields that differ, and those that could not be compared.

    one, other: the titles of both sides. config_maps: the compared ones, where `other` is what they say.
    """
    columns = [Column("COMPONENT"), Column("FIELD"), Column(one.upper()), Column(other.upper())]
    missing, written = "(not set)", config_maps is not None
    rows = [
        (
            str(each.component),
            each.field,
            missing if each.one is None else each.one,
            missing if each.other is None else each.other,
        )
        for each in found
    ]
    rule = NOT_AS_WRITTEN if written else CONFIGURATIONS_DIFFER
    by_component: dict[str, list[str]] = {}
    for each in found:
        by_component.setdefault(str(each.component), []).append(each.field)
    differing = [
        rule.violation(
            subject=component,
            evidence=f"fields that differ: {some_of(names)}",
            objects=[f"node/{one}"] if written else [f"node/{one}", f"node/{other}"],
        )
        for component, names in by_component.items()
    ]
    return Report(
        kind="ConfigurationDifferences",
        items=lambda: (
            {"component": str(each.component), "field": each.field, one: each.one, other: each.other}
            for each in found
        ),
        names=lambda: (f"{each.component}/{each.field}" for each in found),
        tables=[Table(columns, rows)] if rows else (),
        findings=[*differing, *gaps],
        closing="" if rows else no_difference(one, other, config_maps),
    )


def no_difference(one: str, other: str, config_maps: Sequence[str] | None) -> str:
    """That nothing differs, by what was compared."""
    if config_maps is None:
        return f"{one} and {other}: no difference"
    if not config_maps:
        return f"{one}: nothing was compared with a ConfigMap"
    some, last = ", ".join(config_maps[:-1]), config_maps[-1]
    return f"{one} runs as written in ConfigMap{f's {some} and' if some else ''} {last}"


def metrics(values: Sequence[Value], found: Sequence[Histogram], kinds: Mapping[str, Family]) -> Report:
    """Metrics of one component. found: histograms to be shown by their quantiles."""
    rows = [(each.name, labels(each.labels), in_full(each.value)) for each in values]
    tables = [Table([Column("NAME"), Column("LABELS"), Column("VALUE")], rows)] if rows or not found else []
    if found:
        columns = ["NAME", "LABELS", "COUNT", "MEAN", *(f"P{part * 100:g}" for part in QUANTILES)]
        tables.append(Table([Column(name) for name in columns], [row(each) for each in found]))
    return Report(
        kind="Metrics",
        items=lambda: (
            *({"name": one.name, "labels": dict(one.labels), "value": one.value} for one in values),
            *map(histogram, found),
        ),
        names=lambda: kinds,
        tables=tables,
    )


def row(one: Histogram) -> tuple[str, ...]:
    """A histogram as cells."""
    mean = one.sum / one.count if one.count else math.nan
    parts = (mean, *(one.quantile(part) for part in QUANTILES))
    return (one.name, labels(one.labels), number(one.count), *map(number, parts))


def histogram(one: Histogram) -> dict[str, object]:
    """A histogram as data."""
    quantiles = {f"{part:g}": one.quantile(part) for part in QUANTILES}
    return {
        "name": one.name,
        "labels": dict(one.labels),
        "count": one.count,
        "sum": one.sum if math.isfinite(one.sum) else None,
        "quantiles": {part: value if math.isfinite(value) else None for part, value in quantiles.items()},
    }


def labels(found: Mapping[str, str]) -> str:
    """Labels as metrics have them, «code="200",verb="GET"»."""
    return ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in found.items())


def number(value: float) -> str:
    """A number in four digits, one of 1,000 or more to the last digit; "" for none."""
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if 1000 <= abs(value) < LONGEST else f"{value:.4g}"


def in_full(said: str) -> str:
    """A number as it was sent, but without an exponent: bytes and times are to be read and compared."""
    value = number_of(said)
    if value is None or "e" not in said.lower() or not (1 / LONGEST < abs(value) < LONGEST):
        return said
    return f"{Decimal(said):f}"


def on_terminal(text: str) -> str:
    """A component's text line by line, as a terminal may have it: a node writes what it likes."""
    return "".join(f"{printable(line)}\n" for line in text.splitlines())
