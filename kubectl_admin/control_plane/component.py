"""The parts of a cluster by the names that Kubernetes gives them, and the ports on which they serve.

Source: kubernetes/kubernetes cmd/kubeadm/app/constants; docs «Ports and Protocols».
"""

from enum import StrEnum


class Component(StrEnum):
    """The parts of a cluster whose version matters."""

    APISERVER = "kube-apiserver"
    CONTROLLER_MANAGER = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"
    CLOUD_CONTROLLER_MANAGER = "cloud-controller-manager"
    ETCD = "etcd"
    KUBELET = "kubelet"
    KUBE_PROXY = "kube-proxy"
    COREDNS = "coredns"
    KUBECTL = "kubectl"


CONTROLLERS = (Component.CONTROLLER_MANAGER, Component.SCHEDULER, Component.CLOUD_CONTROLLER_MANAGER)
# The same names as plain text, as the labels of pods and documents have them.
APISERVER, ETCD = Component.APISERVER.value, Component.ETCD.value
CONTROLLER_MANAGER, SCHEDULER = Component.CONTROLLER_MANAGER.value, Component.SCHEDULER.value
# component -> the flag that names its port (or a URL with it), and the port where it does not.
PORTS = {
    Component.APISERVER: ("secure-port", 6443),
    Component.CONTROLLER_MANAGER: ("secure-port", 10257),
    Component.SCHEDULER: ("secure-port", 10259),
    Component.CLOUD_CONTROLLER_MANAGER: ("secure-port", 10258),
    Component.ETCD: ("listen-metrics-urls", 2381),
}
ETCD_PORT = 2379  # for clients
KUBELET_PORT = 10250
KUBE_PROXY_METRICS = 10249
