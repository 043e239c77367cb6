"""Which etcd members a cluster shows as static pods, and which etcd its API servers use.

Everything is read from the pods' own flags: nothing that kubeadm usually does is taken for granted. It takes
one listing of kube-system and one of the control-plane nodes, and no request per node. A pod that only
carries the labels of etcd is not a member.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import APISERVER, ETCD, Component
from kubectl_admin.control_plane.flags import listed
from kubectl_admin.control_plane.pod import container_id_of, container_of, settings_of
from kubectl_admin.control_plane.static_pods import ControlPlaneNode, Impostor, StaticPods
from kubectl_admin.etcd.members.flags import Access, Flags, access, member_flags

SELECTOR = f"{static_pods.SELECTOR},component in ({ETCD},{APISERVER})"


@dataclass(frozen=True, slots=True)
class EtcdPod:
    """A static pod that runs a member.

    uid: the pod's uid as its node knows it (in cgroups and in /var/lib/kubelet/pods); not the object's.
    container: the name of the container in which etcd runs; container_id: the runtime's, without its scheme,
        "" while there is none.
    ready: as the kubelet reported last; out of date where the kubelet is down.
    """

    node: str
    namespace: str
    name: str
    uid: str
    container: str
    container_id: str
    image: str
    ready: bool
    flags: Flags

    @property
    def access(self) -> Access | None:
        """How the member is spoken to from its node; None where its flags are in a file."""
        return None if self.flags.config_file else access(self.flags)


@dataclass(frozen=True, slots=True)
class ApiserverFlags:
    """The etcd that API servers use, by their flags.

    nodes: those of the API servers with these flags. servers: URLs. ca, cert, key: paths on these nodes.
    overrides: «group/resource#URL;URL» for resources that are kept in another etcd.
    """

    nodes: tuple[str, ...]
    servers: tuple[str, ...]
    ca: str = ""
    cert: str = ""
    key: str = ""
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Etcd:
    """A cluster's etcd by the static pods: its members, and the API servers' flags.

    nodes: those of the control plane. impostors: pods that are labelled as etcd or an API server, and are not
    static pods of the control plane.
    """

    members: tuple[EtcdPod, ...]
    apiservers: tuple[ApiserverFlags, ...]
    nodes: tuple[ControlPlaneNode, ...] = ()
    impostors: tuple[Impostor, ...] = ()

    @property
    def external(self) -> bool:
        """Whether etcd runs outside of the cluster: API servers name one, and no pod runs it."""
        return bool(self.apiservers) and not self.members

    @property
    def data(self) -> dict[str, str]:
        """Members' data directories, by node. One that is in a configuration file is not known."""
        return {pod.node: pod.flags.data_dir for pod in self.members if not pod.flags.config_file}


def find(cluster: Cluster) -> Etcd:
    """The etcd of the static pods. Raises AdminError where pods or nodes can't be listed."""
    return of_static_pods(static_pods.find(cluster, SELECTOR))


def of_static_pods(found: StaticPods) -> Etcd:
    """The same from what was found, members in the order of their nodes' names."""
    members, flags = [], {}
    for pod in found.pods:
        match static_pods.component_of(pod):
            case Component.ETCD:
                members.append(member(pod))
            case Component.APISERVER:
                flags[static_pods.node_of(pod)] = apiserver_flags(pod)
    members.sort(key=lambda pod: (pod.node, pod.name))
    return Etcd(tuple(members), alike(flags), found.nodes, found.impostors)


def member(pod: Mapping[str, Any]) -> EtcdPod:
    """The member that a static pod runs."""
    container = container_of(pod, ETCD)
    metadata = pod["metadata"]
    return EtcdPod(
        node=static_pods.node_of(pod),
        namespace=str(metadata.get("namespace") or KUBE_SYSTEM),
        name=str(metadata["name"]),
        uid=static_pods.uid_of(pod),
        container=str(container["name"]),
        container_id=container_id_of(pod, container),
        image=str(container.get("image") or ""),
        ready=is_ready(pod),
        flags=member_flags(pod),
    )


def apiserver_flags(pod: Mapping[str, Any]) -> ApiserverFlags:
    """The etcd that the API server of a static pod uses."""
    return etcd_of_apiserver(static_pods.node_of(pod), settings_of(pod, APISERVER))


def etcd_of_apiserver(node: str, settings: Mapping[str, str]) -> ApiserverFlags:
    """The same from the flags of the API server on a node."""
    return ApiserverFlags(
        nodes=(node,),
        servers=listed(settings.get("etcd-servers", "")),
        ca=settings.get("etcd-cafile", ""),
        cert=settings.get("etcd-certfile", ""),
        key=settings.get("etcd-keyfile", ""),
        overrides=listed(settings.get("etcd-servers-overrides", "")),
    )


def alike(flags: Mapping[str, ApiserverFlags]) -> tuple[ApiserverFlags, ...]:
    """The flags of API servers, equal ones as one, in the order of their nodes' names."""
    alike: dict[ApiserverFlags, list[str]] = {}
    for node, one in sorted(flags.items()):
        alike.setdefault(replace(one, nodes=()), []).append(node)
    return tuple(replace(one, nodes=tuple(nodes)) for one, nodes in alike.items())
