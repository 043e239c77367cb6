"""What asking kubelets for new certificates would do on each node, and what forbids it. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from kubectl_admin.certificates.renewable import CLIENT, RENEWAL_DOCS, SERVING
from kubectl_admin.certificates.renewal.facts import Facts, Node
from kubectl_admin.certificates.renewal.plan import NodeStep, Plan, busy, why
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report.text import relative

SIGNED = "serverTLSBootstrap"  # the kubelet's setting with which the cluster signs what it serves
BOOTSTRAP_DOCS = "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/"
AGAIN_BY_HAND = (
    "on a control-plane node, with the cluster's configuration in FILE: kubeadm kubeconfig user --config FILE"
    " --org system:nodes --client-name system:node:NODE > kubelet.conf; that goes to /etc/kubernetes on NODE,"
    " whose kubelet is restarted without /var/lib/kubelet/pki/kubelet-client-*; docs/certs.md has every step"
)


def rotation(facts: Facts, names: Sequence[str], now: datetime) -> Plan:
    """The plan. names: `kubelet-client`, `kubelet-serving`, or both."""
    steps = tuple(NodeStep(node, tuple(names), tuple(names)) for node in facts.nodes)
    findings = [finding for step in steps for finding in forbidding(step, now)]
    return Plan(facts.context, steps, (*findings, *remarks(steps)))


def forbidding(step: NodeStep, now: datetime) -> Iterator[Finding]:
    """What forbids it on one node."""
    node = step.node
    yield from busy(node)
    if not node.survey.kubelet:
        yield violation(
            node,
            "kubelet-down",
            "kubelet",
            "only a kubelet that runs asks for a certificate",
            "its unit is not active",
            "see why, on the node: journalctl -u kubelet",
        )
    if CLIENT in step.names:
        yield from forbidding_client(node, now)
    if SERVING in step.names and (path := node.settings.get("tlsCertFile")):
        yield violation(
            node,
            "foreign-certificate",
            SERVING,
            "a kubelet renews what it has asked for, or made, itself",
            f"it was told to serve {path}",
            "whoever put that file there has to renew it",
        )


def forbidding_client(node: Node, now: datetime) -> Iterator[Finding]:
    """What forbids it for the certificate that a kubelet shows to API servers."""
    # What kubelet.conf embeds counts where the kubelet has no file of its own.
    name = CLIENT if node.has(CLIENT) else "kubelet.conf"
    found = node.certificate(name)
    if node.settings.get("rotateCertificates") != "true":
        yield violation(
            node,
            "no-rotation",
            CLIENT,
            "a kubelet asks for new certificates where its configuration says so",
            "it does not say rotateCertificates: true",
            "add that to /var/lib/kubelet/config.yaml, then, on the node: systemctl restart kubelet",
        )
    if found is None:
        yield violation(
            node,
            "broken-certificate",
            CLIENT,
            "a kubelet asks with the certificate that it has",
            why(node, name) if node.has(name) else "there is none",
            AGAIN_BY_HAND,
        )
    elif found and found.not_after <= now:
        yield violation(
            node,
            "ended",
            CLIENT,
            "a kubelet asks with the certificate that it has, which the API server must accept",
            f"it ended {relative(found.not_after, now)}",
            AGAIN_BY_HAND,
        )


def violation(node: Node, rule: str, subject: str, must: str, found: str, fix: str) -> Finding:
    """A finding about one node that forbids it."""
    objects = (f"node/{node.node}",)
    fix = fix.replace("NODE", node.node)
    return Finding(Severity.VIOLATION, rule, subject, must, found, fix, BOOTSTRAP_DOCS, objects)


def remarks(steps: Sequence[NodeStep]) -> Iterator[Finding]:
    """What is to be known beforehand, and forbids nothing."""
    silent = [
        step.node.node for step in steps if SERVING in step.names and step.node.settings.get(SIGNED) == "true"
    ]
    if silent:
        yield Finding(
            Severity.NOTE,
            "silent-meanwhile",
            SERVING,
            "a kubelet serves when its certificate has been approved",
            "from its restart until then, some seconds, there is no exec, no log and no port-forward there",
            "what its request asks for is judged, and approved if it is right, as by certs csr approve",
            f"{RENEWAL_DOCS}#kubelet-serving-certs",
            tuple(f"node/{name}" for name in silent),
        )
