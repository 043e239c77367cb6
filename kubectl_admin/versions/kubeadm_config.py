"""ConfigMap kube-system/kubeadm-config, as far as an upgrade goes by it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from kubectl_admin.cluster.decode import decode_yaml
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.versions.facts import KubeadmConfig
from kubectl_admin.versions.version import Version

# Where the flags of each static pod are in a ClusterConfiguration.
EXTRA_ARGS = {
    Component.APISERVER: ("apiServer", "extraArgs"),
    Component.CONTROLLER_MANAGER: ("controllerManager", "extraArgs"),
    Component.SCHEDULER: ("scheduler", "extraArgs"),
    Component.ETCD: ("etcd", "local", "extraArgs"),
}


def cluster_configuration(config_map: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The ClusterConfiguration in the ConfigMap; None where there is none that can be read."""
    try:
        documents = decode_yaml((config_map or {})["data"]["ClusterConfiguration"], "ClusterConfiguration")
    except (KeyError, TypeError, AdminError):
        return None
    return documents[0] if len(documents) == 1 and isinstance(documents[0], dict) else None


def kubernetes_version(document: Mapping[str, Any] | None) -> Version | None:
    """The kubernetesVersion of a ClusterConfiguration; None where there is none to be read."""
    return Version.find(str(at(document, "kubernetesVersion") or ""))


def kubeadm_config(document: Mapping[str, Any] | None) -> KubeadmConfig | None:
    """A ClusterConfiguration's orders to kubeadm, or None.

    Source: kubernetes/kubernetes cmd/kubeadm/app/apis/kubeadm, v1beta3 and v1beta4.
    """
    if document is None:
        return None
    return KubeadmConfig(
        # kubeadm reads «_» in a tag as «+» (phases/upgrade/staticpods.go, convertImageTagMetadataToSemver).
        etcd_tag=Version.find(str(at(document, "etcd", "local", "imageTag") or "").replace("_", "+")),
        proxy_disabled=at(document, "proxy", "disabled") is True,
        dns_disabled=at(document, "dns", "disabled") is True,
        extra_args={
            component: found
            for component, path in EXTRA_ARGS.items()
            if (found := tuple(words(at(document, *path))))
        },
    )


def words(arguments: object) -> Iterator[str]:
    """The flags of an extraArgs, «--name=value» each: a list of names and values (v1beta4), or a mapping."""
    if isinstance(arguments, dict):
        yield from (f"--{name}={text(value)}" for name, value in arguments.items())
    elif isinstance(arguments, list):
        for argument in arguments:
            if isinstance(argument, dict) and "name" in argument:
                yield f"--{argument['name']}={text(argument.get('value'))}"


def text(value: object) -> str:
    """A value as Go writes it into a flag."""
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def at(document: object, *path: str) -> object:
    """The value at this path of nested mappings; None for none."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
