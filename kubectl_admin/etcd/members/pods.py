"""Which etcd members a cluster shows as static pods, and which etcd its API servers use.

Everything is read from the pods' own flags: nothing that kubeadm usually does is taken for granted. It takes
one listing of kube-system and one of the control-plane nodes, and no request per node. A pod that only
carries the labels of etcd is not a member.
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
    """A member's settings by flags and variables, with etcd's own defaults for the rest.

    wal_dir: "" where it is inside of data_dir (member/wal).
    cert_file, key_file: the pair that the member shows to clients. client_cert_file, client_key_file: the one
        for when it is a client itself; "" where it takes the same.
    client_cert_auth: whether clients need a certificate that trusted_ca_file trusts.
    quota: --quota-backend-bytes; 0 for etcd's default (2 GiB), less than 0 for none.
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
    """A cluster's etcd by the static pods: its members, and what the API servers use.

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
    return Etcd(tuple(members), _alike(flags), found.nodes, found.impostors)


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
    """A member's settings. A flag wins over its variable; a configuration file over everything."""
    settings = settings_of(pod, ETCD)

    def urls(name: str, default: str) -> tuple[str, ...]:
        return listed(settings.get(name, default))

    name = settings.get("name", "default")
    return Flags(
        name=name,
        data_dir=settings.get("data-dir") or f"{name}.etcd",
        wal_dir=settings.get("wal-dir", ""),
        listen_client_urls=urls("listen-client-urls", "http://localhost:2379"),
        advertise_client_urls=urls("advertise-client-urls", "http://localhost:2379"),
        advertise_peer_urls=urls("initial-advertise-peer-urls", "http://localhost:2380"),
        listen_metrics_urls=urls("listen-metrics-urls", ""),
        trusted_ca_file=settings.get("trusted-ca-file", ""),
        cert_file=settings.get("cert-file", ""),
        key_file=settings.get("key-file", ""),
        client_cert_file=settings.get("client-cert-file", ""),
        client_key_file=settings.get("client-key-file", ""),
        # A trusted authority alone already makes etcd ask: client/pkg/transport/listener.go, ServerConfig.
        client_cert_auth=is_true(settings.get("client-cert-auth", ""))
        or bool(settings.get("trusted-ca-file")),
        quota=_number(settings.get("quota-backend-bytes", "")),
        config_file=settings.get("config-file", ""),
    )


def access(flags: Flags) -> Access:
    """How a member with these flags is spoken to from its own node.

    The pair of the server serves as the client's, as etcd itself uses it, unless one is named for it.
    """
    endpoint = next(iter(sorted(map(_reachable, flags.listen_client_urls), key=_distance)), "")
    if parts(endpoint)[0] not in ("https", "unixs"):
        return Access(endpoint)
    pair = (flags.client_cert_file, flags.client_key_file)
    if not all(pair):
        pair = (flags.cert_file, flags.key_file)
    return Access(endpoint, True, flags.trusted_ca_file, *(pair if flags.client_cert_auth else ("", "")))


def apiserver_flags(pod: Mapping[str, Any]) -> ApiserverFlags:
    """The etcd that the API server of a static pod uses."""
    settings = settings_of(pod, APISERVER)
    return ApiserverFlags(
        nodes=(static_pods.node_of(pod),),
        servers=listed(settings.get("etcd-servers", "")),
        ca=settings.get("etcd-cafile", ""),
        cert=settings.get("etcd-certfile", ""),
        key=settings.get("etcd-keyfile", ""),
        overrides=listed(settings.get("etcd-servers-overrides", "")),
    )


def _alike(flags: Mapping[str, ApiserverFlags]) -> tuple[ApiserverFlags, ...]:
    """The flags of API servers, equal ones as one, in the order of their nodes' names."""
    alike: dict[ApiserverFlags, list[str]] = {}
    for node, one in sorted(flags.items()):
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
    """How far an endpoint is from the node: 0 for its loopback, 1 for others, 2 for anything but TCP."""
    scheme, host, _ = parts(url)
    address = _address(host)
    if scheme.startswith("unix"):
        return 2
    return 0 if host == "localhost" or (address and address.is_loopback) else 1


def parts(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, etcd's port where it names none; "" and 0 where it is not a URL."""
    return url_parts(url, ETCD_PORT)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _number(text: str) -> int:
    """A whole number; 0 for other text."""
    try:
        return int(text)
    except ValueError:
        return 0
