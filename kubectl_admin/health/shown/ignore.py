"""Findings that somebody has decided to live with: they are set aside, and still shown and counted. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from kubectl_admin.finding import Finding


@dataclass(frozen=True, slots=True)
class Exemption:
    """A rule that is not to count; of one object alone where that is named («node/w3»), else of all."""

    rule: str
    object: str = ""

    def covers(self, rule: str, subject: str) -> bool:
        """Whether an object's finding is set aside."""
        return rule == self.rule and self.object in ("", subject)

    def __str__(self) -> str:
        """As on the command line."""
        return f"{self.rule}={self.object}" if self.object else self.rule


@dataclass(frozen=True, slots=True)
class Parted:
    """counting: the findings that count. ignored: the others, by `exemptions`. unused: those without any."""

    counting: tuple[Finding, ...]
    ignored: tuple[Finding, ...] = ()
    unused: tuple[Exemption, ...] = ()
    exemptions: tuple[Exemption, ...] = ()


def part(findings: Iterable[Finding], exemptions: Sequence[Exemption]) -> Parted:
    """The findings parted; of one with several objects, some of them exempt, each part has its own."""
    counting: list[Finding] = []
    ignored: list[Finding] = []
    used: set[Exemption] = set()
    for finding in findings:
        mine = [one for one in exemptions if one.rule == finding.rule]
        if whole := [one for one in mine if not one.object]:
            used.update(whole)
            ignored.append(finding)
            continue
        named = {one.object: one for one in mine}
        exempt = tuple(one for one in finding.objects if one in named)
        used.update(named[one] for one in exempt)
        left = tuple(one for one in finding.objects if one not in named)
        if exempt:
            ignored.append(replace(finding, objects=exempt))
        if left or not exempt:
            counting.append(replace(finding, objects=left))
    unused = tuple(one for one in exemptions if one not in used)
    return Parted(tuple(counting), tuple(ignored), unused, tuple(exemptions))
