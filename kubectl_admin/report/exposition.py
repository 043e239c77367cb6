"""Numbers as Prometheus takes them, for the textfile collector of its node_exporter. Pure.

Source: prometheus/docs, «Exposition formats»; node_exporter's README, «Textfile Collector».
"""

import math
from collections.abc import Iterable, Iterator, Mapping

from kubectl_admin.report.text import printable

Labels = Mapping[str, str]


def gauge(name: str, about: str, samples: Iterable[tuple[Labels, float]]) -> Iterator[str]:
    """The lines of a metric: its help, its type, and each series once."""
    yield f"# HELP {name} {about}\n# TYPE {name} gauge\n"
    told = set()
    for labels, value in samples:
        # A series may stand there once only.
        if (series := tuple(labels.items())) in told:
            continue
        told.add(series)
        said = ",".join(f'{label}="{escaped(text)}"' for label, text in series)
        yield f"{name}{{{said}}} {number(value)}\n" if said else f"{name} {number(value)}\n"


def escaped(value: str) -> str:
    """A label's value as it stands between quotation marks; a backslash begins nothing but these escapes."""
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')


def number(value: float) -> str:
    """A value to the millionth, without an exponent or needless digits: «1», «0.042»."""
    if not math.isfinite(value):
        return "NaN"
    return f"{value:.6f}".rstrip("0").rstrip(".")
