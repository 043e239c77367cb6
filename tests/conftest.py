"""For all tests and what they start: signals as programs in a terminal have them, and an end to waiting."""

import gc
import signal
from collections.abc import Generator

import pytest

# A shell has what it puts into the background ignore Ctrl-C, and nohup a hangup; every child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Seconds that a test of these tiers may take with its fixtures; all of them are a matter of a few.
TEST_TIMEOUT = 180
QUICK = ("tests/unit/", "tests/scripts/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A quick test that waits for ever fails, and so does its fixture (setup.cfg is for the other tiers)."""
    limit = pytest.mark.timeout(TEST_TIMEOUT, func_only=False)
    for item in items:
        if item.nodeid.startswith(QUICK):
            item.add_marker(limit)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: the garbage collector is not to look at it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
