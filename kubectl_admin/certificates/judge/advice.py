"""What to do about a certificate. Pure."""

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
RESIGNED = "have a new one signed by whoever gave you this one"
THEIRS = "whoever installed it has to renew it (cert-manager, a chart, an operator)"
OVERDUE = "the kubelet does so by itself; see why it has not: journalctl -u kubelet, kubectl get csr"


def renewal(one: Seen) -> str:
    """What to do about a certificate that ends; "" where nobody knows."""
    if one.name in RENEWABLE:
        return f"kubectl admin certs renew {one.name}"
    if one.use is Use.AUTHORITY:
        theirs = one.source is Source.OBJECT and "/" in one.name
        return THEIRS if theirs else "replace the authority: docs/certificates.md"
    if one.name == EXTERNAL_ETCD:
        return "whoever runs etcd has to renew it"
    if one.name.startswith("kubelet"):
        now = f"kubectl admin certs renew {SERVING if one.name == SERVING else CLIENT}"
        return now if one.generated else f"{now} has it rotated now; {OVERDUE}"
    if one.source is Source.USER:
        config = config_of(one)
        return f"kubectl admin certs renew {config}, which renews your own as well" if config else RESIGNED
    return "restarting the process makes a new one" if one.generated else ""


def config_of(one: Seen) -> str:
    """The file of kubeadm's that holds a user's certificate like this one; "" where it is none of those."""
    found = one.certificate
    return next((CONFIGS[each] for each in (found.organizations if found else ()) if each in CONFIGS), "")


def restart(component: str, name: str) -> str:
    """How a process comes to read the certificate of that name anew."""
    if component == "kubelet":
        return "systemctl restart kubelet, on that node"
    by_hand = f"move the manifest of {component} out of /etc/kubernetes/manifests, and back after 20 s"
    if name not in RENEWABLE:
        return by_hand
    return f"kubectl admin certs renew {name} renews it once more, and sees it loaded; by hand: {by_hand}"
