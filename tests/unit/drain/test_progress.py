import pytest

from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.drain import Drained
from kubectl_admin.drain.evict import Moved
from kubectl_admin.drain.outcome import done_line
from kubectl_admin.drain.progress import DrainLines
from tests.unit.drain.samples import pod


@pytest.fixture
def told():
    lines, blocks = [], []
    progress = DrainLines(lines.append, blocks.append)
    progress.lines, progress.blocks = lines, blocks
    return progress


def test_what_happens_is_a_line_each(told):
    told.note("node/w1 cordoned")
    told.asked(pod(), "evicting")
    told.held(pod(), "budget guard needs 2")
    told.gone(pod(), 65.0)
    told.gone(pod(), 0.2)
    assert told.lines == [
        "node/w1 cordoned",
        "evicting pod shop/one",
        "pod shop/one waits: budget guard needs 2",
        "pod shop/one is gone (1m5s)",
        "pod shop/one is gone",
    ]


def test_who_is_waited_for_is_a_line_each_up_to_ten(told):
    told.waiting([Waiting(pod(str(number)), "is ending", number) for number in range(12)])
    (block,) = told.blocks
    assert block[1] == "    1s  shop/1: is ending"
    assert (len(block), block[-1]) == (11, "        and 2 more")


def test_the_good_end_is_a_line():
    drained = Drained(Moved((pod("a"), pod("b")), ()), was_cordoned=False, seconds=61.5)
    assert done_line("w1", drained) == "node/w1 drained in 1m1s: 2 pods gone"
    late = Drained(Moved((), (pod(),)), was_cordoned=False, seconds=3)
    assert done_line("w1", late).endswith("0 pods gone, 1 not waited for")
