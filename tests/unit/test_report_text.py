from datetime import UTC, datetime, timedelta

import pytest

from kubectl_admin.report.text import (
    age,
    duration,
    exactly,
    mib,
    mib_needed,
    printable,
    relative,
    short_span,
    size,
    some_of,
    span,
)

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["w1", "Schönes Linux", "日本", "emoji 😀", r"back\slash", ""])
def test_what_is_to_be_seen_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b31m", r"\x9b31m"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x00\x07\x08\x7f", r"\x00\x07\x08\x7f"),
        ("\u202eevil\u202c\u2066\u2069", r"\u202eevil\u202c\u2066\u2069"),
        ("\u200e\u200f\u061c", r"\u200e\u200f\u061c"),
        ("zero\u200bwidth\ufeff\u00ad", r"zero\u200bwidth\ufeff\xad"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("\U000e0041", r"\U000e0041"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_could_mislead_is_escaped(text, escaped):
    assert printable(text) == escaped


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "node/w0"),
        (3, "node/w0, node/w1, node/w2"),
        (4, "node/w0, node/w1, node/w2 and 1 more"),
        (5000, "node/w0, node/w1, node/w2 and 4,997 more"),
    ],
)
def test_many_objects_stay_one_line(number, text):
    assert some_of([f"node/w{index}" for index in range(number)]) == text


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (102_348, "99.9KiB"),
        (102_400, "100KiB"),
        (1024, "1.0KiB"),
        (1 << 20, "1.0MiB"),
        ((1 << 20) - 1, "1.0MiB"),
        (19841024, "18.9MiB"),
        (2 << 30, "2.0GiB"),
        (5 << 50, "5120TiB"),
    ],
)
def test_sizes(count, expected):
    assert size(count) == expected


def test_what_is_missing_is_never_rounded_away():
    assert (mib((1 << 20) + 1), mib_needed((1 << 20) + 1), mib_needed(1 << 20)) == (1, 2, 1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0s"), (59, "59s"), (60, "1m0s"), (3599, "59m59s"), (3700, "1h1m")]
)
def test_a_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0s"), (0.2, "0.2s"), (5.32, "5.3s"), (30.0, "30s"), (90.5, "1m30s")]
)
def test_a_duration_of_which_tenths_count(seconds, text):
    assert duration(seconds, tenths=True) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (366 * 86400, "366 days"),
        (7200, "2 hours"),
        (3600, "3600 seconds"),
        (601, "601 seconds"),
        (86401, "86401 seconds"),
    ],
)
def test_a_limit_is_said_exactly(seconds, text):
    assert exactly(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "words", "short"),
    [
        (0, "0 seconds", "0s"),
        (119, "119 seconds", "119s"),
        (120, "2 minutes", "2m"),
        (7199, "119 minutes", "119m"),
        (7200, "2 hours", "2h"),
        (172_799, "47 hours", "47h"),
        (172_800, "2 days", "2d"),
        (3650 * 86400, "3,650 days", "3650d"),
    ],
)
def test_a_span_is_told_in_the_one_unit_that_says_enough(seconds, words, short):
    assert (span(seconds), short_span(seconds)) == (words, short)


def test_a_moment_is_told_from_now():
    assert relative(NOW + timedelta(days=364, hours=23), NOW) == "in 364 days"
    assert relative(NOW - timedelta(hours=47), NOW) == "47 hours ago"


def test_nothing_is_younger_than_now():
    assert age(NOW + timedelta(seconds=5), NOW) == "0s"
    assert age(NOW - timedelta(minutes=12), NOW) == "12m"
