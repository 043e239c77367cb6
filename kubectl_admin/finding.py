"""The result of a judgement: a rule that a cluster breaks, or nearly, the evidence and the fix."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NotRequired, TypedDict, Unpack


class Severity(StrEnum):
    """How bad a finding is, the worst first; only a violation makes a command end with exit code 3.

    `health --fail-on` alone says otherwise.
    """

    VIOLATION = "violation"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule and what breaks it.

    rule: the id of the rule, a short stable identifier for scripts («kubelet-skew»).
    subject: what it is about, for a person («kubelet 1.37.2»).
    objects: the objects concerned («node/w1»), all of them, in the order of the cluster's listing.
    says: what the rule wants, in a sentence.
    evidence: what was seen that breaks it.
    fix: what to do next; empty where there is nothing to do.
    source: where upstream says so, as a URL or document; empty where the rule is this tool's own.
    since: when it began, as far as that is known.
    """

    severity: Severity
    rule: str
    subject: str
    says: str
    evidence: str
    fix: str = ""
    source: str = ""
    objects: tuple[str, ...] = ()
    since: datetime | None = None

    def document(self) -> dict[str, object]:
        """The finding as plain data for json and yaml; `since` only where it is known, in UTC."""
        since = {"since": self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if self.since else {}
        return {
            "severity": str(self.severity),
            "rule": self.rule,
            "subject": self.subject,
            "objects": list(self.objects),
            "says": self.says,
            "evidence": self.evidence,
            "fix": self.fix,
            "source": self.source,
            **since,
        }


class Seen(TypedDict):
    """A rule as seen in a cluster; the fields of Finding that the rule does not give itself.

    says: only where it must be more definite than the rule's text («at least 3.5.26»).
    """

    subject: str
    evidence: str
    fix: NotRequired[str]
    objects: NotRequired[Iterable[str]]
    says: NotRequired[str]
    since: NotRequired[datetime | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a room, as a constant in the room's table; a Finding is made from it.

    id: the identifier that scripts and --allow know, one for one rule; docs/rules.md lists them all.
    text: what the rule wants, in a sentence.
    source: where upstream says so, as a URL or document; empty where the rule is this tool's own.
    """

    id: str
    text: str
    source: str = ""

    def violation(self, **seen: Unpack[Seen]) -> Finding:
        """The rule is broken: the command ends with exit code 3."""
        return self.finding(Severity.VIOLATION, **seen)

    def warning(self, **seen: Unpack[Seen]) -> Finding:
        """The rule is nearly broken, or it is broken and does no harm yet."""
        return self.finding(Severity.WARNING, **seen)

    def note(self, **seen: Unpack[Seen]) -> Finding:
        """Something to know; nothing is wrong."""
        return self.finding(Severity.NOTE, **seen)

    def finding(self, severity: Severity, **seen: Unpack[Seen]) -> Finding:
        """For a judge to which the severity is a matter of the facts."""
        return Finding(
            severity,
            self.id,
            seen["subject"],
            seen.get("says", self.text),
            seen["evidence"],
            seen.get("fix", ""),
            self.source,
            tuple(seen.get("objects", ())),
            seen.get("since"),
        )


NOT_SEEN = Rule("not-seen", "only parts that can be seen are judged")
UNFINISHED = Rule("unfinished", "a change comes to its end")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be looked at, and why; the permission that is missing, if it is that."""

    what: str
    why: str
    permission: str = ""

    def finding(self) -> Finding:
        """The gap as a note, so that silence is not taken for health."""
        return NOT_SEEN.note(
            subject=self.what,
            evidence=self.why,
            fix=f"grant it: {self.permission} (docs/permissions.md)" if self.permission else "",
        )
