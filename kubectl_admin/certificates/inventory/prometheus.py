"""When certificates expire, as metrics, for the textfile collector of Prometheus' node_exporter. Pure.

Source: prometheus/docs, «Exposition formats»; node_exporter's README, «Textfile Collector».
"""

from kubectl_admin.certificates.facts import Facts
from kubectl_admin.report.text import printable

EXPIRY = "kubectl_admin_certificate_expiry_timestamp_seconds"


def exposition(facts: Facts) -> str:
    """A sample for each certificate in each place, as text in Prometheus' format."""
    lines = [
        f"# HELP {EXPIRY} When a certificate expires, in seconds since 1970.",
        f"# TYPE {EXPIRY} gauge",
    ]
    told = set()
    for one in facts.seen:
        if one.certificate is None:
            continue
        labels = {
            "name": one.name,
            "node": one.node,
            "source": str(one.source),
            "where": one.where,
            "common_name": one.certificate.common_name,
            "issuer": one.certificate.issuer,
            "serial": one.certificate.serial_text,
        }
        # A series may stand there once only.
        if (about := tuple(labels.values())) not in told:
            told.add(about)
            said = ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items())
            lines.append(f"{EXPIRY}{{{said}}} {int(one.certificate.not_after.timestamp())}")
    return "".join(f"{line}\n" for line in lines)


def escaped(value: str) -> str:
    """A label's value as it stands between quotation marks; a backslash begins nothing but these escapes."""
    return printable(value).replace("\\", "\\\\").replace('"', '\\"')
