"""What the tests of the node room share: shells, this machine as a host, a clock that costs no time."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.fakes.clock import Clock
from tests.fakes.host import Machine, Shell

SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.fixture
def clock() -> Clock:
    """Nothing here waits for anything."""
    return Clock()


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A host like Alpine's: all of its programs are busybox, but for zstd."""
    folder = tmp_path_factory.mktemp("busybox")
    program = shutil.which("busybox")
    assert program, "busybox is missing: make unit installs it"
    subprocess.run([program, "--install", "-s", folder], check=True)
    if zstd := shutil.which("zstd"):
        (folder / "zstd").symlink_to(zstd)
    return Shell("busybox", (str(folder / "sh"),), str(folder))


@pytest.fixture(scope="session")
def dash() -> Shell:
    """A host like Debian's."""
    return Shell("dash", ("/usr/bin/dash" if Path("/usr/bin/dash").exists() else "/bin/sh",), SYSTEM)


@pytest.fixture(params=["dash", "busybox"])
def shell(request: pytest.FixtureRequest) -> Shell:
    """Each of them."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Shell)
    return found


@pytest.fixture
def machine(clock: Clock) -> Machine:
    """This machine in the place of a cluster."""
    return Machine(SYSTEM, clock=clock)


@pytest.fixture
def me() -> str:
    """Who runs the tests, as chown takes it."""
    return f"{os.getuid()}:{os.getgid()}"
