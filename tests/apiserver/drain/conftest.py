"""A node for each drain."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver.drain.world import World, made_namespace


@pytest.fixture
def world(kubeconfig: Path) -> Iterator[World]:
    """A node that is empty and not cordoned, before and after."""
    made = made_namespace(kubeconfig, "moving", "worker-2")
    made.clear()
    yield made
    made.clear()
