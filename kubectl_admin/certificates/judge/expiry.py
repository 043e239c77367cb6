"""Certificates that have ended, will soon, or have not begun. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_admin.certificates.facts import Facts, Seen, Use
from kubectl_admin.certificates.judge.advice import renewal
from kubectl_admin.certificates.judge.alike import distinct, objects_of, subject
from kubectl_admin.certificates.renewable import RENEWABLE, RENEWAL_DOCS, ROTATED
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import relative

LAST = 0.1  # of a certificate's time, in which whoever renews it by itself should have done so


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How long before its end a certificate is worth a warning, and when it is critical."""

    warn: timedelta = timedelta(days=30)
    critical: timedelta = timedelta(days=7)


def ends(facts: Facts, now: datetime, thresholds: Thresholds) -> Iterator[Finding]:
    """Certificates that have ended, or will soon; the first of them first."""
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
        when = f"{'ended' if over else 'ends'} {relative(first, now)}, at {first:%Y-%m-%d %H:%M} UTC"
        own = " (self-made; nobody is known to check it)" if found[0][0].self_made else ""
        yield Finding(
            level,
            "ended" if over else "ends-soon",
            name,
            "a certificate is valid for its time only",
            f"{when}{own}",
            fix,
            RENEWAL_DOCS if name in RENEWABLE else "",
            objects_of(one for one, _ in found),
        )


def early(facts: Facts, now: datetime) -> Iterator[Finding]:
    """Certificates whose time has not come: a clock that is wrong, here or where they were made."""
    for one in distinct(facts):
        if one.certificate and (begin := one.certificate.not_before) > now:
            yield Finding(
                Severity.VIOLATION if one.required else Severity.WARNING,
                "not-valid-yet",
                subject(one),
                "a certificate is valid for its time only",
                f"begins {relative(begin, now)}, at {begin:%Y-%m-%d %H:%M} UTC",
                "compare the clocks of the nodes and of this machine",
                objects=objects_of([one]),
            )


def severity(one: Seen, now: datetime, thresholds: Thresholds, *, followed: bool = False) -> Severity | None:
    """How bad the time that is left to a certificate is; None for long enough.

    Of what nobody checks (servers' self-made ones) or is known to use, and of an authority that is followed
    by another one in the same place, it is never more than a warning.
    """
    if one.certificate is None:
        return None
    left = one.certificate.not_after - now
    limits = limits_of(one, one.certificate, thresholds)
    if left > limits.warn and left > limits.critical:
        return None
    used = one.required or one.name in RENEWABLE
    bad = left <= limits.critical and used and not one.self_made and not followed
    return Severity.VIOLATION if bad else Severity.WARNING


def limits_of(one: Seen, certificate: Certificate, thresholds: Thresholds) -> Thresholds:
    """The thresholds for one certificate: what is renewed by itself is late when that should have been.

    A certificate that lives for a week is always within seven days of its end. A kubelet asks for another
    when 70 to 90 % of the time is over, and so is late after that. A plugin is asked again when what it has
    given has ended, so nothing is wrong before.

    Source: client-go util/certificate/certificate_manager.go, nextRotationDeadline; client-go
    plugin/pkg/client/auth/exec/exec.go, refreshCredsLocked.
    """
    late = (certificate.not_after - certificate.not_before) * LAST
    if one.by_plugin:
        return Thresholds(min(thresholds.warn, late), timedelta(0))
    if one.name in ROTATED:
        return Thresholds(min(thresholds.warn, late), min(thresholds.critical, late))
    return thresholds
