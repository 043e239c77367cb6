"""A backup is as old as the newest archive that is verified and whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.backup.facts import Kind, SavedNode
from kubectl_admin.backup.rules import INCOMPLETE, NO_ARCHIVE, NOT_VERIFIED, OF_THE_FUTURE, TOO_OLD
from kubectl_admin.backup.status import judge, newest
from tests.unit.backup.samples import ETCD, FILES, NOW, UID, archive, manifest

HOUR = timedelta(hours=1)
LIMIT = 24 * 3600.0
BOTH_MISSING = [(NO_ARCHIVE.id, "violation")] * 2


def whole(*ages, **options):
    """Archives of these ages in hours that hold the files of all nodes."""
    made = [archive(age * HOUR, **options) for age in ages]
    return [replace(one, manifest=replace(one.manifest, nodes=(SavedNode("cp-1", True),))) for one in made]


def found(archives, max_age=LIMIT, **options):
    return [(one.rule, str(one.severity)) for one in judge(archives, UID, NOW, max_age, **options)]


def test_all_is_well():
    assert found(whole(1, 30)) == []


@pytest.mark.parametrize(("age", "bad"), [(24, False), (24.01, True), (1000, True)])
def test_the_limit(age, bad):
    assert found(whole(age)) == ([(TOO_OLD.id, "violation")] * 2 if bad else [])


def test_without_a_limit_any_age_does():
    assert found(whole(10_000), max_age=None) == []


def test_nothing_is_there():
    assert found([]) == BOTH_MISSING
    assert found([], max_age=None) == BOTH_MISSING


def test_other_clusters_archives_are_not_ours():
    assert found(whole(1, uid="other")) == BOTH_MISSING
    assert judge(whole(1, uid="other"), "", NOW, LIMIT) == []


@pytest.mark.parametrize("broken", [{"verified": False}, {"missing": 1}])
def test_a_newer_archive_that_is_not_verified_does_not_count(broken):
    archives = [*whole(30), *whole(1, **broken)]
    assert found(archives) == [(TOO_OLD.id, "violation")] * 2 + [(NOT_VERIFIED.id, "warning")]
    assert found(whole(1, **broken)) == [*BOTH_MISSING, (NOT_VERIFIED.id, "warning")]


def test_an_older_one_that_is_not_verified_is_nothing_to_tell():
    assert found([*whole(1), *whole(2, verified=False)]) == []


def test_a_clock_that_is_ahead_never_makes_a_backup_young():
    assert found([*whole(30), *whole(-10)]) == [(TOO_OLD.id, "violation")] * 2 + [
        (OF_THE_FUTURE.id, "warning")
    ]
    # Two clocks are never the same.
    assert found(whole(-0.01)) == []


def test_each_thing_has_an_age_of_its_own():
    archives = [*whole(1, kinds=(ETCD,)), *whole(50, kinds=(FILES,))]
    ages = {one.kind: one.age for one in newest(archives, UID, NOW)}
    assert ages == {Kind.ETCD: 3600, Kind.FILES: 50 * 3600}
    assert found(archives) == [(TOO_OLD.id, "violation")]
    assert found(archives, wanted=[Kind.ETCD]) == []


def test_an_archive_without_a_node_is_a_warning():
    nodes = SavedNode("cp-1", True), SavedNode("cp-2", True, why="its host gives no answer")
    lacking = manifest(nodes=nodes)
    (one,) = judge([replace(archive(HOUR), manifest=replace(lacking, taken=NOW - HOUR))], UID, NOW, LIMIT)
    assert (one.rule, str(one.severity), one.objects) == (INCOMPLETE.id, "warning", ("node/cp-2",))
    assert "its host gives no answer" in one.evidence


def test_words():
    (one, _) = judge(whole(50), UID, NOW, LIMIT)
    assert one.evidence == "backup-20261128T100000Z.tar is 2 days old, and may be 24 hours"
    assert one.since == NOW - 26 * HOUR
    (short,) = judge([*whole(2), *whole(1, missing=7)], UID, NOW, LIMIT)
    assert "has 4,999,993 bytes, and 5,000,000 were written" in short.evidence
