"""Authorities: those that end too early, and those whose keys are elsewhere. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.facts import Facts, Seen, Source, Use
from kubectl_admin.certificates.judge.alike import distinct, grouped, objects_of
from kubectl_admin.finding import Finding, Severity

PKI_DOCS = "https://kubernetes.io/docs/setup/best-practices/certificates/"


def ending_first(facts: Facts) -> Iterator[Finding]:
    """Authorities that end before what they have signed: that ends with them."""
    signed: dict[str, list[Seen]] = {}
    for one in distinct(facts):
        if one.certificate:
            signed.setdefault(one.certificate.issuer, []).append(one)
    for authority in distinct(facts):
        mine = authority.certificate
        if mine is None or authority.use is not Use.AUTHORITY:
            continue
        longer = [
            one
            for one in signed.get(mine.subject, ())
            if one.certificate and mine.signed(one.certificate) and one.certificate.not_after > mine.not_after
        ]
        if longer:
            yield Finding(
                Severity.WARNING,
                "authority-ends-first",
                authority.name,
                "what an authority has signed is worth nothing once that has ended",
                f"ends at {mine.not_after:%Y-%m-%d %H:%M} UTC, before"
                f" {', '.join(dict.fromkeys(one.name for one in longer))}",
                "replace the authority in time: docs/certificates.md",
                PKI_DOCS,
                objects_of(longer),
            )


def external(facts: Facts) -> Iterator[Finding]:
    """Authorities whose keys are not in the cluster, so that kubeadm can't renew what they signed."""
    control_planes = {one.node for one in facts.seen if one.name == "apiserver" and one.source is Source.FILE}
    without = [one for one in facts.seen if one.key is False and one.node in control_planes and one.required]
    for (name,), found in grouped(without, lambda one: (one.name,)):
        yield Finding(
            Severity.NOTE,
            "external-authority",
            name,
            "kubeadm renews only what it has the authority's key for",
            f"{found[0].where} has no key beside it",
            "renew with requests, signed by whoever holds the key: docs/certificates.md has every step",
            "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/#external-ca-mode",
            objects_of(found),
        )
