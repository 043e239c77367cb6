"""Which pods that come during a drain leave as well; the rest of evictions: tests/apiserver/drain."""

import pytest

from kubectl_admin.drain.evict import is_return
from tests.unit.drain.samples import NOW, pod


@pytest.mark.parametrize(
    ("name", "came", "had", "present", "returns"),
    [
        ("the first", [], 0, [], False),
        ("three that were bound at once", ["a", "b"], 0, [pod("a"), pod("b")], False),
        ("one for each that left", ["a", "b"], 3, [], False),
        ("one more than left, the others ending", ["a", "b"], 2, [pod("a", deleted=NOW), pod("b")], True),
        ("one more than left, the others gone", ["a"], 1, [], True),
        ("one more than left, the others still there", ["a"], 1, [pod("a")], False),
        ("another pod of that name", ["a"], 0, [pod("b")], True),
    ],
)
def test_a_pod_returns_where_it_takes_the_place_of_one_that_came_itself(name, came, had, present, returns):
    there = {each.key: each for each in present}
    assert is_return({f"uid-{each}" for each in came}, had, there) is returns, name
