"""What holds no certificate where there should be one, or one where there should be none. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.facts import Facts, Seen, Source
from kubectl_admin.certificates.judge.alike import distinct, grouped, objects_of, subject
from kubectl_admin.certificates.renewable import CLIENT
from kubectl_admin.certificates.x509 import Broken
from kubectl_admin.finding import Finding, Severity


def unreadable(facts: Facts) -> Iterator[Finding]:
    """What should be a certificate and is none."""
    broken = [one for one in facts.seen if one.certificate is None]
    for (name, why, required), found in grouped(broken, lambda one: (subject(one), _why(one), one.required)):
        yield Finding(
            Severity.VIOLATION if required else Severity.WARNING,
            "unreadable",
            name,
            "what a component is told to use must be a certificate",
            f"{found[0].where}: {why}",
            "" if required else "take the file away, if nothing uses it",
            objects=objects_of(found),
        )


def odd(facts: Facts) -> Iterator[Finding]:
    """Certificates with an extension that can't be read here, though components may read it."""
    pairs = (
        (one, why) for one in distinct(facts) for why in (one.certificate.odd if one.certificate else ())
    )
    for (name, why), found in grouped(pairs, lambda pair: (subject(pair[0]), pair[1])):
        yield Finding(
            Severity.WARNING,
            "odd-extension",
            name,
            "an extension of a certificate is as RFC 5280 says, or some programs refuse it",
            f"{found[0][0].where}: {why}",
            "have it signed without that when it is renewed; what depends on that extension is not judged",
            "RFC 5280, section 4.2",
            objects_of(one for one, _ in found),
        )


def kubelet_configs(facts: Facts) -> Iterator[Finding]:
    """kubelet.conf files that embed a certificate, which the kubelet's own rotation does not replace."""
    embedded = [one for one in facts.seen if one.name == "kubelet.conf" and one.source is Source.KUBECONFIG]
    for (_,), found in grouped(embedded, lambda one: (one.name,)):
        yield Finding(
            Severity.WARNING,
            "kubelet-conf-embeds",
            "kubelet.conf",
            "kubelet.conf must name the file that the kubelet rotates, which is kubelet-client-current.pem",
            "it holds a certificate of its own, which nothing renews",
            f"kubectl admin certs renew {CLIENT}, which has it name that file",
            "https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/troubleshooting-kubeadm/",
            objects_of(found),
        )


def _why(one: Seen) -> str:
    return one.content.why if isinstance(one.content, Broken) else ""
