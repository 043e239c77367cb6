"""An API server and etcd with the objects of a cluster of ten nodes, shared by all tests of this tier.

Of two processes (`make apiserver`) each has one of its own, and whole files.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import cache
from tests.lab.api import api_only
from tests.lab.nodes import lab
from tests.lab.progress import Progress
from tests.lab.versions import RELEASES
from tests.permissions import Stage

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
NAME = f"test-api-{WORKER + 1}" if WORKER else "test-api"


@pytest.fixture(scope="session", autouse=True)
def _alone() -> Iterator[None]:
    """Labs are the machine's, by their names: a second run of this tier waits until the first is over."""
    with cache.locked(lab.labs() / f".{NAME}-tier.lock"):
        yield


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    """The administrator's kubeconfig; the lab stays up where KUBECTL_ADMIN_LAB_KEEP is set."""
    api_only.down(NAME)
    progress = Progress(f"lab {NAME}", lab.folder_of(NAME) / "logs")
    yield api_only.up(NAME, RELEASES[0].kubernetes, 10, progress.say)
    if not os.environ.get("KUBECTL_ADMIN_LAB_KEEP"):
        api_only.down(NAME)


@pytest.fixture(scope="session")
def stage(kubeconfig: Path) -> Stage:
    """Where docs/permissions.md is tried: this lab, whose kubeconfig names one of its API servers."""
    version = RELEASES[0].kubernetes
    server = Stage(kubeconfig, [], version, lambda who: api_only.user(NAME, who))
    url = server.kubectl("config", "view", "--minify", "--output=jsonpath={.clusters[0].cluster.server}")
    return Stage(kubeconfig, [url], version, server.certified)
