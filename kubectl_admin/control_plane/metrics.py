"""Reads a process' metrics. A stranger may have written them, so the time that it takes grows with their
length, never with its square.

Source: prometheus.io/docs/instrumenting/exposition_formats, «Text-based format».
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice

LINE = 4096  # characters of one series that are looked at
SERIES = 1000  # of one metric that are looked at
LABEL = re.compile(r'([A-Za-z0-9_]+)="([^"\\]*(?:\\.[^"\\]*)*)",?')
ESCAPE = re.compile(r"\\(.)", re.DOTALL)

Series = tuple[Mapping[str, str], str]


def series(metrics: str, name: str, most: int = SERIES) -> Iterator[Series]:
    """The labels (their escapes kept) and the value of each series of a metric, the first `most` of them.

    Any other line is passed over.
    """
    for line in islice(_lines(metrics, name), most):
        labels, at = {}, len(name)
        if line.startswith("{", at):
            at += 1
            while label := LABEL.match(line, at):
                labels[label[1]], at = label[2], label.end()
            if not line.startswith("}", at):
                continue
            at += 1
        if line.startswith(" ", at) and (words := line[at:].split()):
            yield labels, words[0]


def unescaped(label: str) -> str:
    """The value of a label as it is meant."""
    return ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], label) if "\\" in label else label


def _lines(metrics: str, name: str) -> Iterator[str]:
    """The lines that begin with a name, each as far as it is looked at."""
    if metrics.startswith(name):
        yield _line_at(metrics, 0)
    wanted = f"\n{name}"
    at = metrics.find(wanted)
    while at >= 0:
        yield _line_at(metrics, at + 1)
        at = metrics.find(wanted, at + 1)


def _line_at(metrics: str, start: int) -> str:
    end = metrics.find("\n", start, start + LINE)
    return metrics[start : end if end >= 0 else start + LINE]
