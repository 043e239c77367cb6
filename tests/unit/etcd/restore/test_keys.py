"""Keys tell what nodes have agreed on, and nothing else does."""

import pytest

from kubectl_admin.etcd.restore.keys import Keys, majority, parse

ID = "0123456789"
ROOT = f"/kubectl-admin/restore/{ID}/"
THREE = ("cp-1", "cp-2", "cp-3")


def test_each_word_is_its_own() -> None:
    keys = parse([f"{ROOT}{one}" for one in ("go", "going/a", "back/b", "here/c", "ack/d", "decision")], ID)
    assert keys == Keys(
        go=True,
        decided=True,
        going=frozenset("a"),
        back=frozenset("b"),
        here=frozenset("c"),
        acknowledged=frozenset("d"),
    )


@pytest.mark.parametrize(
    "key",
    [
        "/kubectl-admin/restore/9876543210/ack/cp-1",
        f"{ROOT}ack",
        f"{ROOT}ack/",
        f"{ROOT}acks/cp-1",
        f"{ROOT}go/cp-1",
        f"/registry{ROOT}ack/cp-1",
        "",
    ],
)
def test_others_say_nothing(key: str) -> None:
    assert parse([key], ID) == Keys()


@pytest.mark.parametrize(("count", "most"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(count: int, most: int) -> None:
    assert majority(["n"] * count) == most


def test_one_acknowledgement_of_three_is_not_the_end() -> None:
    assert not parse([f"{ROOT}ack/cp-1", f"{ROOT}decision"], ID).are_restored(THREE)
    assert parse([f"{ROOT}ack/cp-1", f"{ROOT}ack/cp-3"], ID).are_restored(THREE)
    assert not parse([f"{ROOT}back/cp-1"], ID).are_as_before(THREE)
    assert parse([f"{ROOT}back/cp-1", f"{ROOT}back/cp-2"], ID).are_as_before(THREE)
