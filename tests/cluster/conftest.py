"""A cluster for the tests of a file, whole after each test: of one control plane and a worker, or of three.

Two processes share the files out (`make cluster`), each with a cluster of its own, since tests break theirs.
The one has the files that take three control planes, the other those that one is enough for, since three cost
much even while nobody asks anything of them. Files for which any cluster does are for who is through first.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import labs
from tests.lab.nodes import cluster
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab

HERE = Path(__file__).parent
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
NAME = "test" if WORKER == "0" else f"test-{int(WORKER) + 1}"
SMALL = f"{NAME}-small"
# Files that take three control planes.
THREE = (
    *("certs", "certs_renew", "drain", "etcd_restore", "etcd_snapshot", "etcd_status", "health"),
    *("hostile_worker", "lab_faults", "skew"),
)
# Files that need no more than any cluster, or bring up what they need beside it.
ANY = ("etcd_restore_local", "etcd_snapshot_external", "lab_life", "permissions")
# Files of the process with the small cluster that bring up their own, and come before it is there.
BEFORE = ("drain_upgrade",)


def verb_of(path: str | Path) -> str:
    """A file's name without what is the same of all."""
    return Path(path).stem.removeprefix("test_")


def piece_of(path: str | Path) -> str:
    """The piece of work that a file is a part of: the files of one shape, or it alone."""
    verb = verb_of(path)
    return verb if verb in ANY else "three" if verb in THREE else "one"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Piece by piece, what is for whoever is through first at the end."""
    places = {"one": 2, "three": 3}

    def place(path: Path) -> int:
        return 1 if verb_of(path) in BEFORE else places.get(piece_of(path), 4)

    items.sort(key=lambda item: place(item.path) if HERE in item.path.parents else 0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Files that run on a cluster of the same shape go to the same process."""
    from xdist.scheduler import LoadFileScheduling

    class ByShape(LoadFileScheduling):
        """The files of one shape are one piece of work."""

        def _split_scope(self, nodeid: str) -> str:
            return piece_of(super()._split_scope(nodeid))

    return ByShape(config, log)


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
def lab_of() -> Iterator[Callable[[str], Lab]]:
    """The cluster for a file, by its name: one at a time stands, unless they are to be kept."""
    up: dict[str, Lab] = {}

    def stand(verb: str) -> Lab:
        # Who needs no shape takes what is there.
        name = next(iter(up), SMALL) if verb in ANY else NAME if verb in THREE else SMALL
        if name not in up:
            clear()
            up[name] = cluster.up(name, control_planes=3 if name == NAME else 1, workers=1, version="1.36")
        return up[name]

    def clear() -> None:
        if not os.environ.get(labs.KEPT):
            for name in (NAME, SMALL):
                cluster.down(name)
        up.clear()

    yield stand
    clear()


@pytest.fixture(scope="module")
def shared_lab(request: pytest.FixtureRequest, lab_of: Callable[[str], Lab]) -> Lab:
    """The cluster itself. Tests ask for `lab`."""
    return lab_of(verb_of(request.path))


@pytest.fixture
def lab(shared_lab: Lab) -> Iterator[Lab]:
    """A worker of 1.36 and one control plane, or three, whole; a test may break it if it also mends it.

    Whole means: all nodes are Ready, none is cordoned, all pods of kube-system are Ready. What only needs
    time for that gets it; where it does not come by itself, the test that left it so fails.
    """
    yield shared_lab
    labs.wait_until_whole(shared_lab)
