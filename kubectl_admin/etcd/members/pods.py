"""Which etcd members a cluster shows as static pods, and where its API servers say that etcd is.

Everything is read from the pods' own flags: nothing that kubeadm usually does is taken for granted. It takes
one listing of kube-system and one of the control-plane nodes, and no request per node. A pod that only wears
the labels of etcd is none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import APISERVER, ETCD, ETCD_PORT, Component
from kubectl_admin.control_plane.flags import is_true, listed, url_parts
from kubectl_admin.control_plane.pod import container_of, settings_of
from kubectl_admin.control_plane.static_pods import ControlPlaneNode, Impostor, StaticPods

SELECTOR = f"{static_pods.SELECTOR},component in ({ETCD},{APISERVER})"


@dataclass(frozen=True, slots=True)
class Flags:
    """What a member was told by flags and variables, with etcd's own defaults for the rest.

    wal_dir: "" where it is inside of data_dir (member/wal).
    cert_file, key_file: the pair that the member shows to clients. client_cert_file, client_key_file: the one
        for when it is a client itself; "" where it takes the same.
    client_cert_auth: whether clients need a certificate that trusted_ca_file trusts.
    quota: --quota-backend-bytes; 0 stands for etcd's default (2 GiB), less than 0 for none.
    config_file: "" but where the member reads a file on its node, and none of this.

    Source: etcd server/embed/config.go.
    """

    name: str = "default"
    data_dir: str = "default.etcd"
    wal_dir: str = ""
    listen_client_urls: tuple[str, ...] = ("http://localhost:2379",)
    advertise_client_urls: tuple[str, ...] = ("http://localhost:2379",)
    advertise_peer_urls: tuple[str, ...] = ("http://localhost:2380",)
    listen_metrics_urls: tuple[str, ...] = ()
    trusted_ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_cert_file: str = ""
    client_key_file: str = ""
    client_cert_auth: bool = False
    quota: int = 0
    config_file: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """How a member is spoken to from its own node: an address, and files there (or in its container).

    endpoint: a URL, the loopback's where it listens there.
    tls: whether it is spoken to with TLS.
    ca, cert, key: paths; ca "" where the member names no authority, cert and key "" where it asks for no
        client certificate.
    """

    endpoint: str
    tls: bool = False
    ca: str = ""
    cert: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class EtcdPod:
    """A static pod that runs a member.

    uid: the pod's uid as its node knows it (in cgroups and in /var/lib/kubelet/pods); not the object's.
    container: the name of the container in which etcd runs; container_id: the runtime's, without its scheme,
        "" while there is none.
    ready: whether the kubelet says so; an old word where the kubelet is down.
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
    """Where API servers say that their etcd is.

    nodes: those of the API servers that say so. servers: URLs. ca, cert, key: paths on these nodes.
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
    """What the static pods say of a cluster's etcd: its members, and what the API servers use.

    nodes: those of the control plane. impostors: pods that are labelled as etcd or an API server, and are no
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


def find(cluster: Cluster) -> Etcd:
    """What the static pods say of etcd. Raises AdminError where pods or nodes can't be listed."""
    return of_static_pods(static_pods.find(cluster, SELECTOR))


def of_static_pods(found: StaticPods) -> Etcd:
    """The same from what was found, members in the order of their nodes' names."""
    members, says = [], {}
    for pod in found.pods:
        match static_pods.component_of(pod):
            case Component.ETCD:
                members.append(member(pod))
            case Component.APISERVER:
                says[static_pods.node_of(pod)] = apiserver_flags(pod)
    members.sort(key=lambda pod: (pod.node, pod.name))
    return Etcd(tuple(members), _alike(says), found.nodes, found.impostors)


def member(pod: Mapping[str, Any]) -> EtcdPod:
    """The member that a static pod runs."""
    container = container_of(pod, ETCD)
    metadata, status = pod["metadata"], pod.get("status") or {}
    running = [one for one in status.get("containerStatuses") or () if one.get("name") == container["name"]]
    return EtcdPod(
        node=static_pods.node_of(pod),
        namespace=str(metadata.get("namespace") or KUBE_SYSTEM),
        name=str(metadata["name"]),
        uid=static_pods.uid_of(pod),
        container=str(container["name"]),
        container_id=next((str(one.get("containerID") or "") for one in running), "").rpartition("//")[2],
        image=str(container.get("image") or ""),
        ready=is_ready(pod),
        flags=member_flags(pod),
    )


def member_flags(pod: Mapping[str, Any]) -> Flags:
    """What a member was told. A flag wins over its variable; a configuration file over everything."""
    told = settings_of(pod, ETCD)

    def urls(name: str, default: str) -> tuple[str, ...]:
        return listed(told.get(name, default))

    name = told.get("name", "default")
    return Flags(
        name=name,
        data_dir=told.get("data-dir") or f"{name}.etcd",
        wal_dir=told.get("wal-dir", ""),
        listen_client_urls=urls("listen-client-urls", "http://localhost:2379"),
        advertise_client_urls=urls("advertise-client-urls", "http://localhost:2379"),
        advertise_peer_urls=urls("initial-advertise-peer-urls", "http://localhost:2380"),
        listen_metrics_urls=urls("listen-metrics-urls", ""),
        trusted_ca_file=told.get("trusted-ca-file", ""),
        cert_file=told.get("cert-file", ""),
        key_file=told.get("key-file", ""),
        client_cert_file=told.get("client-cert-file", ""),
        client_key_file=told.get("client-key-file", ""),
        # A trusted authority alone already makes etcd ask: client/pkg/transport/listener.go, ServerConfig.
        client_cert_auth=is_true(told.get("client-cert-auth", "")) or bool(told.get("trusted-ca-file")),
        quota=_number(told.get("quota-backend-bytes", "")),
        config_file=told.get("config-file", ""),
    )


def access(told: Flags) -> Access:
    """How a member with these flags is spoken to from its own node.

    The pair of the server serves as the client's, as etcd itself uses it, unless one is named for it.
    """
    endpoint = next(iter(sorted(map(_reachable, told.listen_client_urls), key=_distance)), "")
    if parts(endpoint)[0] not in ("https", "unixs"):
        return Access(endpoint)
    pair = (told.client_cert_file, told.client_key_file)
    if not all(pair):
        pair = (told.cert_file, told.key_file)
    return Access(endpoint, True, told.trusted_ca_file, *(pair if told.client_cert_auth else ("", "")))


def apiserver_flags(pod: Mapping[str, Any]) -> ApiserverFlags:
    """Where the API server of a static pod says that its etcd is."""
    told = settings_of(pod, APISERVER)
    return ApiserverFlags(
        nodes=(static_pods.node_of(pod),),
        servers=listed(told.get("etcd-servers", "")),
        ca=told.get("etcd-cafile", ""),
        cert=told.get("etcd-certfile", ""),
        key=told.get("etcd-keyfile", ""),
        overrides=listed(told.get("etcd-servers-overrides", "")),
    )


def _alike(says: Mapping[str, ApiserverFlags]) -> tuple[ApiserverFlags, ...]:
    """What API servers say, those that say the same as one, in the order of their nodes' names."""
    alike: dict[ApiserverFlags, list[str]] = {}
    for node, one in sorted(says.items()):
        alike.setdefault(replace(one, nodes=()), []).append(node)
    return tuple(replace(one, nodes=tuple(nodes)) for one, nodes in alike.items())


def _reachable(url: str) -> str:
    """The URL as it is dialled from the node itself: what listens everywhere listens on the loopback."""
    scheme, host, port = parts(url)
    match _address(host):
        case IPv4Address(is_unspecified=True):
            return f"{scheme}://127.0.0.1:{port}"
        case IPv6Address(is_unspecified=True):
            return f"{scheme}://[::1]:{port}"
    return url


def _distance(url: str) -> int:
    """How far an endpoint is from the node itself: 0 for its loopback, 1 for others, 2 for what is no TCP."""
    scheme, host, _ = parts(url)
    address = _address(host)
    if scheme.startswith("unix"):
        return 2
    return 0 if host == "localhost" or (address and address.is_loopback) else 1


def parts(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, etcd's port where it names none; "" and 0 where it is no URL."""
    return url_parts(url, ETCD_PORT)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _number(text: str) -> int:
    """A whole number; 0 for what is none."""
    try:
        return int(text)
    except ValueError:
        return 0
