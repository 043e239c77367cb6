import pytest

from kubectl_admin.finding import Rule
from kubectl_admin.health.shown.ignore import Exemption, part

FULL = Rule("full", "there is room")
SLOW = Rule("slow", "it is quick")
BOTH = FULL.violation(subject="disk", evidence="full", objects=("node/a", "node/b"))
ALONE = SLOW.warning(subject="etcd", evidence="slow")


def test_nothing_is_set_aside_without_an_exemption():
    parted = part([BOTH, ALONE], [])
    assert (parted.counting, parted.ignored, parted.unused) == ((BOTH, ALONE), (), ())


def test_a_whole_rule():
    parted = part([BOTH, ALONE], [Exemption("full")])
    assert (parted.counting, parted.ignored, parted.unused) == ((ALONE,), (BOTH,), ())


def test_one_object_of_a_finding():
    parted = part([BOTH], [Exemption("full", "node/a")])
    assert [finding.objects for finding in parted.counting] == [("node/b",)]
    assert [finding.objects for finding in parted.ignored] == [("node/a",)]


def test_all_objects_of_a_finding():
    parted = part([BOTH], [Exemption("full", "node/a"), Exemption("full", "node/b")])
    assert (parted.counting, parted.ignored) == ((), (BOTH,))


@pytest.mark.parametrize(
    "exemption", [Exemption("full", "node/c"), Exemption("slow", "node/a"), Exemption("other")]
)
def test_an_exemption_that_meets_nothing_is_told(exemption):
    parted = part([BOTH, ALONE], [exemption])
    assert (parted.counting, parted.unused) == ((BOTH, ALONE), (exemption,))


def test_an_exemption_reads_as_it_was_written():
    assert [str(Exemption("a")), str(Exemption("a", "node/b"))] == ["a", "a=node/b"]
