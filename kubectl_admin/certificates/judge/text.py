"""Certificates in a few words. Pure."""

from kubectl_admin.certificates.x509 import Certificate


def short(certificate: Certificate | None) -> str:
    """A certificate in a word: the end of its serial number, and when it ends."""
    if certificate is None:
        return "none"
    return f"serial …{certificate.serial_text[-8:]} (until {certificate.not_after:%Y-%m-%d})"
