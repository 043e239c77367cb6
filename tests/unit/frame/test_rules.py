import click
import pytest

from kubectl_admin.finding import Rule
from kubectl_admin.frame import rules
from kubectl_admin.health import rules as health
from tests import rules_page


def test_every_rule_of_the_program_can_be_named():
    there = {rule.id: rule for rule in rules_page.collected()}
    assert rules.every_rule() == there, "name the module of these rules in HOMES"


def test_a_rule_by_its_id():
    assert rules.RULE.convert("kubelet-skew", None, None).id == "kubelet-skew"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kubelet-skeww", "there is no rule 'kubelet-skeww' (did you mean 'kubelet-skew'?)"),
        ("#", "there is no rule '#' (docs/rules.md lists them all)"),
    ],
)
def test_an_unknown_rule_is_a_wrong_usage(name, said):
    for kind in (rules.RULE, rules.EXEMPTION):
        with pytest.raises(click.BadParameter) as caught:
            kind.convert(name, None, None)
        assert caught.value.message == said


@pytest.mark.parametrize("written", ["not-seen", "not-seen=node/w1", "not-seen=pod/a/b=c"])
def test_an_exemption(written):
    assert str(rules.EXEMPTION.convert(written, None, None)) == written


@pytest.mark.parametrize("written", ["not-seen=", "not-seen=w1"])
def test_an_exemption_of_no_object(written):
    with pytest.raises(click.BadParameter, match="not an object"):
        rules.EXEMPTION.convert(written, None, None)


def test_every_source_of_a_rule_of_health_is_an_address():
    sources = [rule.source for rule in vars(health).values() if isinstance(rule, Rule) and rule.source]
    assert all(source.startswith("https://") and " " not in source for source in sources)
