"""The plan of having kubelets ask for new certificates, node by node, and what forbids it. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from kubectl_admin.certificates.renewable import CLIENT, SERVING
from kubectl_admin.certificates.renewal.facts import Facts, Node
from kubectl_admin.certificates.renewal.plan import NodeStep, busy, why
from kubectl_admin.certificates.rules import (
    BROKEN_CERTIFICATE,
    EXPIRED,
    FOREIGN_CERTIFICATE,
    KUBELET_DOWN,
    NO_ROTATION,
    SILENT_MEANWHILE,
)
from kubectl_admin.finding import Finding
from kubectl_admin.plan import Plan
from kubectl_admin.report.text import relative

SIGNED = "serverTLSBootstrap"  # the kubelet's setting with which the cluster signs what it serves
RECREATE = (
    "on a control-plane node, with the cluster's configuration in FILE: kubeadm kubeconfig user --config FILE"
    " --org system:nodes --client-name system:node:NODE > kubelet.conf; copy that to /etc/kubernetes on NODE,"
    " and restart its kubelet without /var/lib/kubelet/pki/kubelet-client-*; docs/certs.md has every step"
)


def rotation(facts: Facts, names: Sequence[str], now: datetime) -> Plan[NodeStep]:
    """The plan. names: `kubelet-client`, `kubelet-serving`, or both."""
    steps = tuple(NodeStep.of("rotate", node, names, names) for node in facts.nodes)
    findings = [finding for step in steps for finding in forbidding(step, now)]
    return Plan(facts.context, steps, (*findings, *remarks(steps)))


def forbidding(step: NodeStep, now: datetime) -> Iterator[Finding]:
    """Bars to it on one node."""
    node = step.before
    objects = (f"node/{node.name}",)
    yield from busy(node)
    if not node.survey.kubelet:
        yield KUBELET_DOWN.violation(
            says="only a running kubelet asks for a certificate",
            subject="kubelet",
            evidence="its systemd unit is not active",
            fix="see why, on the node: journalctl -u kubelet",
            objects=objects,
        )
    if CLIENT in step.names:
        yield from forbidding_client(node, now)
    if SERVING in step.names and (path := node.settings.get("tlsCertFile")):
        yield FOREIGN_CERTIFICATE.violation(
            subject=SERVING,
            evidence=f"its configuration names the file {path}",
            fix="renew that file the way in which it was put there",
            objects=objects,
        )


def forbidding_client(node: Node, now: datetime) -> Iterator[Finding]:
    """Bars to it for the certificate that a kubelet shows to API servers."""
    # The certificate in kubelet.conf counts where the kubelet has no file of its own.
    name = CLIENT if node.has(CLIENT) else "kubelet.conf"
    found = node.certificate(name)
    objects = (f"node/{node.name}",)
    by_hand = RECREATE.replace("NODE", node.name)
    if node.settings.get("rotateCertificates") != "true":
        yield NO_ROTATION.violation(
            subject=CLIENT,
            evidence="its configuration does not say rotateCertificates: true",
            fix="add that to /var/lib/kubelet/config.yaml, then, on the node: systemctl restart kubelet",
            objects=objects,
        )
    if found is None:
        yield BROKEN_CERTIFICATE.violation(
            subject=CLIENT,
            says="a kubelet asks for a new certificate with the one that it has",
            evidence=why(node, name) if node.has(name) else "there is none",
            fix=by_hand,
            objects=objects,
        )
    elif found.not_after <= now:
        yield EXPIRED.violation(
            subject=CLIENT,
            evidence=f"it expired {relative(found.not_after, now)}, so the kubelet can't authenticate to ask "
            "for a new one",
            fix=by_hand,
            objects=objects,
        )


def remarks(steps: Sequence[NodeStep]) -> Iterator[Finding]:
    """Facts to know first; they forbid nothing."""
    silent = [
        step.node for step in steps if SERVING in step.names and step.before.settings.get(SIGNED) == "true"
    ]
    if silent:
        yield SILENT_MEANWHILE.note(
            subject=SERVING,
            evidence="for some seconds from its restart on, exec, logs and port-forward fail there",
            fix="nothing to do: this run judges the request, and approves it if it is valid",
            objects=(f"node/{name}" for name in silent),
        )
