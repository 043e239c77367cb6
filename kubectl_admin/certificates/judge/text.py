"""Times and certificates in a few words. Pure."""

from datetime import datetime, timedelta

from kubectl_admin.certificates.x509 import Certificate


def relative(moment: datetime, now: datetime) -> str:
    """«in 12 days», «3 hours ago»."""
    text = span(abs(moment - now))
    return f"{text} ago" if moment <= now else f"in {text}"


def span(time: timedelta) -> str:
    """A time in the one unit that says enough."""
    for unit, seconds in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if time.total_seconds() >= 2 * seconds:
            return f"{int(time.total_seconds() // seconds):,} {unit}"
    return f"{int(time.total_seconds())} seconds"


def short(certificate: Certificate | None) -> str:
    """A certificate in a word: the end of its serial number, and when it ends."""
    if certificate is None:
        return "none"
    return f"serial …{certificate.serial_text[-8:]} (until {certificate.not_after:%Y-%m-%d})"
