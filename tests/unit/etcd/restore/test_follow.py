"""A restore is followed until a majority is on one side for good; that the API answers is not enough."""

from collections.abc import Iterator
from typing import Any, cast

import pytest

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.follow import End, NeverBegunError, follow
from kubectl_admin.etcd.restore.keys import Keys
from tests.fakes.clock import Clock

NODES = ("cp-1", "cp-2", "cp-3")
DONE = Keys(decided=True, acknowledged=frozenset(NODES[:2]))
BACK = Keys(back=frozenset(NODES[1:]))


class Api:
    """Answers /readyz as the list says, then always; each answer takes a second."""

    def __init__(self, *answers: bool) -> None:
        self.clock = Clock()
        self.answers = iter(answers)

    def get_text(self, path: str, *, timeout: float) -> str:
        assert path == "/readyz"
        assert timeout > 0
        self.clock.now += 1
        if not next(self.answers, True):
            raise Unreachable("Unable to connect to the server: connection refused")
        return "ok"


def followed(
    api: Api, keys: Iterator[Keys | AdminError], said: list[str], timeout: float = 60, **options: Any
) -> Any:
    def read(_cluster: Cluster, _operation: str) -> Keys:
        found = next(keys)
        if isinstance(found, AdminError):
            raise found
        return found

    return follow(
        cast(Cluster, api), "0123456789", NODES, timeout=timeout, say=said.append, read=read, **options
    )


def test_the_end_is_a_majority_of_acknowledgements() -> None:
    said: list[str] = []
    one = Keys(decided=True, here=frozenset(NODES), acknowledged=frozenset(NODES[:1]))
    found = followed(Api(), iter([Keys(), Keys(go=True, going=frozenset(NODES)), one, DONE]), said)
    assert (found.end, found.keys, found.without_api) == (End.RESTORED, DONE, 0)
    assert said == [
        "no node has begun yet",
        "about to begin: cp-1, cp-2, cp-3 of 3",
        "restored: cp-1 of 3 (needed: 2)",
        "restored: cp-1, cp-2 of 3 (needed: 2)",
    ]


def test_an_api_that_is_back_with_the_former_data_is_not_a_restore() -> None:
    said: list[str] = []
    found = followed(Api(True, False, False, True), iter([Keys(go=True), Keys(go=True), BACK]), said)
    assert found.end is End.AS_BEFORE
    assert "back at the former data: cp-2, cp-3 of 3 (needed: 2)" in said


def test_the_time_without_the_api_is_the_longest() -> None:
    api = Api(True, False, False, True, False, True)
    found = followed(api, iter([Keys(), Keys(), Keys(), DONE]), [])
    # Two failed looks and the one that is answered: a second each, and the pauses between them.
    assert found.without_api == pytest.approx(3 + 3 * 0.25)


def test_a_word_that_may_not_have_been_given_is_asked_for_while_no_node_has_begun() -> None:
    asked: list[str] = []
    said: list[str] = []
    never = iter([False, True])

    def is_forbidden() -> bool:
        asked.append("asked")
        return next(never)

    def read(_cluster: Cluster, _operation: str) -> Keys:
        return next(keys)

    def watch() -> Any:
        api = cast(Cluster, Api(False, True))
        return follow(
            api, "0123456789", NODES, timeout=60, say=said.append, read=read, is_forbidden=is_forbidden
        )

    keys = iter([Keys(), Keys()])
    with pytest.raises(NeverBegunError, match="nothing was changed"):
        watch()
    assert len(asked) == 2
    # What has begun is never forbidden.
    keys = iter([Keys(go=True), Keys(going=frozenset(NODES[:1])), DONE])
    assert watch().end is End.RESTORED
    assert len(asked) == 2


def test_what_can_not_be_read_is_not_the_end() -> None:
    refused = AdminError("pods may not be listed")
    with pytest.raises(AdminError, match="was not seen within 5s: pods may not be listed") as caught:
        followed(Api(), iter([refused] * 100), [], timeout=5)
    assert "--status" in (caught.value.hint or "")
    assert followed(Api(), iter([refused, refused, DONE]), []).end is End.RESTORED


def test_where_keys_can_not_be_read_somebody_helps_until_that_is_done() -> None:
    helps = iter([False, False, True])
    refused = AdminError("no static pod of etcd was found")
    found = followed(Api(), iter([Keys(), *[refused] * 5, DONE]), [], unread=lambda: next(helps))
    assert found.end is End.RESTORED
    assert list(helps) == []
