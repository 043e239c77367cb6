"""How bad a finding is that a person may override. Pure."""

from kubectl_admin.finding import Severity

SUBJECT = "the snapshot"


def unless(forced: bool) -> Severity:
    """A violation, whose fix names the option that overrides it; a warning if that was given."""
    return Severity.WARNING if forced else Severity.VIOLATION
