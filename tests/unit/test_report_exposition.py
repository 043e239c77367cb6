import math

import pytest

from kubectl_admin.report.exposition import escaped, gauge, number


def test_a_metric_has_its_help_its_type_and_each_series_once():
    samples = [({"node": "a"}, 1.0), ({"node": "b"}, 0.5), ({"node": "a"}, 2.0)]
    assert "".join(gauge("up", "Whether.", samples)) == (
        '# HELP up Whether.\n# TYPE up gauge\nup{node="a"} 1\nup{node="b"} 0.5\n'
    )


def test_a_metric_without_labels():
    assert "".join(gauge("now", "Now.", [({}, 1764471600.25)])).endswith("\nnow 1764471600.25\n")


@pytest.mark.parametrize(
    ("text", "shown"), [('a"b', r"a\"b"), ("a\\b", r"a\\b"), ("a\nb", r"a\\nb"), ("\u202e", r"\\u202e")]
)
def test_nothing_leaves_its_quotation_marks(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1"),
        (0.0, "0"),
        (0.042, "0.042"),
        (1e-9, "0"),
        (math.inf, "NaN"),
        (-2.5, "-2.5"),
        (1e15, "1" + "0" * 15),
    ],
)
def test_a_value_has_no_exponent(value, shown):
    assert number(value) == shown
