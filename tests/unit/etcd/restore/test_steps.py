"""The table by which control-plane nodes agree: every state that it leads to."""

import pytest

from kubectl_admin.etcd.restore.on_nodes import steps
from kubectl_admin.etcd.restore.on_nodes.steps import Seen
from tests.unit.etcd.restore.agreement import ACKED, BACK, Walk

ENDS = {"all restored", "all as before"}


@pytest.mark.parametrize("by_hand", [False, True], ids=["GO by key", "GO by hand"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_restored_data_are_never_served_beside_an_old_majority_and_every_state_has_an_end(count, by_hand):
    walk = Walk(steps.steps(), count, by_hand=by_hand)
    assert (len(walk.states) > 10**count / 30, walk.unsafe) == (True, [])
    for state in walk.states:
        acks, backs = (sum(node & key != 0 for node in state.nodes) for key in (ACKED, BACK))
        assert not (2 * acks > count and 2 * backs > count), str(state)
    assert set(walk.ends()) == ENDS


KEYS_OF_THE_OLD = frozenset({"say-going", "say-back"})
FULL = {
    "before GO by hand": (True, KEYS_OF_THE_OLD),
    "with GO": (False, KEYS_OF_THE_OLD),
    "after GO": (False, frozenset({"say-back"})),
}


@pytest.mark.parametrize("when", FULL)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_an_old_etcd_that_takes_no_key_delays_the_end_of_several_nodes(count, when):
    """It is safe, and the only node comes to its end, at the latest when the lease of GO is over. Of several,
    a majority waits at the former data, and once etcd takes keys again, all end.
    """
    table, (by_hand, refused) = steps.steps(), FULL[when]
    walk = Walk(table, count, by_hand=by_hand, refused=refused)
    assert walk.unsafe == []
    waiting = {end for end in walk.ends() if end not in ENDS}
    assert bool(waiting) is (count > 1 or when == "with GO")
    for end in waiting:
        nodes, _, others = end.removeprefix("stops: ").partition(";")
        there = sum("new" not in node.split("+") for node in nodes.split(", "))
        assert (2 * there > count, "served False" in others) == (True, True), end
    again = Walk(table, count, by_hand=by_hand)
    again.states |= walk.states
    assert set(again.ends()) == ENDS


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_go_by_hand_on_some_while_the_others_run_on_with_the_old_data(count):
    """Nobody has come to those: they have no worker, and are alive."""
    for unarmed in range(1, count + 1):
        walk = Walk(steps.steps(), count, by_hand=True, unarmed=unarmed)
        assert walk.unsafe == []
        has_served = any(state.served for state in walk.states)
        assert has_served == (2 * (count - unarmed) > count)


def changed(old: str, new: str) -> steps.Table:
    """The table with another row, written as in the file."""
    text = steps.text()
    spaced = [" ".join(line.split()) for line in text.splitlines()]
    assert old in spaced
    return steps.read_table("\n".join(new if line == old else line for line in spaced))


SHORTCUTS = {
    "an API server at the sight of the decision": (
        "serve new yes * * answers * * most * * * *",
        "serve new yes * * answers * * * * * * *",
    ),
    "a node that goes back although it has acknowledged": (
        "back new no * * * * * * * * * yes",
        "back new * * * * * * * * * * yes",
    ),
    "a node that is closed goes over again": (
        "go old * no yes silent * * * * * * yes",
        "go old * * yes silent * * * * * * yes",
    ),
    "a node that returns by itself": (
        "return new yes * * * * * * most * * *",
        "return new yes * * * * * * * * * *",
    ),
}


@pytest.mark.parametrize("name", SHORTCUTS)
def test_a_table_with_a_shortcut_is_found_unsafe(name):
    assert Walk(changed(*SHORTCUTS[name]), 3).unsafe


DEAD_ENDS = {
    "nobody says that it is back": ("say-back old * yes * answers * * * * no * *", "# say-back"),
    "nobody goes over again": ("go old * no yes silent * * * * * * yes", "# go"),
    "nobody follows": ("follow old * * * * * * most * * * *", "# follow"),
    "one that is alone waits for ever": ("back new no * * * * * * * * * yes", "# back"),
}


@pytest.mark.parametrize("name", DEAD_ENDS)
def test_a_table_without_a_row_is_found_to_end_nowhere(name):
    table = changed(*DEAD_ENDS[name])
    assert not ENDS.issuperset([end for count in (2, 3) for end in Walk(table, count).ends()])


def test_the_first_row_that_matches_is_taken():
    table = steps.steps()
    ready = Seen("new", own="answers", enough="yes", late="yes")
    assert table.matching(ready) == ["here", "back"]
    assert table.first(ready) == "here"
    assert table.first(Seen("old", own="answers")) is None
    assert table.first(Seen("old", closed="yes", acks="most")) == "follow"
    # It was armed, and perhaps no other node ever was.
    assert table.first(Seen("old", closed="yes", own="answers", said="yes")) == "disarm"


def test_a_text_that_is_no_table_is_refused():
    with pytest.raises(ValueError, match="not a word for each column: go old"):
        steps.read_table("# a comment\n\ngo old\n")
    with pytest.raises(ValueError, match="unknown in its column: maybe"):
        steps.read_table("go old * * * maybe * * * * * * *\n")
