"""When certificates expire, as a metric. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.facts import Facts
from kubectl_admin.report.exposition import Labels, gauge

EXPIRY = "kubectl_admin_certificate_expiry_timestamp_seconds"


def exposition(facts: Facts) -> str:
    """A sample for each certificate in each place, as text in Prometheus' format."""
    return "".join(gauge(EXPIRY, "When a certificate expires, in seconds since 1970.", samples(facts)))


def samples(facts: Facts) -> Iterator[tuple[Labels, float]]:
    """The name, place and expiry of each certificate that can be read."""
    for one in facts.seen:
        if one.certificate is not None:
            labels = {
                "name": one.name,
                "node": one.node,
                "source": str(one.source),
                "where": one.where,
                "common_name": one.certificate.common_name,
                "issuer": one.certificate.issuer,
                "serial": one.certificate.serial_text,
            }
            yield labels, int(one.certificate.not_after.timestamp())
