"""A node's upgrade as kubeadm's documentation has it typed, without draining."""

import yaml

from tests.lab.nodes import cluster
from tests.lab.nodes.lab import PODMAN, Lab
from tests.lab.progress import Progress, Step
from tests.lab.versions import release

SOURCE = "/etc/apt/sources.list.d/kubernetes.list"


def upgrade(
    lab: Lab, node: str, version: str, progress: Progress, *, kubeadm: bool = True, kubelet: bool = True
) -> None:
    """Move a node to a version: with `kubeadm` its part of the control plane, with `kubelet` its kubelet.

    The control plane's first node to come has `kubeadm upgrade apply`, every other `kubeadm upgrade node`.
    """
    row = release(version)
    # On all nodes: with the last control plane, new pods of CoreDNS and kube-proxy come up anywhere.
    cluster.import_images(lab, version, progress)
    with progress.step(f"{node}: packages of {row.kubernetes}", f"{node}-upgrade") as step:
        _run(lab, node, step, "sed", "-i", f"s,/v[0-9.]*/deb/,/v{row.minor}/deb/,", SOURCE)
        _run(lab, node, step, "apt-get", "update", "-qq")
        _install(lab, node, step, row.kubernetes, "kubeadm")
    if kubeadm:
        with progress.step(f"{node}: kubeadm upgrade to {row.kubernetes}", f"{node}-upgrade") as step:
            command = ["node"]
            if lab.node(node).control_plane and _cluster_version(lab) != f"v{row.kubernetes}":
                command = ["apply", f"v{row.kubernetes}", "--yes"]
            # Containers have the machine's cgroups, which kubeadm may find too old.
            _run(
                lab,
                node,
                step,
                "kubeadm",
                "upgrade",
                *command,
                "--ignore-preflight-errors=SystemVerification",
            )
    if kubelet:
        with progress.step(f"{node}: kubelet {row.kubernetes}", f"{node}-upgrade") as step:
            _install(lab, node, step, row.kubernetes, "kubelet", "kubectl")
            _run(lab, node, step, "systemctl", "daemon-reload")
            _run(lab, node, step, "systemctl", "restart", "kubelet")


def _install(lab: Lab, node: str, step: Step, version: str, *packages: str) -> None:
    _run(lab, node, step, "apt-mark", "unhold", *packages)
    wanted = [f"{package}={version}-1.1" for package in packages]
    _run(lab, node, step, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", *wanted)
    _run(lab, node, step, "apt-mark", "hold", *packages)


def _cluster_version(lab: Lab) -> str:
    template = r"jsonpath={.data.ClusterConfiguration}"
    told = lab.kubectl("-n", "kube-system", "get", "configmap", "kubeadm-config", "-o", template)
    return str(yaml.safe_load(told)["kubernetesVersion"])


def _run(lab: Lab, node: str, step: Step, *argv: str) -> None:
    step.run([*PODMAN, "exec", lab.node(node).container, *argv], timeout=900)
