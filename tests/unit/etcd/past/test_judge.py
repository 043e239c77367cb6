"""Where a snapshot can be opened, with a case on each side of every limit."""

from dataclasses import replace

import pytest

from kubectl_admin.etcd.past import judge
from kubectl_admin.etcd.past.judge import needed_memory, needed_room, spare_memory
from tests.unit.etcd.past.samples import MIB, PAST, PLACE


def rules(past=PAST, place=PLACE):
    return [(finding.rule, finding.severity.value) for finding in judge.judge(past, place)]


def test_nothing_forbids_it_where_all_fits():
    assert rules() == []


@pytest.mark.parametrize(
    ("made", "there", "forbidden"),
    [
        ("3.6.0", "3.5.35", True),
        ("3.7.0", "3.6.8", True),
        ("3.6.0", "3.6.0", False),
        ("3.6.0", "3.7.3", False),
        ("3.5.0", "3.6.8", False),
        ("3.10.0", "3.9.0", True),
        ("", "3.6.8", False),
    ],
)
def test_an_etcd_that_is_older_than_the_snapshot_is_refused(made, there, forbidden):
    expected = [("open-etcd-version", "violation")] if forbidden else []
    assert rules(replace(PAST, etcd=made), replace(PLACE, etcd=there)) == expected


def test_another_minor_of_kubernetes_is_said():
    assert rules(place=replace(PLACE, kubernetes="1.37.2")) == [("open-kubernetes-version", "note")]
    assert rules(replace(PAST, kubernetes=""), replace(PLACE, kubernetes="1.37.2")) == []


@pytest.mark.parametrize(("less", "forbidden"), [(0, False), (1, True)])
def test_memory(less, forbidden):
    place = replace(PLACE, memory=needed_memory(PAST.size) + spare_memory(PLACE.total) - less)
    assert rules(place=place) == ([("open-memory", "violation")] if forbidden else [])


def test_memory_that_is_not_told_is_no_reason():
    assert rules(place=replace(PLACE, memory=None)) == []


@pytest.mark.parametrize(("less", "forbidden"), [(0, False), (1, True)])
@pytest.mark.parametrize("copies", [0, 1])
def test_room(less, forbidden, copies):
    place = replace(PLACE, room=needed_room(PAST.size, copies) - less, copies=copies)
    assert rules(place=place) == ([("open-room", "violation")] if forbidden else [])


def test_it_takes_twice_the_file_and_the_programs():
    assert needed_memory(100 * MIB) == 600 * MIB
    assert needed_room(100 * MIB, 0) == 580 * MIB
    assert needed_room(100 * MIB, 1) == 936 * MIB


@pytest.mark.parametrize(
    ("total", "spare"),
    [(None, 512 * MIB), (5110 * MIB, 512 * MIB), (5130 * MIB, 513 * MIB), (64000 * MIB, 6400 * MIB)],
)
def test_a_tenth_of_all_memory_stays_free_and_512_mib_at_least(total, spare):
    assert spare_memory(total) == spare


def test_the_reserve_is_told():
    (found,) = judge.judge(PAST, replace(PLACE, memory=1400 * MIB))
    assert found.evidence == (
        "1400 MiB of memory are available on node cp-1, and 1420 MiB are needed, of which 819 MiB stay free "
        "for all else"
    )


def test_the_node_with_the_most_memory_is_the_best_of_those_that_can():
    old = replace(PLACE, name="node cp-2", memory=9000 * MIB, etcd="3.5.35")
    full = replace(PLACE, name="node cp-3", memory=9000 * MIB, room=0)
    more = replace(PLACE, name="node cp-4", memory=5000 * MIB)
    assert judge.best(PAST, [PLACE, old, full, more]) == more
    assert judge.best(PAST, [old, full]) is None


def test_another_cluster_is_said_and_not_refused():
    assert judge.other_cluster(PAST, PAST.cluster) == []
    (found,) = judge.other_cluster(PAST, "another")
    assert (found.rule, found.severity.value) == ("open-other-cluster", "note")
    assert found.evidence.startswith("it is of another cluster: ")


@pytest.mark.parametrize(("was", "there"), [("", "another"), (PAST.cluster, ""), ("", "")])
def test_where_a_cluster_is_not_told_it_is_no_other_one(was, there):
    (found,) = judge.other_cluster(replace(PAST, cluster=was), there)
    assert (found.rule, found.severity.value) == ("open-other-cluster", "note")
    assert found.evidence.startswith("it is not known whether it is of another cluster: ")
