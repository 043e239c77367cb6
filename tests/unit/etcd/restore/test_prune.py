"""What is removed after a restore, and beside whom nothing is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.prune import prune, removable
from kubectl_admin.etcd.restore.status import Earlier, NodeState, Stage


def state(node: str, stage: Stage, **changes: Any) -> NodeState:
    return NodeState(node, Earlier(stage, "0123456789"), **changes)


def test_nothing_is_removed_while_somebody_else_prepares_a_restore():
    @contextmanager
    def taken(*_: object, **__: object) -> Iterator[Any]:
        raise AdminError("somebody else changes the control plane")
        yield

    untouched: Any = object()
    with pytest.raises(AdminError, match="somebody else"):
        prune(untouched, ["cp-1"], alone=taken)


def test_nothing_is_removed_while_one_node_is_under_way():
    found = {"cp-1": state("cp-1", Stage.OVER, old=7), "cp-2": state("cp-2", Stage.UNDERWAY)}
    assert removable(found) == []
    assert removable({**found, "cp-2": state("cp-2", Stage.NONE)}) == ["cp-1"]
