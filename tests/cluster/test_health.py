"""`kubectl admin health` on a real cluster: each way in which it is broken is named, and nothing else is.

Here are the short cases of the matrix; `make health-matrix` tries them all (tests/cluster/health).
"""

import os

import pytest

from tests.cluster.health.cases import CASES, Case
from tests.cluster.health.trial import try_out, wait_until_calm
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

ALL = "KUBECTL_ADMIN_HEALTH_MATRIX"  # in the environment: every case
TRIED = CASES if os.environ.get(ALL) else [case for case in CASES if case.short]


@pytest.mark.parametrize("case", TRIED, ids=lambda case: case.name)
def test_what_is_broken_is_named_and_nothing_else_is(lab: Lab, case: Case) -> None:
    wait_until_calm(lab)  # a process that an earlier case has ended is «crashing» in its first minute
    tried = try_out(lab, case)
    assert list(tried.faults) == [], tried.seen
