"""A cluster for all tests of a process: three control planes and a worker, whole after each test.

Two processes share the files out (`make cluster`), each with a cluster of its own, since tests break theirs.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import labs
from tests.lab.nodes import cluster
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab

HERE = Path(__file__).parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
NAME = "test" if WORKER == "0" else f"test-{int(WORKER) + 1}"
# What takes longest comes first: what is left at the end is short, so that both processes end together.
LONGEST = ("drain_upgrade", "etcd_snapshot", "node", "node_exec", "drain")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of this tier's files, the longest come first and the others in their order."""
    places = {HERE / f"test_{name}.py": place for place, name in enumerate(LONGEST, start=1)}
    items.sort(key=lambda item: places.get(item.path, len(places) + 1) if HERE in item.path.parents else 0)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Takes away what a process that was killed has left, when all processes have ended."""
    workers = session.config.getoption("numprocesses", None)
    if hasattr(session.config, "workerinput") or not workers or os.environ.get(labs.KEPT):
        return
    for name in all_labs.names():
        if name == "test" or name.startswith("test-"):
            cluster.down(name)


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
