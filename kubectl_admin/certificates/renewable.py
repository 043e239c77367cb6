"""Certificates that kubeadm or kubelets renew: names, files, signers, who serves or reads each. Pure.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/certs/certlist.go and renewal/manager.go;
pkg/kubelet/certificate/kubelet.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER
from kubectl_admin.errors import UsageError

RENEWAL_DOCS = "https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-certs/"
ALL = "all"  # kubeadm's word for every one of them
AUTHORITIES = {"ca": "ca", "etcd-ca": "etcd/ca", "front-proxy-ca": "front-proxy-ca"}  # and their files
CLIENT, SERVING = "kubelet-client", "kubelet-serving"


@dataclass(frozen=True, slots=True)
class Renewable:
    """A certificate that is renewed on request.

    files: within a backup, the key first, as kubeadm writes them; none for a kubelet's.
    authority: which signs it.
    server: the component that serves it; it reloads the files by itself, or has to be restarted.
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


# A kubelet gets these by itself, on every node; kubeadm has nothing to do with it.
ROTATED = {
    CLIENT: Renewable(CLIENT, (), "ca"),
    SERVING: Renewable(SERVING, (), "", server="kubelet"),
}
KNOWN = {**RENEWABLE, **ROTATED}


def authority(name: str) -> UsageError:
    """Why an authority is not renewed."""
    return UsageError(
        f"{name} is an authority, which is never renewed: certificates that it has signed would be worthless",
        "to replace an authority: docs/certificates.md",
    )


def names_to_choose_from() -> str:
    """The hint where nothing is named, or nothing that can be renewed."""
    return f"these can be renewed: {', '.join(KNOWN)}"


def known(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, in their usual order: all of them kubeadm's, or all kubelets'.

    Raises UsageError for names that can't be renewed, and for names of both.
    """
    wanted = set(names)
    for name in sorted(wanted):
        if name in AUTHORITIES:
            raise authority(name)
        if name not in KNOWN:
            raise UsageError(f"{name!r} can't be renewed", names_to_choose_from())
    if wanted & ROTATED.keys() and wanted & RENEWABLE.keys():
        raise UsageError(
            "certificates of kubeadm and of kubelets can't be renewed in one run",
            f"name {' and '.join(ROTATED)} in a run of their own",
        )
    return tuple(name for name in KNOWN if name in wanted)
