"""For all tests and what they start: signals as programs in a terminal have them, and an end to waiting."""

import signal
from pathlib import Path

import pytest

# A shell has what it puts into the background ignore Ctrl-C, and nohup a hangup; every child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

HERE = Path(__file__).parent
# Seconds that a test of these tiers may take with its fixtures; all of them are a matter of a few.
TEST_TIMEOUT = 180
QUICK = [HERE / "unit", HERE / "scripts"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A quick test that waits for ever fails, and so does its fixture (setup.cfg is for the other tiers)."""
    for item in items:
        if any(item.path.is_relative_to(tier) for tier in QUICK):
            item.add_marker(pytest.mark.timeout(TEST_TIMEOUT, func_only=False))
