"""A rule's demand, and where that is written. Pure."""

from kubectl_admin.finding import Rule
from kubectl_admin.report import Report

OWN = "this program's own; docs/rules.md says where it is judged"


def report(rule: Rule) -> Report:
    """A rule by itself."""
    document = {"id": rule.id, "text": rule.text, "source": rule.source}
    return Report(
        kind="Rule",
        items=lambda: [document],
        names=lambda: [f"rule/{rule.id}"],
        paragraphs=[f"rule:   {rule.id}\nwants:  {rule.text}\nsource: {rule.source or OWN}"],
    )
