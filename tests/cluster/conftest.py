"""One cluster for all tests of this tier: three control planes and a worker, whole after each test."""

from collections.abc import Iterator

import pytest

from tests.cluster import labs
from tests.lab.lab import Lab

NAME = "test"


@pytest.fixture(scope="session")
def shared_lab() -> Iterator[Lab]:
    """The cluster itself. Tests ask for `lab`."""
    with labs.standing(NAME, control_planes=3, workers=1, version="1.36") as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: Lab) -> Iterator[Lab]:
    """Three control planes and a worker of 1.36, whole; a test may break it if it also mends it.

    Whole means: all nodes are Ready, none is cordoned, all pods of kube-system are Ready. What only needs
    time for that gets it; where it does not come by itself, the test that left it so fails.
    """
    yield shared_lab
    labs.wait_until_whole(shared_lab)
