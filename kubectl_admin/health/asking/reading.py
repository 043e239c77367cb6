"""Metrics reduced to those that are judged, while they are read. Pure."""

from collections.abc import Iterable, Mapping

from kubectl_admin.control_plane.metrics import series, unescaped
from kubectl_admin.health.facts import Metrics, Sample

# Metrics of which only the sums by these labels are judged: API servers have thousands of their series.
SUMMED: Mapping[str, tuple[str, ...]] = {
    "apiserver_request_total": ("code",),
    "apiserver_request_terminations_total": ("code",),
}
SUMMED_SERIES = 50_000  # of such a metric that are looked at
LARGEST = 2.0**64  # of a value; sums of what a stranger may have written stay finite


def reduced(text: str, names: Iterable[str]) -> Metrics:
    """The series of these metrics in a process' answer; values that are not finite numbers are left out."""
    found: dict[str, tuple[Sample, ...]] = {}
    for name in names:
        if name in SUMMED:
            found[name] = _summed(text, name, SUMMED[name])
            continue
        samples = tuple(
            Sample({label: unescaped(value) for label, value in labels.items()}, number)
            for labels, written in series(text, name)
            if (number := number_of(written)) is not None
        )
        found[name] = samples
    return {name: samples for name, samples in found.items() if samples}


def _summed(text: str, name: str, kept: tuple[str, ...]) -> tuple[Sample, ...]:
    sums: dict[tuple[str, ...], float] = {}
    for labels, written in series(text, name, SUMMED_SERIES):
        number = number_of(written)
        if number is not None:
            key = tuple(unescaped(labels.get(label, "")) for label in kept)
            sums[key] = sums.get(key, 0.0) + number
    return tuple(Sample(dict(zip(kept, key, strict=True)), value) for key, value in sums.items())


def number_of(written: str) -> float | None:
    """A value as metrics write it («1.5e+09»); None for what is none, for «NaN» and for what has no limit."""
    try:
        number = float(written)
    except ValueError:
        return None
    return number if abs(number) <= LARGEST else None
