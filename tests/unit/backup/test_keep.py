"""What a retention keeps, and what it never removes."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kubectl_admin.backup.keep import Retention, decide
from kubectl_admin.errors import UsageError
from tests.unit.backup.samples import ETCD, FILES, NOW, UID, archive, manifest

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def kept(archives, now=NOW, **rules):
    """The ages in hours of those that stay, and why."""
    decided = decide(archives, UID, Retention(**rules), now)
    return {(NOW - one.archive.manifest.taken) / HOUR: one.reasons for one in decided if one.keep}


def hours(*ages, **options):
    return [archive(age * HOUR, **options) for age in ages]


def at(*moments):
    """Archives of these times, «2026-11-30 12:00»."""
    made = []
    for text in moments:
        taken = datetime.fromisoformat(text).replace(tzinfo=UTC)
        one = archive(name=text)
        made.append(replace(one, manifest=manifest(taken=taken, verified=taken)))
    return made


def times(archives, **rules):
    decided = decide(archives, UID, Retention(**rules), NOW)
    return [one.archive.name for one in decided if one.keep]


def test_the_last_ones_stay_in_whatever_order_they_come():
    assert list(kept(hours(5, 1, 3, 2, 4), last=2)) == [1, 2]
    assert list(kept(hours(1), last=2)) == [1]
    assert kept([], last=2) == {}


def test_each_rule_keeps_the_last_of_each_period():
    moments = [
        "2026-11-30 10:59",
        "2026-11-30 10:00",
        "2026-11-30 09:59",
        "2026-11-29 23:59",
        "2026-11-29 00:00",
    ]
    assert times(at(*moments), hourly=3) == [moments[0], moments[2], moments[3]]
    assert times(at(*moments), daily=1) == [moments[0]]
    # Two days are found, which are fewer than three: the oldest stays as well.
    assert times(at(*moments), daily=3) == [moments[0], moments[3], moments[4]]


def test_weeks_begin_on_monday_and_do_not_end_with_the_year():
    friday, thursday, monday, sunday = (
        "2027-01-01 12:00",
        "2026-12-31 12:00",
        "2026-12-28 00:00",
        "2026-12-27 23:59",
    )
    archives = at(friday, thursday, monday, sunday)
    decided = decide(archives, UID, Retention(weekly=2), datetime(2027, 1, 2, tzinfo=UTC))
    assert [one.archive.name for one in decided if one.keep] == [friday, sunday]


def test_months_of_different_years_are_different():
    assert times(at("2026-11-01 00:00", "2025-11-30 00:00", "2025-11-01 00:00"), monthly=2) == [
        "2026-11-01 00:00",
        "2025-11-30 00:00",
    ]


def test_periods_without_archives_do_not_count():
    assert list(kept(hours(1, 100, 1000, 5000), daily=3)) == [1, 100, 1000]


def test_times_are_in_utc_wherever_they_were_written():
    one, two = at("2026-11-30 00:30", "2026-11-29 23:30")
    east = datetime.fromisoformat("2026-11-30T01:30:00+02:00")
    two = replace(two, manifest=replace(two.manifest, taken=east))
    assert times([one, two], daily=1) == [one.name]
    assert times([one, two], daily=2) == [one.name, two.name]


def test_rules_are_told_and_several_may_keep_one():
    assert kept(hours(1, 2, 30), last=1, daily=2)[1] == ("newest verified", "last", "daily")


def test_history_grows_up_to_its_length():
    """Without the oldest, a monthly archive could never come to be out of daily ones."""
    archives = [archive(age * DAY) for age in range(10)]
    assert list(kept(archives, daily=2, monthly=12)) == [0, 24, 216]


def test_two_of_one_moment_are_told_by_name():
    one, two = archive(HOUR, name="a"), archive(HOUR, name="b")
    decided = decide([one, two], UID, Retention(last=1), NOW)
    assert [(each.archive.name, each.keep) for each in decided] == [("b", True), ("a", False)]


def test_other_clusters_archives_are_not_even_looked_at():
    stranger = archive(HOUR, uid="other", name="stranger")
    decided = decide([stranger, *hours(2, 3)], UID, Retention(last=1), NOW)
    assert [one.archive.name for one in decided if one.archive is stranger] == []
    assert [one.keep for one in decided] == [True, False]


@pytest.mark.parametrize("broken", [{"verified": False}, {"missing": 1}, {"missing": -1}])
def test_what_is_not_verified_or_not_whole_stands_for_nothing(broken):
    bad, good, old = archive(HOUR, **broken), archive(2 * HOUR), archive(3 * HOUR)
    # The newest is bad: it stays, since nothing newer is known to be good, and takes no place.
    assert kept([bad, good, old], last=1) == {
        1: ("no newer one is verified",),
        2: ("newest verified", "last"),
    }
    newer = archive(timedelta(0))
    assert list(kept([newer, bad, good, old], last=2)) == [0, 2]


@pytest.mark.parametrize("rules", [{"last": 1}, {"hourly": 1}, {"monthly": 1}])
def test_the_newest_verified_one_always_stays(rules):
    archives = [*hours(1, 2, 3, verified=False), *hours(1000, 2000)]
    assert "newest verified" in kept(archives, **rules)[1000]


def test_where_none_is_verified_nothing_is_removed():
    assert list(kept(hours(1, 2, 3, verified=False), last=1)) == [1, 2, 3]


def test_an_hourly_snapshot_does_not_take_the_place_of_the_only_copy_of_the_keys():
    archives = [*hours(1, 2, 3, kinds=(ETCD,)), *hours(50, 51, kinds=(FILES,)), *hours(100, 101)]
    assert list(kept(archives, last=1)) == [1, 50, 100]


def test_what_is_of_the_future_stays_and_is_nobodys_newest():
    ahead = archive(-DAY)
    assert kept([ahead, *hours(1, 2)], last=1) == {
        -24: ("of the future",),
        1: ("newest verified", "last"),
    }


@pytest.mark.parametrize("rules", [{}, {"last": 0, "daily": 0}, {"last": -1}, {"last": -1, "daily": 5}])
def test_a_retention_that_would_remove_everything_is_refused(rules):
    with pytest.raises(UsageError):
        decide(hours(1), UID, Retention(**rules), NOW)


def test_without_a_cluster_nothing_is_decided():
    with pytest.raises(UsageError):
        decide([archive(uid="")], "", Retention(last=1), NOW)


def test_a_second_run_removes_nothing_more():
    archives = [archive(age * 5 * HOUR) for age in range(200)]
    rules = Retention(last=3, hourly=5, daily=7, weekly=4, monthly=6)
    once = [one.archive for one in decide(archives, UID, rules, NOW) if one.keep]
    twice = [one.archive for one in decide(once, UID, rules, NOW) if one.keep]
    assert twice == once
    assert len(once) < 30


def test_whatever_there_is_the_newest_verified_one_of_each_kind_stays():
    chance = random.Random(16)
    for _ in range(200):
        archives = [
            archive(
                chance.uniform(-50, 5000) * HOUR,
                chance.choice([(ETCD,), (FILES,), (ETCD, FILES)]),
                name=str(number),
                verified=chance.random() < 0.7,
                missing=chance.choice([0, 0, 0, 1]),
                uid=chance.choice([UID, UID, "other"]),
            )
            for number in range(chance.randrange(30))
        ]
        counts = [chance.choice([0, 0, 1, 3]) for _ in range(4)]
        decided = decide(archives, UID, Retention(1, *counts), NOW)
        staying = {one.archive.name for one in decided if one.keep}
        assert {one.archive.name for one in decided} == {
            one.name for one in archives if one.manifest.uid == UID
        }
        for kinds in {one.manifest.kinds for one in archives}:
            fit = [
                one
                for one in archives
                if one.manifest.uid == UID
                and one.manifest.kinds == kinds
                and one.is_verified
                and one.manifest.taken <= NOW
            ]
            if fit:
                assert max(fit, key=lambda one: one.manifest.taken).name in staying
            else:
                assert staying >= {
                    one.name for one in archives if one.manifest.uid == UID and one.manifest.kinds == kinds
                }
