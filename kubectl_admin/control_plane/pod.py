"""One pod of the control plane: which program runs in it, and with which flags, port, and files. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kubectl_admin.cluster.decode import decode_moment, whole_number
from kubectl_admin.control_plane.component import (
    APISERVER,
    CONTROLLER_MANAGER,
    ETCD,
    PORTS,
    SCHEDULER,
    Component,
)
from kubectl_admin.control_plane.flags import (
    command_line,
    dashed,
    environment,
    flags,
    listed,
    url_parts,
    variables_as_flags,
)
from kubectl_admin.control_plane.static_pods import component_of, node_of

PARTS = (APISERVER, ETCD, CONTROLLER_MANAGER, SCHEDULER)
# Flags whose items add up where they are given twice.
LISTS = (
    "feature-gates",
    "etcd-servers",
    "etcd-servers-overrides",
    "service-account-key-file",
    "tls-sni-cert-key",
)
SNI = "--tls-sni-cert-key="
PORT_LIMIT = 1 << 16
ENDPOINT = "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint"


@dataclass(frozen=True, slots=True)
class StaticPod:
    """A part of the control plane on a node.

    mounts: directories of the container, and of the node that are mounted there. started: when its process
    was. by_name: files of further certificates, for those who ask for other names (--tls-sni-cert-key).
    """

    name: str
    node: str
    component: str
    flags: Mapping[str, str]
    mounts: Mapping[str, str]
    started: datetime | None
    by_name: tuple[str, ...] = ()

    def is_mounted(self, path: str) -> bool:
        """Whether a file of the container is one of the node's; else it is the image's own."""
        return any(path == one or path.startswith(one.rstrip("/") + "/") for one in self.mounts)

    def on_host(self, path: str) -> str:
        """Where on the node a file of the container is."""
        for inside in sorted(self.mounts, key=len, reverse=True):
            if path == inside or path.startswith(inside.rstrip("/") + "/"):
                return self.mounts[inside].rstrip("/") + path[len(inside.rstrip("/")) :]
        return path


def static_pod(pod: Mapping[str, Any]) -> StaticPod | None:
    """The part of the control plane that a pod's object shows; None where it is not one."""
    component = component_of(pod)
    if component not in PARTS:
        return None
    container = container_of(pod, component)
    words = command_line(pod, container)
    return StaticPod(
        name=str(pod["metadata"]["name"]),
        node=node_of(pod),
        component=component,
        flags=settings_of(pod, component),
        mounts=_mounts(pod, container),
        started=_started(pod, str(container["name"])),
        by_name=tuple(word.removeprefix(SNI).partition(",")[0] for word in words if word.startswith(SNI)),
    )


def container_of(pod: Mapping[str, Any], program: str) -> Mapping[str, Any]:
    """The container that runs the program: the one of that name, else the first that is started with it."""
    containers: list[Mapping[str, Any]] = pod["spec"]["containers"]
    named = [one for one in containers if one.get("name") == program]
    started = [
        one
        for one in containers
        if any(word.rpartition("/")[2] == program for word in command_line(pod, one)[:1])
    ]
    return (named or started or containers)[0]


def container_id_of(pod: Mapping[str, Any], container: Mapping[str, Any]) -> str:
    """The runtime's id of a container, without its scheme; "" while there is none."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    running = (one for one in statuses if one.get("name") == container["name"])
    return next((str(one.get("containerID") or "") for one in running), "").rpartition("//")[2]


def flags_of(pod: Mapping[str, Any], component: str) -> dict[str, str]:
    """The flags that a component is started with, by the names that count to it.

    Etcd takes no «_» for «-».
    """
    words = command_line(pod, container_of(pod, component))
    found = flags(words, lists=(*LISTS, *(name.replace("-", "_") for name in LISTS)))
    return found if component == ETCD else dashed(found, LISTS)


def settings_of(pod: Mapping[str, Any], component: str) -> dict[str, str]:
    """The same, and with etcd also its variables; a flag wins over its variable."""
    given = flags_of(pod, component)
    if component != ETCD:
        return given
    return {**variables_as_flags(environment(pod, container_of(pod, component)), "ETCD_"), **given}


def port_of(settings: Mapping[str, str], component: str) -> int:
    """The port on which a component with these settings serves: the one that its flag names, else its usual
    one; etcd's for metrics. 0: it serves on none.
    """
    flag, usual = PORTS[Component(component)]
    said = settings.get(flag, "")
    if component == ETCD:
        first = next(iter(listed(said)), "")
        return url_parts(first, usual)[2] or usual
    number = whole_number(said)
    return usual if number is None or number >= PORT_LIMIT else number


def apiserver_address(pod: Mapping[str, Any]) -> str:
    """Where the API server of this pod is spoken to on its node, «10.0.0.11:6443», by kubeadm's note."""
    address: str = (pod["metadata"].get("annotations") or {}).get(ENDPOINT, "")
    port = port_of(settings_of(pod, APISERVER), APISERVER)
    return address or f"{(pod.get('status') or {}).get('hostIP')}:{port}"


def _mounts(pod: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, str]:
    volumes = {
        str(one["name"]): str(one["hostPath"]["path"])
        for one in pod["spec"].get("volumes") or ()
        if one.get("hostPath")
    }
    return {
        str(one["mountPath"]): volumes[one["name"]]
        for one in container.get("volumeMounts") or ()
        if one["name"] in volumes
    }


def _started(pod: Mapping[str, Any], container: str) -> datetime | None:
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        if one.get("name") == container:
            return decode_moment(((one.get("state") or {}).get("running") or {}).get("startedAt"))
    return None
