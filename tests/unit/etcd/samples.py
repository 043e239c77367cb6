"""Static pods as kubeadm makes them, and members of etcd, for the tests of this room."""

from typing import Any

PKI = "/etc/kubernetes/pki/etcd"


def etcd_command(node: str, address: str) -> list[str]:
    """The command of kubeadm's manifest (cmd/kubeadm/app/phases/etcd/local.go)."""
    return [
        "etcd",
        f"--advertise-client-urls=https://{address}:2379",
        f"--cert-file={PKI}/server.crt",
        "--client-cert-auth=true",
        "--data-dir=/var/lib/etcd",
        f"--initial-advertise-peer-urls=https://{address}:2380",
        f"--initial-cluster={node}=https://{address}:2380",
        f"--key-file={PKI}/server.key",
        f"--listen-client-urls=https://127.0.0.1:2379,https://{address}:2379",
        "--listen-metrics-urls=http://127.0.0.1:2381",
        f"--name={node}",
        f"--trusted-ca-file={PKI}/ca.crt",
    ]


def apiserver_command(servers: str = "https://127.0.0.1:2379") -> list[str]:
    """As much of the command of kubeadm's manifest as is about etcd."""
    return [
        "kube-apiserver",
        "--allow-privileged",
        f"--etcd-cafile={PKI}/ca.crt",
        "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt",
        "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
        f"--etcd-servers={servers}",
    ]


def static_pod(component: str, node: str, command: list[str], **container: Any) -> dict[str, Any]:
    """The object of a static pod of the control plane that runs this command."""
    return {
        "metadata": {
            "name": f"{component}-{node}",
            "namespace": "kube-system",
            "uid": f"object-of-{node}",
            "labels": {"component": component, "tier": "control-plane"},
            "annotations": {"kubernetes.io/config.hash": f"hash-of-{node}"},
        },
        "spec": {
            "nodeName": node,
            "containers": [{"name": component, "image": f"x/{component}:1", "command": command, **container}],
        },
        "status": {
            "hostIP": "192.0.2.1",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": component, "containerID": f"containerd://running-on-{node}"}],
        },
    }


def etcd_pod(node: str = "cp-1", address: str = "192.0.2.1") -> dict[str, Any]:
    """kubeadm's etcd pod on a node."""
    return static_pod("etcd", node, etcd_command(node, address))
