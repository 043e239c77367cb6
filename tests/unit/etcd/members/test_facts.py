from dataclasses import replace

import pytest

from tests.unit.etcd.members.samples import LEADER, sound_member, state, status, three

DOWN = {"status": None, "problem": "no such container", "hash": None}


@pytest.mark.parametrize(
    ("why", "found", "voters", "quorum", "spare"),
    [
        ("three", three(), 3, 2, 1),
        ("three, one down", three(**DOWN), 3, 2, 0),
        (
            "three, two down",
            state(sound_member(1), sound_member(2, **DOWN), sound_member(3, **DOWN)),
            3,
            2,
            -1,
        ),
        ("two", state(sound_member(1), sound_member(2)), 2, 2, 0),
        ("one", state(sound_member(1)), 1, 1, 0),
        (
            "a learner does not vote",
            three(listed=replace(sound_member(2).listed, learner=True)),
            2,
            2,
            0,
        ),
        ("a pod that runs no member does not vote", three(listed=None), 2, 2, 0),
        (
            "without a list nobody knows who votes",
            state(*(sound_member(number, listed=None) for number in (1, 2, 3))),
            0,
            1,
            -1,
        ),
    ],
)
def test_the_quorum(why, found, voters, quorum, spare):
    assert (len(found.voters), found.quorum, found.spare) == (voters, quorum, spare), why


def test_the_leader_is_the_one_of_the_newest_term():
    assert three().leader.name == "cp-1"
    assert three(status=status(LEADER + 1, term=3, leader=LEADER + 2)).leader.name == "cp-3"
    assert state(sound_member(1, status=status(leader=0))).leader is None
    assert three(status=status(LEADER + 1, term=3, leader=7)).leader is None
    assert state().leader is None


@pytest.mark.parametrize(
    ("why", "told", "flag", "expected"),
    [
        ("by its own word", 8 << 30, 0, 8 << 30),
        ("by its flag, before 3.6", 0, 4 << 30, 4 << 30),
        ("etcd's default, before 3.6", 0, 0, 2 << 30),
        ("none", 0, -1, 0),
        ("none, by its own word", -1, 0, 0),
    ],
)
def test_the_quota(why, told, flag, expected):
    member = sound_member(1, status=status(quota=told))
    pod = replace(member.pod, flags=replace(member.pod.flags, quota=flag))
    assert replace(member, pod=pod).quota == expected, why


def test_a_quota_that_nobody_tells():
    member = sound_member(1, status=status(quota=0))
    assert replace(member, pod=None).quota == 0


def test_what_a_member_is_called():
    assert sound_member(1).title == "cp-1"
    assert replace(sound_member(1), name="").title == "9d806c50726f9643"
    assert replace(sound_member(1), name="", id=None).title == "?"
    assert sound_member(1).objects == ("node/cp-1",)
    assert replace(sound_member(1), node="").objects == ()


def test_what_is_known_without_any_answer_and_without_a_list():
    assert (three().answered, three().listed, three().compared) == (True, True, True)
    unlisted = state(*(sound_member(number, listed=None) for number in (1, 2, 3)))
    assert (unlisted.answered, unlisted.listed, unlisted.compared) == (True, False, False)
    silent = state(*(sound_member(number, **DOWN) for number in (1, 2, 3)))
    assert (silent.answered, state().answered) == (False, False)


@pytest.mark.parametrize(
    ("why", "found", "lacks"),
    [
        ("at work", three(), ""),
        ("no pod at all", state(), "found no static pod of etcd on it"),
        ("a member of the list without a pod", three(pod=None), "found no static pod of etcd on it"),
        ("down", three(**DOWN), "no such container"),
        ("silent without a word", three(status=None), "it does not answer"),
        ("of no list", three(listed=None), "it is not known to be in the list of members"),
        ("a learner", three(status=status(LEADER + 1, learner=True)), "it does not vote"),
        ("without a leader", three(status=status(LEADER + 1, leader=0)), "it knows no leader"),
    ],
)
def test_what_a_nodes_own_member_lacks(why, found, lacks):
    assert found.lacking("cp-2") == lacks, why


def test_the_member_of_another_node_says_nothing_of_this_one():
    assert three().lacking("worker-1") == "found no static pod of etcd on it"
