"""Certificates without which no node can be reached. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.facts import Facts
from kubectl_admin.certificates.rules import APISERVER_REFUSED, KUBELET_WITHOUT_CERTIFICATE
from kubectl_admin.finding import Finding


def refused(facts: Facts) -> Iterator[Finding]:
    """Kubelets that refuse the API server: nothing here can reach a node then, so it has to be done there.

    Source: docs «Kubelet authentication/authorization»: the API server shows them apiserver-kubelet-client.
    """
    if facts.refusing:
        yield APISERVER_REFUSED.violation(
            subject="apiserver-kubelet-client",
            evidence="kubelets answer the API server with 401: its client certificate has expired, or they "
            "trust another authority",
            fix="on each control-plane node: kubeadm certs renew apiserver-kubelet-client; if that does not "
            "help within a minute: move kube-apiserver.yaml out of /etc/kubernetes/manifests, and back after "
            "20 s",
            objects=(f"node/{node}" for node in facts.refusing),
        )


def uncertified(facts: Facts) -> Iterator[Finding]:
    """Kubelets that have no certificate to serve, so that the API server can't speak to them."""
    if facts.uncertified:
        yield KUBELET_WITHOUT_CERTIFICATE.violation(
            subject="kubelet-serving",
            evidence="the kubelet serves none: its request was not approved, or its file is missing",
            fix="kubectl admin certs csr lists pending requests; approve the valid ones: "
            "kubectl admin certs csr approve --all-valid",
            objects=(f"node/{node}" for node in facts.uncertified),
        )
