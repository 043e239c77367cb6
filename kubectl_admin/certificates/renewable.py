"""What kubeadm renews: names, files, signers, and which part of the control plane has to do with each. Pure.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/certs/certlist.go and renewal/manager.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubectl_admin.certificates.components import APISERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER
from kubectl_admin.errors import UsageError

RENEWAL_DOCS = "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/"
ALL = "all"  # kubeadm's word for every one of them
AUTHORITIES = ("ca", "etcd-ca", "front-proxy-ca")


@dataclass(frozen=True, slots=True)
class Renewable:
    """A certificate that kubeadm renews.

    files: within a backup, the key first, as kubeadm writes them. authority: which signs it.
    server: the component that serves it; it reads the files again by itself, or has to be started anew.
    reader: the component that has read it when it started, and does so never again.
    """

    name: str
    files: tuple[str, ...]
    authority: str
    server: str = ""
    reader: str = ""


def _pair(base: str) -> tuple[str, str]:
    return f"pki/{base}.key", f"pki/{base}.crt"


RENEWABLE = {
    one.name: one
    for one in (
        Renewable("admin.conf", ("admin.conf",), "ca"),
        Renewable("apiserver", _pair("apiserver"), "ca", server=APISERVER),
        Renewable("apiserver-etcd-client", _pair("apiserver-etcd-client"), "etcd-ca"),
        Renewable("apiserver-kubelet-client", _pair("apiserver-kubelet-client"), "ca"),
        Renewable("controller-manager.conf", ("controller-manager.conf",), "ca", reader=CONTROLLER_MANAGER),
        Renewable("etcd-healthcheck-client", _pair("etcd/healthcheck-client"), "etcd-ca"),
        Renewable("etcd-peer", _pair("etcd/peer"), "etcd-ca", server=ETCD),
        Renewable("etcd-server", _pair("etcd/server"), "etcd-ca", server=ETCD),
        Renewable("front-proxy-client", _pair("front-proxy-client"), "front-proxy-ca"),
        Renewable("scheduler.conf", ("scheduler.conf",), "ca", reader=SCHEDULER),
        Renewable("super-admin.conf", ("super-admin.conf",), "ca"),
    )
}


def known(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, in kubeadm's order. Raises UsageError for what kubeadm does not renew."""
    wanted = set(names)
    for name in sorted(wanted):
        if name in AUTHORITIES:
            raise UsageError(
                f"{name} is an authority, which no renewal touches: all that it has signed would go with it",
                "docs/certificates.md says what replacing one takes",
            )
        if name not in RENEWABLE:
            raise UsageError(f"kubeadm renews no {name!r}", f"it renews {', '.join(RENEWABLE)}")
    return tuple(name for name in RENEWABLE if name in wanted)
