"""Control planes as kubeadm makes them, whole: four static pods a node, and their manifests."""

from typing import Any

import yaml

from kubectl_admin.control_plane.pod import PARTS
from kubectl_admin.control_plane.static_pods import StaticPods, among
from kubectl_admin.etcd.restore.on_nodes.manifests import Manifests, manifests_of
from tests.unit.etcd.members.samples import apiserver_command, etcd_command, node, static_pod

DIRECTORY = "/etc/kubernetes/manifests"
PROBED = {
    "etcd": ("/readyz", "127.0.0.1", 2381, "HTTP"),
    "kube-apiserver": ("/readyz", "192.0.2.{number}", 6443, "HTTPS"),
    "kube-controller-manager": ("/healthz", "127.0.0.1", 10257, "HTTPS"),
    "kube-scheduler": ("/readyz", "127.0.0.1", 10259, "HTTPS"),
}
MOUNTS = {"etcd-data": "/var/lib/etcd", "etcd-certs": "/etc/kubernetes/pki/etcd"}


def pod(component: str, number: int, **changes: Any) -> dict[str, Any]:
    """kubeadm's pod on node cp-NUMBER. changes: of its container."""
    address = f"192.0.2.{number}"
    command = {
        "etcd": etcd_command(f"cp-{number}", address),
        "kube-apiserver": apiserver_command(),
    }.get(component, [component, "--leader-elect=true"])
    path, host, port, scheme = PROBED[component]
    kind = "startupProbe" if component == "kube-controller-manager" else "readinessProbe"
    host = host.format(number=number)
    get = {"path": path, "host": host, "port": "probe-port", "scheme": scheme}
    container = {
        "ports": [{"name": "probe-port", "containerPort": port}],
        kind: {"httpGet": get},
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in MOUNTS.items()],
        **changes,
    }
    found = static_pod(component, f"cp-{number}", command, **container)
    found["spec"]["volumes"] = [{"name": name, "hostPath": {"path": path}} for name, path in MOUNTS.items()]
    return found


def control_plane(*numbers: int) -> dict[tuple[int, str], dict[str, Any]]:
    """All pods, by the number of their node and their component."""
    return {(number, part): pod(part, number) for number in numbers for part in PARTS}


def found(pods: dict[tuple[int, str], dict[str, Any]]) -> StaticPods:
    """The same as it is found in a cluster."""
    return among(pods.values(), [node(f"cp-{number}") for number in sorted({number for number, _ in pods})])


def texts(pods: dict[tuple[int, str], dict[str, Any]], number: int) -> dict[str, str]:
    """The manifests on node cp-NUMBER, by path."""
    return {
        f"{DIRECTORY}/{part}.yaml": manifest(one) for (where, part), one in pods.items() if where == number
    }


def manifest(shown: dict[str, Any]) -> str:
    """The manifest from which a pod was made."""
    about = {key: shown["metadata"][key] for key in ("namespace", "labels")}
    spec = {key: value for key, value in shown["spec"].items() if key != "nodeName"}
    return yaml.safe_dump({"metadata": {**about, "name": "x"}, "spec": spec})


def on_disk(pods: dict[tuple[int, str], dict[str, Any]]) -> dict[str, Manifests]:
    """What every node has in its manifest directory."""
    numbers = {number for number, _ in pods}
    return {f"cp-{number}": manifests_of(DIRECTORY, texts(pods, number)) for number in numbers}
