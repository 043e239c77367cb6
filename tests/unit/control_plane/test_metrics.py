"""Metrics as a stranger may write them: what they say, and that they can't keep anybody busy."""

import pytest

from kubectl_admin.control_plane import metrics
from kubectl_admin.control_plane.metrics import LINE, SERIES, series, unescaped


def test_every_series_of_a_metric_with_labels_and_value():
    text = '# HELP up x\nup{a="1",b="x y"} 1\nupper{a="2"} 1\nup 2 1700000000\nup{a="3"} 3'
    assert list(series(text, "up")) == [({"a": "1", "b": "x y"}, "1"), ({}, "2"), ({"a": "3"}, "3")]
    assert list(series(text, "down")) == []


def test_a_first_line_counts():
    assert list(series("up 1\nup 2", "up")) == [({}, "1"), ({}, "2")]


@pytest.mark.parametrize("line", ["up{", 'up{a="1', 'up{a="1"', 'up{a="1"}', "up{a=1} 1", "up", "up "])
def test_what_is_no_series_is_passed_over(line):
    assert list(series(f"{line}\nup 2", "up")) == [({}, "2")]


def test_a_label_does_not_run_over_the_end_of_its_line():
    assert list(series('up{a="1\nb="2"} 1\n', "up")) == []


def test_a_quote_in_a_value_ends_it_only_without_a_backslash():
    assert list(series(r'up{a="x\"}",b="2"} 1', "up")) == [({"a": r"x\"}", "b": "2"}, "1")]


def test_a_long_line_and_many_lines_are_not_looked_at_to_their_end():
    assert list(series('up{a="' + "x" * LINE + '"} 1', "up")) == []
    assert len(list(series("up 1\n" * (SERIES + 5), "up"))) == SERIES


@pytest.mark.parametrize("text", ["up{\n", 'up{a="1"', 'up{a="1",a="2' * 50 + "\n"])
def test_each_piece_is_looked_at_once(text, monkeypatch):
    """Counted in attempts, not in time: as many more as there are lines, never their square."""

    class Counting:
        tries = 0

        def match(self, line, at):
            self.tries += 1
            return pattern.match(line, at)

    pattern = metrics.LABEL
    counted = Counting()
    monkeypatch.setattr(metrics, "LABEL", counted)
    assert list(series(text * 8000, "up")) == []
    assert counted.tries <= 110 * SERIES


@pytest.mark.parametrize(
    ("written", "meant"), [("plain", "plain"), (r"a\"b\\n\nc", 'a"b\\n\nc'), ("end\\", "end\\"), (r"\t", "t")]
)
def test_the_value_of_a_label_as_it_is_meant(written, meant):
    assert unescaped(written) == meant
