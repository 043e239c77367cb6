"""Values of a process's metrics, at one look and between two. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

from kubectl_admin.health.facts import NoReply, Process, Sample

BUCKET = "le"  # the label of a histogram's bucket: its upper limit


def samples(process: Process, name: str) -> tuple[Sample, ...]:
    """All series of a metric; none where the process was not asked, or has not answered."""
    metrics = process.metrics
    if metrics is None or isinstance(metrics, NoReply):
        return ()
    return metrics.get(name, ())


def value(process: Process, name: str) -> float | None:
    """The value of a metric with one series; None where it is not known, or no finite number."""
    number = next((sample.value for sample in samples(process, name)), None)
    return number if number is not None and isfinite(number) else None


def label(process: Process, name: str, of: str) -> str:
    """The value of a label of a metric with one series; "" where it is not known."""
    return next((sample.labels.get(of, "") for sample in samples(process, name)), "")


def total(process: Process, name: str) -> float | None:
    """The sum of a counter's series; None where it has none."""
    found = samples(process, name)
    return sum(sample.value for sample in found) if found else None


def rises(process: Process, name: str) -> Iterator[tuple[Sample, float]]:
    """Each series of a counter, and by how much it rose between two looks.

    Nothing where there was no earlier look, or the process has been restarted in between. A series that is
    new counts from 0.
    """
    if process.earlier is None:
        return
    before = {_key(sample): sample.value for sample in process.earlier.get(name, ())}
    risen = [(sample, sample.value - before.get(_key(sample), 0.0)) for sample in samples(process, name)]
    if all(rise >= 0 for _, rise in risen):
        yield from risen


def rise(process: Process, name: str, chosen: Callable[[Sample], bool] = lambda _: True) -> float | None:
    """By how much the series of a counter rose together between two looks; None where that is not known."""
    risen = list(rises(process, name))
    return sum(by for sample, by in risen if chosen(sample)) if risen else None


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations of a histogram between two looks. above: those that took longer than a limit."""

    count: float
    above: float

    @property
    def share(self) -> float:
        """The share of those above the limit; 0 where there was none."""
        return self.above / self.count if self.count else 0.0


def observed(process: Process, name: str, limit: float, label: str = "") -> dict[str, Observed]:
    """A histogram's growth between two looks, by the value of a label («» without one).

    limit: an upper limit of one of its buckets; nothing is known of others.
    """
    counts: dict[str, dict[float, float]] = {}
    for sample, by in rises(process, name):
        counts.setdefault(sample.labels.get(label, ""), {})[limit_of(sample)] = by
    infinite = float("inf")
    return {
        key: Observed(buckets[infinite], buckets[infinite] - buckets[limit])
        for key, buckets in counts.items()
        if infinite in buckets and limit in buckets
    }


def limit_of(sample: Sample) -> float:
    """The upper limit of a histogram's bucket."""
    try:
        return float(sample.labels.get(BUCKET, "nan"))
    except ValueError:
        return float("nan")


def _key(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(sample.labels.items()))
