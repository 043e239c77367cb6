"""The image of a debug pod: one that the node holds, and that nobody can bring there by its name. Pure.

Anyone who may run a pod on a node can bring an image of any name in a registry of their own. So a name counts
where it names Kubernetes' own registry, the repository that the cluster was made from, or what kube-system
runs. The content of the image is never used (manifest.py): this is the first of two walls.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# Where the sandbox image («pause»), which every kubelet keeps, is from, unless a cluster has its own mirror.
# Source: containerd internal/cri/config, DefaultSandboxImage; CRI-O pkg/config, DefaultPauseImage; kubernetes
# cmd/kubeadm/app/apis/kubeadm/v1beta4/defaults.go, DefaultImageRepository (k8s.gcr.io until 1.24).
SANDBOXES = ("registry.k8s.io/pause", "k8s.gcr.io/pause")
# Source: github.com/distribution/reference, regexp.go.
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
REPOSITORY = re.compile(r"^imageRepository:[ \t]*[\"']?([a-z0-9][a-z0-9._:/-]*)[\"']?[ \t]*$", re.MULTILINE)
MIRROR = "kubernetes.io/config.mirror"


def sandbox(node: Mapping[str, Any], repositories: Sequence[str] = SANDBOXES) -> str | None:
    """The name of a sandbox image that the node lists, of exactly one of these repositories, or None.

    node: the Node object. Only a name with a tag counts: a digest says which content was asked for, and
    runtimes differ in whether the registry was asked as well.
    Source: kubernetes/kubernetes pkg/kubelet/nodestatus/setters.go, Images: the 50 largest alone are listed,
    which may leave the sandbox image out.
    """
    for image in (node.get("status") or {}).get("images") or ():
        for name in image.get("names") or ():
            repository, _, tag = str(name).rpartition(":")
            if repository in repositories and TAG.fullmatch(tag):
                return str(name)
    return None


def of_system(pods: Iterable[Mapping[str, Any]]) -> str | None:
    """The image of a container that runs in a static pod or in kube-proxy, or None.

    pods: those of kube-system on the node, where nobody makes a pod who is not an administrator already.
    """
    trusted = (pod for pod in pods if is_static(pod) or is_kube_proxy(pod))
    return next(running(trusted), None)


def is_static(pod: Mapping[str, Any]) -> bool:
    """Whether a pod shows a file on its node's disk, which only root there has written.

    A kubelet can show whatever it likes on its own node, where it is root anyway.
    Source: kubernetes/kubernetes plugin/pkg/admission/noderestriction, admitPodCreate.
    """
    return MIRROR in (pod["metadata"].get("annotations") or {})


def is_kube_proxy(pod: Mapping[str, Any]) -> bool:
    """Whether a pod is of the DaemonSet kube-proxy: an owner that no kubelet may give to a pod of its own."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(
        (owner.get("apiVersion"), owner.get("kind"), owner.get("name"), owner.get("controller"))
        == ("apps/v1", "DaemonSet", "kube-proxy", True)
        for owner in owners
    )


def running(pods: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The images of containers that run in these pods, by the names that the pods were made with."""
    for pod in pods:
        statuses = {
            status["name"]: status for status in (pod.get("status") or {}).get("containerStatuses") or ()
        }
        for container in pod["spec"]["containers"]:
            if "running" in (statuses.get(container["name"], {}).get("state") or {}):
                yield container["image"]


def mirrored(config: Mapping[str, Any]) -> str | None:
    """The repository of the sandbox image in a cluster's own mirror; None where it has none.

    config: ConfigMap kube-system/kubeadm-config, which no kubelet may write.
    Source: kubernetes/kubernetes cmd/kubeadm/app/images/images.go, GetPauseImage.
    """
    written = REPOSITORY.search(str((config.get("data") or {}).get("ClusterConfiguration") or ""))
    return f"{written[1].rstrip('/')}/pause" if written else None
