import pytest

from kubectl_admin.drain.labels import Requirement, Selector

LABELS = {"app": "web", "tier": "front", "size": "5"}


@pytest.mark.parametrize(
    ("key", "operator", "values", "holds"),
    [
        ("app", "In", ("web", "db"), True),
        ("app", "In", ("db",), False),
        ("none", "In", ("web",), False),
        ("app", "NotIn", ("db",), True),
        ("app", "NotIn", ("web",), False),
        ("none", "NotIn", ("web",), True),
        ("app", "Exists", (), True),
        ("none", "Exists", (), False),
        ("app", "DoesNotExist", (), False),
        ("none", "DoesNotExist", (), True),
        ("size", "Gt", ("4",), True),
        ("size", "Gt", ("5",), False),
        ("size", "Lt", ("6",), True),
        ("size", "Lt", ("5",), False),
        ("none", "Gt", ("4",), False),
        ("app", "Gt", ("4",), False),
        ("size", "Gt", (), False),
        ("size", "Gt", ("9" * 5000,), False),
        ("size", "Gt", ("0_4",), False),
        ("size", "Gt", ("٤",), False),
        ("size", "Unheard", ("5",), False),
    ],
)
def test_a_requirement_holds(key, operator, values, holds):
    assert Requirement(key, operator, values).holds(LABELS) is holds


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "web", "tier": "back"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "Exists"}]}, True),
        (
            {"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
            False,
        ),
    ],
)
def test_a_selector_selects_where_all_of_it_holds(selector, selects):
    assert Selector.of(selector).selects(LABELS) is selects


def test_no_selector_is_not_the_one_that_selects_all():
    assert Selector.of(None) is None


def test_a_selector_reads_as_kubectl_takes_it():
    selector = Selector.of(
        {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["b", "c"]},
                {"key": "d", "operator": "NotIn", "values": ["e"]},
                {"key": "f", "operator": "NotIn", "values": ["g", "h"]},
                {"key": "i", "operator": "Exists"},
                {"key": "j", "operator": "DoesNotExist"},
            ],
        }
    )
    assert str(selector) == "app=web,a in (b,c),d!=e,f notin (g,h),i,!j"
