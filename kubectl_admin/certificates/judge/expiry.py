"""Certificates that have expired, will soon, or are not valid yet. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_admin.certificates.facts import Facts, Seen, Use
from kubectl_admin.certificates.judge.advice import renewal
from kubectl_admin.certificates.judge.alike import distinct, objects_of, subject
from kubectl_admin.certificates.renewable import RENEWABLE, ROTATED
from kubectl_admin.certificates.rules import EXPIRED, EXPIRES_SOON, NOT_VALID_YET
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import relative

LAST = 0.1  # of a certificate's time, in which what renews itself should have done so


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How long before it expires a certificate is worth a warning, and when it is critical."""

    warn: timedelta = timedelta(days=30)
    critical: timedelta = timedelta(days=7)


def expiring(facts: Facts, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """Certificates that have expired, or will soon; the first of them first."""
    seen = sorted(
        ((one, one.certificate) for one in distinct(facts) if one.certificate),
        key=lambda pair: pair[1].not_after,
    )
    followed = {
        (one.name, one.node, one.where)
        for one in facts.seen
        if one.use is Use.AUTHORITY and one.certificate and one.certificate.not_after - now > thresholds.warn
    }
    alike: dict[tuple[Severity, str, bool, str], list[tuple[Seen, Certificate]]] = {}
    for one, certificate in seen:
        follows = (one.name, one.node, one.where) in followed
        if level := severity(one, now, thresholds, followed=follows):
            over = certificate.not_after <= now
            alike.setdefault((level, subject(one), over, renewal(one)), []).append((one, certificate))
    for (level, name, over, fix), found in alike.items():
        first = found[0][1].not_after
        when = f"{'expired' if over else 'expires'} {relative(first, now)}, at {first:%Y-%m-%d %H:%M} UTC"
        own = " (self-signed by its server; no client is known to check it)" if found[0][0].generated else ""
        rule = EXPIRED if over else EXPIRES_SOON
        yield rule.finding(
            level,
            subject=name,
            evidence=f"{when}{own}",
            fix=fix,
            objects=objects_of(one for one, _ in found),
        )


def not_valid_yet(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Certificates that are not valid yet: a clock is wrong, here or where they were signed."""
    for one in distinct(facts):
        if one.certificate and (begin := one.certificate.not_before) > now:
            yield NOT_VALID_YET.finding(
                Severity.VIOLATION if one.required else Severity.WARNING,
                subject=subject(one),
                evidence=f"becomes valid {relative(begin, now)}, at {begin:%Y-%m-%d %H:%M} UTC",
                fix="compare the clocks of the nodes and of this machine",
                objects=objects_of([one]),
            )


def severity(one: Seen, now: datetime, thresholds: Thresholds, *, followed: bool = False) -> Severity | None:
    """How bad the time that is left to a certificate is; None for long enough.

    For a certificate that nobody checks (self-signed by its server) or is known to use, and for an authority
    that is followed by another one in the same place, it is never more than a warning.
    """
    if one.certificate is None:
        return None
    left = one.certificate.not_after - now
    limits = limits_of(one, one.certificate, thresholds)
    if left > limits.warn and left > limits.critical:
        return None
    used = one.required or one.name in RENEWABLE
    bad = left <= limits.critical and used and not one.generated and not followed
    return Severity.VIOLATION if bad else Severity.WARNING


def limits_of(one: Seen, certificate: Certificate, thresholds: Thresholds) -> Thresholds:
    """The thresholds for one certificate: one that renews itself is late when that should have been done.

    A certificate that is valid for a week always expires within seven days. A kubelet asks for another one
    when 70 to 90 % of the time is over, and so is late after that. A plugin is asked again when the
    certificate that it has given has expired, so nothing is wrong before.

    Source: client-go util/certificate/certificate_manager.go, nextRotationDeadline; client-go
    plugin/pkg/client/auth/exec/exec.go, refreshCredsLocked.
    """
    late = (certificate.not_after - certificate.not_before) * LAST
    if one.by_plugin:
        return Thresholds(min(thresholds.warn, late), timedelta(0))
    if one.name in ROTATED:
        return Thresholds(min(thresholds.warn, late), min(thresholds.critical, late))
    return thresholds
