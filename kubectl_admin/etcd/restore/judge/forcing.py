"""A violation that a person may override, and is a warning then. Pure."""

from kubectl_admin.finding import Finding, Rule, Severity

SUBJECT = "the snapshot"


def unless(forced: bool, rule: Rule, subject: str, evidence: str, fix: str, *objects: str) -> Finding:
    """A violation; a warning if it was overridden. fix: names the option that does it."""
    severity = Severity.WARNING if forced else Severity.VIOLATION
    told = f"{evidence} (overridden)" if forced else evidence
    return rule.finding(severity, subject=subject, evidence=told, fix="" if forced else fix, objects=objects)
