"""The fixes for certificates. Pure."""

from collections.abc import Mapping

from kubectl_admin.certificates.facts import Seen, Source, Use
from kubectl_admin.certificates.inventory.components import EXTERNAL_ETCD
from kubectl_admin.certificates.renewable import CLIENT, RENEWABLE, SERVING
from kubectl_admin.control_plane.component import CONTROLLER_MANAGER, SCHEDULER

# The name of a certificate that is served -> the component that serves it.
SERVERS: Mapping[str, str] = {
    **{one.name: one.server for one in RENEWABLE.values() if one.server},
    "controller-manager-serving": CONTROLLER_MANAGER,
    "scheduler-serving": SCHEDULER,
    "kubelet-serving": "kubelet",
}
# Whose certificates are in kubeadm's own kubeconfig files, by their organization.
# Source: kubernetes/kubernetes cmd/kubeadm/app/phases/kubeconfig/kubeconfig.go.
CONFIGS = {"kubeadm:cluster-admins": "admin.conf", "system:masters": "super-admin.conf"}
RESIGNED = "ask the issuer of this certificate for a new one"
THEIRS = "renew it with the tool that installed it (cert-manager, a chart, an operator)"
OVERDUE = "the kubelet should have done so by itself; to see why not: journalctl -u kubelet, kubectl get csr"


def renewal(one: Seen) -> str:
    """The fix for a certificate that expires; "" where nobody knows."""
    if one.name in RENEWABLE:
        return f"kubectl admin certs renew {one.name}"
    if one.use is Use.AUTHORITY:
        theirs = one.source is Source.OBJECT and "/" in one.name
        return THEIRS if theirs else "replace the authority: docs/certificates.md"
    if one.name == EXTERNAL_ETCD:
        return "have the operator of that etcd renew it"
    if one.name.startswith("kubelet"):
        now = f"kubectl admin certs renew {SERVING if one.name == SERVING else CLIENT}"
        return now if one.generated else f"{now} rotates it now; {OVERDUE}"
    if one.source is Source.USER:
        config = config_of(one)
        return f"kubectl admin certs renew {config}, which also renews your own" if config else RESIGNED
    return "restart the process, which generates a new one" if one.generated else ""


def config_of(one: Seen) -> str:
    """The file of kubeadm's that holds a user's certificate like this one; "" where it is none of those."""
    found = one.certificate
    return next((CONFIGS[each] for each in (found.organizations if found else ()) if each in CONFIGS), "")


def restart(component: str, name: str) -> str:
    """How to have a process reload the certificate of that name."""
    if component == "kubelet":
        return "systemctl restart kubelet, on that node"
    by_hand = f"move the manifest of {component} out of /etc/kubernetes/manifests, and back after 20 s"
    if name not in RENEWABLE:
        return by_hand
    return f"kubectl admin certs renew {name}, which verifies that it is loaded; or by hand: {by_hand}"
