"""The trust and certificates of TLS: one context for requests and channels alike."""

import base64
import os
import re
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kubectl_admin.cluster.kubeconfig import Target, material
from kubectl_admin.errors import AdminError

# Where distributions keep the authorities that they trust. Source: Go, crypto/x509/root_linux.go.
SYSTEM_ROOTS = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----\s(.*?)-----END CERTIFICATE-----", re.DOTALL)


def context_for(target: Target) -> ssl.SSLContext:
    """A TLS context that trusts what the kubeconfig says; raises AdminError for a broken authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # As in Go, a certificate that is trusted need not be a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if target.cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    authority = material(target, "certificate-authority")
    if authority is None:
        trust_system(context)
        return context
    if not trust(context, authority):
        raise AdminError(
            f'unable to load root certificates of cluster "{target.cluster_name}": no PEM certificate in it'
        )
    return context


def context_to_proxy(target: Target) -> ssl.SSLContext:
    """A TLS context to an https:// proxy, which is shown no client certificate.

    As kubectl, it trusts there what the kubeconfig says, an authority or everything. It also trusts what this
    machine does, since most such proxies have their certificates from elsewhere than the cluster.
    Source: Go, net/http transport.go, addTLS; k8s.io/streaming pkg/httpstream/spdy.
    """
    context = context_for(target)
    if context.verify_mode is ssl.CERT_REQUIRED:
        trust_system(context)
    return context


def trust(context: ssl.SSLContext, bundle: bytes) -> int:
    """Makes the context trust the certificates of a bundle, and returns how many.

    Only its PEM blocks count, whatever is around them in whatever encoding, and of them those that can be
    read. Source: Go, crypto/x509 cert_pool.go, AppendCertsFromPEM.
    """
    trusted = 0
    for block in CERTIFICATE.findall(bundle):
        with suppress(ssl.SSLError, ValueError):
            context.load_verify_locations(cadata=base64.b64decode(b"".join(block.split()), validate=True))
            trusted += 1
    return trusted


def trust_system(context: ssl.SSLContext) -> None:
    """Makes the context trust what this machine trusts, wherever the distribution keeps it.

    The place that OpenSSL was built with is right only where this program was built.
    """
    before = len(context.get_ca_certs())
    context.load_default_certs()
    if len(context.get_ca_certs()) == before:
        for path in filter(os.path.exists, SYSTEM_ROOTS):
            context.load_verify_locations(path)
            return


def context_to_loopback(client_certificate: bytes | None, user_name: str) -> ssl.SSLContext:
    """A TLS context for servers on a node's loopback, whose certificates nobody has signed but themselves.

    client_certificate: shown to them, with its key, as PEM; None for nothing.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if client_certificate:
        show_certificate(context, client_certificate, user_name)
    return context


def show_certificate(context: ssl.SSLContext, pem: bytes, user_name: str) -> None:
    """Makes the context's further connections show this client certificate, given with its key.

    Raises AdminError if they are not a pair. The key never lies on a disk where memory files exist (Linux),
    elsewhere for the moment that loading takes.
    """

    def no_password() -> str:
        raise AdminError(f'the client key of user "{user_name}" is encrypted, which is not supported')

    try:
        with as_file(pem) as path:
            context.load_cert_chain(path, password=no_password)
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise AdminError(
            f'unable to load the client certificate and key of user "{user_name}": {reason}'
        ) from None


def is_pair(pem: bytes) -> bool:
    """Whether a certificate and the key beside it belong together, and can be used."""
    try:
        show_certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), pem, "")
    except AdminError:
        return False
    return True


@contextmanager
def as_file(data: bytes) -> Iterator[str]:
    """The data under a file name, as long as it is needed: TLS libraries load keys from files only."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("client-certificate")
        path = f"/proc/self/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp()  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            yield path
    finally:
        if not path.startswith("/proc/"):
            os.unlink(path)  # noqa: PTH108
