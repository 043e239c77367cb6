"""Every rule of the program by its id, and options that name one: `--explain`, `--ignore`."""

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kubectl_admin.finding import Rule
    from kubectl_admin.health.shown.ignore import Exemption

# The modules with rules, all below `kubectl_admin`. They import nothing but `finding`: a TAB does not wait.
HOMES = (
    "backup.rules",
    "certificates.requests.rules",
    "certificates.rules",
    "drain.rules",
    "etcd.diff.rules",
    "etcd.members.rules",
    "etcd.past.rules",
    "etcd.restore.rules",
    "etcd.restore.consequences.rules",
    "etcd.rules",
    "etcd.snapshot.rules",
    "etcd.undelete.rules",
    "finding",
    "health.rules",
    "node.rules",
    "running.rules",
    "upgrade.rules",
    "versions.rules",
)


def every_rule() -> dict[str, "Rule"]:
    """All rules by their ids, in the order of the alphabet."""
    from kubectl_admin.finding import Rule

    modules = [importlib.import_module(f"kubectl_admin.{home}") for home in HOMES]
    rules = [rule for module in modules for rule in vars(module).values() if isinstance(rule, Rule)]
    return {rule.id: rule for rule in sorted(rules, key=lambda rule: rule.id)}


class RuleName(click.ParamType["Rule"]):
    """A rule, by its id."""

    name = "rule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Rule":
        rule = every_rule().get(value)
        if rule is None:
            self.fail(f"there is no rule {value!r}{suggestion(value)}", param, ctx)
        return rule


class ExemptionOf(click.ParamType["Exemption"]):
    """A rule that is not to count, or one object of it: «cordoned», «cordoned=node/w3»."""

    name = "exemption"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Exemption":
        from kubectl_admin.health.shown.ignore import Exemption

        name, equals, subject = value.partition("=")
        if equals and "/" not in subject:
            self.fail(f"{subject!r} is not an object of a finding (example: {name}=node/w1)", param, ctx)
        return Exemption(RULE.convert(name, param, ctx).id, subject)


RULE, EXEMPTION = RuleName(), ExemptionOf()


def suggestion(name: str) -> str:
    """The rule that was probably meant, to be put behind an error; if none is near, where all are."""
    import difflib

    near = difflib.get_close_matches(name, every_rule(), 1)
    return f" (did you mean {near[0]!r}?)" if near else " (docs/rules.md lists them all)"
