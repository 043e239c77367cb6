"""Files without a certificate where there should be one, and with one where there should be none. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.facts import Facts, Seen, Source
from kubectl_admin.certificates.judge.alike import distinct, grouped, objects_of, subject
from kubectl_admin.certificates.renewable import CLIENT
from kubectl_admin.certificates.rules import KUBELET_CONF_EMBEDS, ODD_EXTENSION, UNREADABLE
from kubectl_admin.certificates.x509 import Broken
from kubectl_admin.finding import Finding, Severity


def unreadable(facts: Facts) -> Iterator[Finding]:
    """Files and fields that should hold a certificate and do not."""
    broken = [one for one in facts.seen if one.certificate is None]
    for (name, why, required), found in grouped(broken, lambda one: (subject(one), _why(one), one.required)):
        yield UNREADABLE.finding(
            Severity.VIOLATION if required else Severity.WARNING,
            subject=name,
            evidence=f"{found[0].where}: {why}",
            fix="" if required else "remove the file if nothing uses it",
            objects=objects_of(found),
        )


def odd(facts: Facts) -> Iterator[Finding]:
    """Certificates with an extension that can't be read here, though components may read it."""
    pairs = (
        (one, why) for one in distinct(facts) for why in (one.certificate.odd if one.certificate else ())
    )
    for (name, why), found in grouped(pairs, lambda pair: (subject(pair[0]), pair[1])):
        yield ODD_EXTENSION.warning(
            subject=name,
            evidence=f"{found[0][0].where}: {why}",
            fix="have it signed without that extension at its next renewal; the extension is not judged",
            objects=objects_of(one for one, _ in found),
        )


def kubelet_configs(facts: Facts) -> Iterator[Finding]:
    """kubelet.conf files that embed a certificate, which the kubelet's own rotation does not replace."""
    embedded = [one for one in facts.seen if one.name == "kubelet.conf" and one.source is Source.KUBECONFIG]
    for (_,), found in grouped(embedded, lambda one: (one.name,)):
        yield KUBELET_CONF_EMBEDS.warning(
            subject="kubelet.conf",
            evidence="it embeds a certificate, which neither kubeadm nor the kubelet renews there",
            fix=f"kubectl admin certs renew {CLIENT}, which has it name that file",
            objects=objects_of(found),
        )


def _why(one: Seen) -> str:
    return one.content.why if isinstance(one.content, Broken) else ""
