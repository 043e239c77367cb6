"""The way to the nodes, which leads through certificates itself. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.facts import Facts
from kubectl_admin.finding import Finding, Severity


def refused(facts: Facts) -> Iterator[Finding]:
    """Kubelets that refuse the API server: nothing here can reach a node then, so it has to be done there.

    Source: docs «Kubelet authentication/authorization»: the API server shows them apiserver-kubelet-client.
    """
    if not facts.refusing:
        return
    yield Finding(
        Severity.VIOLATION,
        "apiserver-refused",
        "apiserver-kubelet-client",
        "kubelets must know the API server by its client certificate; exec, logs and port-forward need it",
        "kubelets answer the API server with 401: its client certificate has ended, or they trust another"
        " authority",
        "on each control-plane node: kubeadm certs renew apiserver-kubelet-client; where that does not help"
        " within a minute: move kube-apiserver.yaml out of /etc/kubernetes/manifests, and back after 20 s",
        "https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/",
        tuple(f"node/{node}" for node in facts.refusing),
    )


def uncertified(facts: Facts) -> Iterator[Finding]:
    """Kubelets that have no certificate to serve, so that the API server can't speak to them."""
    if not facts.uncertified:
        return
    yield Finding(
        Severity.VIOLATION,
        "kubelet-without-certificate",
        "kubelet-serving",
        "a kubelet must have a certificate to serve; exec, logs and port-forward need it",
        "the kubelet serves none: its request for one has not been approved, or its file is not there",
        "kubectl admin certs csr shows the requests that wait, and approves those that are right",
        "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/#kubelet-serving-certs",
        tuple(f"node/{node}" for node in facts.uncertified),
    )
