"""How the values of shared options are written."""

import click
import pytest

from kubectl_admin.frame.options import DURATION


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("90s", 90),
        ("1h30m", 5400),
        ("30d", 2592000),
        ("1.5d", 129600),
        ("1d12h", 129600),
        ("0d", 0),
    ],
)
def test_durations(text, seconds):
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "d", "1day", "12h1d", "-1d", "1d-1h", "soon"])
def test_what_is_no_duration(text):
    with pytest.raises(click.BadParameter, match="is not a duration"):
        DURATION.convert(text, None, None)
