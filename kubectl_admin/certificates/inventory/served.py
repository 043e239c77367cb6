"""Which certificate a port of a node really shows: a TLS handshake through a port-forward, without a pod of
our own, or, for what does not listen on the loopback, by a program on the node's host.
"""

from collections.abc import Callable

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.inventory import disk
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.errors import AdminError

HANDSHAKE_TIMEOUT = 10.0  # seconds
RETRIES = 3  # after failures that may well be none a little later


def certificate(
    cluster: Cluster, pod: str, port: int, *, namespace: str = KUBE_SYSTEM, timeout: float = HANDSHAKE_TIMEOUT
) -> Certificate:
    """The certificate that is served on a port of a node's loopback.

    pod: one in that node's own network (a static pod, kube-proxy's), through which the way leads.
    timeout: seconds for each of a few tries.

    No client certificate is shown: a server that wants one says so after it has shown its own. Raises
    PortError where nothing listens, AdminError for what speaks no TLS or shows what can't be read.
    """
    from kubectl_admin.cluster import tls
    from kubectl_admin.cluster.secured import Secured

    def shown() -> bytes | None:
        with cluster.port_forward(namespace, pod, port, timeout=timeout) as forward:
            return Secured(forward, tls.context_to_loopback(None, ""), None, forward.what).peer_certificate

    # An API server that has just loaded a client certificate hangs up on kubelets, in the middle of anything.
    patiently = Retry(patience=timeout, retries=RETRIES, clock=cluster.clock)
    return _readable(x509.of_der(patiently(shown) or b""), f"port {port} of pod {namespace}/{pod}")


def through_host(script: Callable[..., bytes], address: str) -> Certificate:
    """The certificate that is served at «10.0.0.11:2380», as the node itself sees it.

    script: a Host's own. Raises AdminError where nothing answers, or the host has no program for it.
    """
    answer = script(disk.SCRIPT, "-", "served", "-", address)
    return _readable(
        disk.served(answer).get(address, x509.Broken("the node's answer does not mention it")), address
    )


def _readable(found: Certificate | x509.Broken, where: str) -> Certificate:
    if isinstance(found, x509.Broken):
        raise AdminError(f"{where}: {found.why}")
    return found
