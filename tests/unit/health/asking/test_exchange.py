"""What was heard of a component, at one look and the next."""

from kubectl_admin.health.asking.exchange import Heard
from tests.unit.health.made import fine, no_reply

SILENT, LATE = no_reply("silent"), no_reply("late")


def test_a_look_that_was_cut_short_leaves_what_was_heard_before():
    before = Heard({"/healthz": SILENT}, metrics=SILENT)
    joined = Heard({"/healthz": LATE}, metrics=LATE).or_else(before)
    assert (joined.replies, joined.metrics) == ({"/healthz": SILENT}, SILENT)


def test_a_later_answer_wins():
    before = Heard({"/healthz": SILENT, "/livez": SILENT}, metrics=SILENT)
    joined = Heard({"/healthz": fine(), "/livez": LATE}, metrics={}).or_else(before)
    assert (joined.replies, joined.metrics) == ({"/healthz": fine(), "/livez": SILENT}, {})


def test_what_was_not_asked_before_stays_late():
    assert Heard({"/healthz": LATE}).or_else(Heard()).replies == {"/healthz": LATE}
