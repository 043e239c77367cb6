"""Metrics for a person: families by the beginning of their names, histograms as quantiles. Pure.

Source: prometheus.io/docs/instrumenting/exposition_formats; docs/practices/histograms.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kubectl_admin.control_plane.metrics import series, unescaped

QUANTILES = (0.5, 0.9, 0.99)
MOST = 10_000  # series of one metric that are shown
TYPE = "# TYPE "
NAME = 200  # characters of a name that are taken


@dataclass(frozen=True, slots=True)
class Family:
    """A metric. kind: counter, gauge, histogram, summary, untyped."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Value:
    """One series of a metric. value: as it was sent."""

    name: str
    labels: Mapping[str, str]
    value: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram's series of the same labels. buckets: upper bound -> how many were at most as much."""

    name: str
    labels: Mapping[str, str]
    count: float
    sum: float
    buckets: Mapping[float, float]

    def quantile(self, part: float) -> float:
        """The value that so large a part of all observations did not exceed, between 0 and 1; NaN for none.

        Within a bucket observations count as spread evenly; beyond the last finite bound it is that bound, as
        Prometheus' histogram_quantile has it.
        """
        bounds = sorted(self.buckets)
        total = self.buckets[bounds[-1]] if bounds else 0.0
        if not total > 0:
            return math.nan
        rank, below, lower = part * total, 0.0, 0.0
        for bound in bounds:
            here = self.buckets[bound]
            if here >= rank and here > below:
                if math.isinf(bound):
                    return lower
                start = lower if lower or bound > 0 else bound
                return start + (bound - start) * (rank - below) / (here - below)
            below, lower = max(below, here), bound if not math.isinf(bound) else lower
        return lower


def families(text: str, names: Sequence[str]) -> list[Family]:
    """The metrics whose names begin with one of these words, in the order in which they were sent."""
    found: dict[str, Family] = {}
    at = text.find(TYPE)
    while at >= 0:
        end = text.find("\n", at)
        words = text[at + len(TYPE) : end if end >= 0 else len(text)][: NAME + 20].split()
        begins_a_line = at == 0 or text[at - 1] == "\n"
        if begins_a_line and len(words) == 2 and words[0].startswith(tuple(names)):
            found.setdefault(words[0], Family(*words))
        at = text.find(TYPE, at + 1)
    return list(found.values())


def values(text: str, family: Family) -> Iterator[Value]:
    """The series of a metric; of a histogram or a summary their counts and sums as well."""
    names = [family.name]
    if family.kind == "histogram":
        names = [f"{family.name}{end}" for end in ("_bucket", "_sum", "_count")]
    elif family.kind == "summary":
        names += [f"{family.name}{end}" for end in ("_sum", "_count")]
    for name in names:
        for labels, value in series(text, name, MOST):
            yield Value(name, {label: unescaped(said) for label, said in labels.items()}, value)


def histograms(text: str, family: Family) -> list[Histogram]:
    """The histograms of a family, one for each set of labels; a value that is not a number is passed over."""
    parts: dict[tuple[tuple[str, str], ...], dict[str, dict[float, float]]] = {}
    for value in values(text, family):
        labels = {name: text for name, text in value.labels.items() if name != "le"}
        here = parts.setdefault(tuple(labels.items()), {"bucket": {}, "sum": {}, "count": {}})
        kind = value.name.rpartition("_")[2]
        bound, number = number_of(value.labels.get("le", "0")), number_of(value.value)
        if bound is not None and number is not None:
            here[kind][bound] = number
    return [
        Histogram(
            family.name,
            dict(labels),
            here["count"].get(0.0, here["bucket"].get(math.inf, 0.0)),
            here["sum"].get(0.0, math.nan),
            here["bucket"],
        )
        for labels, here in parts.items()
    ]


def number_of(said: str) -> float | None:
    """A number as metrics have it («1.5e+06», «+Inf»); None for what is none."""
    try:
        number = float(said) if "_" not in said else math.nan
    except ValueError:
        return None
    return None if math.isnan(number) else number
