import pytest

from kubectl_admin.drain.facts import Member
from kubectl_admin.drain.primaries import is_moved
from kubectl_admin.drain.stateful import BY_NAME, Group
from tests.unit.drain.samples import pod

LABELS = {"cnpg.io/instanceRole": "primary"}


def group(operator="CloudNativePG"):
    lead = Member(operator, "shop/pg", ("shop", "pg-1"), "w1", leads=True, ready=True)
    other = Member(operator, "shop/pg", ("shop", "pg-2"), "w2", leads=False, ready=True)
    return Group(BY_NAME[operator], "shop/pg", (lead,), (other,))


@pytest.mark.parametrize(
    ("name", "labels", "named", "moved"),
    [
        ("it leads by both", LABELS, "pg-1", False),
        ("the label alone is left", LABELS, "pg-2", False),
        ("the operator has not said so yet", {}, "pg-1", False),
        ("by both it has moved", {}, "pg-2", True),
        ("the operator can't be heard", {}, "", True),
    ],
)
def test_a_primary_has_moved_when_label_and_operator_say_so(name, labels, named, moved):
    pods = {("shop", "pg-1"): pod("pg-1", labels=labels)}
    leaders = {("CloudNativePG", "shop/pg"): named} if named else {}
    assert is_moved(group(), pods, leaders) is moved, name


def test_a_primary_that_is_gone_has_moved():
    assert is_moved(group(), {}, {("CloudNativePG", "shop/pg"): "pg-1"})
