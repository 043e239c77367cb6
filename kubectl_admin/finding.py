"""What a judgement comes to: a rule that a cluster breaks, or nearly, the evidence and the way out."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is; only a violation makes a command end with exit code 3."""

    VIOLATION = "violation"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule and what breaks it.

    rule: a short stable identifier for scripts («kubelet-newer-than-apiserver»).
    subject: what it is about, for a person («kubelet 1.37.2»).
    objects: the objects concerned («node/w1»), all of them, in the order of the cluster's listing.
    says: what the rule wants, in a sentence.
    evidence: what was seen that breaks it.
    fix: what to do next; empty where there is nothing to do.
    source: where upstream says so, as a URL or document; empty where the rule is this tool's own.
    """

    severity: Severity
    rule: str
    subject: str
    says: str
    evidence: str
    fix: str = ""
    source: str = ""
    objects: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """The finding as plain data for json and yaml."""
        return {
            "severity": str(self.severity),
            "rule": self.rule,
            "subject": self.subject,
            "objects": list(self.objects),
            "says": self.says,
            "evidence": self.evidence,
            "fix": self.fix,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be looked at, and why; the permission that is missing, if it is that."""

    what: str
    why: str
    permission: str = ""

    def finding(self) -> Finding:
        """The gap as a note, so that silence is not taken for health."""
        return Finding(
            Severity.NOTE,
            "not-seen",
            self.what,
            "what can't be seen is not judged",
            self.why,
            f"grant it: {self.permission} (docs/permissions.md)" if self.permission else "",
        )
