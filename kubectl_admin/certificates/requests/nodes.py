"""The nodes that a request may be for, and the API server that none of them may pose as."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from kubectl_admin.certificates.requests.facts import Address, as_issued
from kubectl_admin.cluster.decode import decode_yaml
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap

# No kubelet may give itself this label.
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
DOMAIN = "cluster.local"  # of a cluster, where nobody has said otherwise
HOST_AND_PORT = re.compile(r"\[?(?P<host>.*?)\]?:\d+")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a node, as its object has them.

    names: in lower case. control_plane: whether it is one, by a label that no kubelet may give itself.
    """

    names: frozenset[str] = frozenset()
    addresses: frozenset[Address] = frozenset()
    control_plane: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """The API server's names.

    service: the addresses of its Service, default/kubernetes. names: the names (`folded`) and addresses by
    which anybody else finds it. domain: the cluster's own, beneath which its Services are. gaps: all
    that could not be seen of it.
    """

    service: frozenset[Address] = frozenset()
    names: frozenset[str | Address] = frozenset()
    domain: str = DOMAIN
    gaps: tuple[Gap, ...] = ()

    def is_known_by(self, name: str | Address, *, control_plane: bool) -> bool:
        """Whether it is known by a name in lower case, or an address.

        control_plane: whether it is asked for a control-plane node, whose own may be among them. The owner
        of such a node has the API server's own key anyway.
        """
        if name in self.service:
            return True
        if control_plane:
            return False
        return name in self.names or (isinstance(name, str) and f"*.{name.partition('.')[2]}" in self.names)

    def is_a_services(self, name: str) -> bool:
        """Whether a name in lower case is one by which pods find a Service, or another pod.

        Source: Kubernetes «DNS for Services and Pods».
        """
        own = {f"{kind}.{domain}" for kind in ("svc", "pod") for domain in (DOMAIN, self.domain)}
        return any(name == each or name.endswith(f".{each}") for each in {*own, "svc"})


@dataclass(frozen=True, slots=True)
class Nodes(Mapping[str, Addresses]):
    """The nodes of a cluster by name, and the API server that none of them may pose as."""

    by_name: Mapping[str, Addresses] = field(default_factory=dict)
    server: Server = Server()

    def __getitem__(self, name: str) -> Addresses:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


def addresses_of(node: Mapping[str, Any]) -> Addresses:
    """The addresses in a Node object, as its kubelet reads them for its own request.

    Source: kubernetes/kubernetes pkg/kubelet/certificate/kubelet.go, addressesToHostnamesAndIPs; for the
    label, the admission plugin NodeRestriction, which keeps kubelets from those in node-role.kubernetes.io.
    """
    names, addresses = set(), set()
    for one in (node.get("status") or {}).get("addresses") or ():
        text, kind = str(one.get("address") or ""), one.get("type")
        if kind in ("Hostname", "InternalIP", "ExternalIP"):
            try:
                addresses.add(as_issued(ip_address(text)))
                continue
            except ValueError:
                if kind != "Hostname":
                    continue
        if text and kind in ("Hostname", "InternalDNS", "ExternalDNS"):
            names.add(folded(text))
    labels = (node.get("metadata") or {}).get("labels") or {}
    return Addresses(frozenset(names), frozenset(addresses), CONTROL_PLANE in labels)


def service_addresses(service: Mapping[str, Any]) -> frozenset[Address]:
    """The addresses of a Service in the cluster, of both families; none for a headless one."""
    spec = service.get("spec") or {}
    texts = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return frozenset(as_issued(ip_address(text)) for text in texts if text and text != "None")


def advertised(slices: Mapping[str, Any]) -> frozenset[str | Address]:
    """The addresses of a list of EndpointSlices: where each API server says that it is reached.

    Source: kubernetes/kubernetes pkg/controlplane/reconcilers, by --advertise-address, which need be no
    address of a Node.
    """
    return frozenset(
        name_of(str(text))
        for each in slices.get("items") or ()
        for endpoint in each.get("endpoints") or ()
        for text in endpoint.get("addresses") or ()
    )


@dataclass(frozen=True, slots=True)
class Configured:
    """kubeadm's configuration of the API server: names in lower case, addresses, and the cluster's domain."""

    names: frozenset[str | Address] = frozenset()
    domain: str = DOMAIN


def configured(config: Mapping[str, Any]) -> Configured:
    """Names in ConfigMap kubeadm-config: the control plane's endpoint, if any, and further ones.

    Raises ValueError where the ConfigMap can't be read.

    Source: kubeadm's ClusterConfiguration: controlPlaneEndpoint, a name or an address with or without a port;
    apiServer.certSANs; networking.dnsDomain.
    """
    try:
        text = (config.get("data") or {}).get("ClusterConfiguration") or "{}"
        documents = decode_yaml(text, "its ClusterConfiguration")
    except AdminError as error:
        raise ValueError(error.what) from error
    written = documents[0] if len(documents) == 1 else None
    if not isinstance(written, dict):
        raise ValueError("its ClusterConfiguration is not a mapping")
    server, network = (written.get(key) or {} for key in ("apiServer", "networking"))
    if not isinstance(server, dict) or not isinstance(network, dict):
        raise ValueError("its ClusterConfiguration is not a mapping")
    more = server.get("certSANs") or []
    if not isinstance(more, list):
        raise ValueError("the certSANs in its ClusterConfiguration are not a list")
    texts = [host_of(str(written.get("controlPlaneEndpoint") or "")), *map(str, more)]
    domain = str(network.get("dnsDomain") or DOMAIN).strip(". ").lower()
    return Configured(frozenset(map(name_of, filter(None, texts))), domain)


def host_of(endpoint: str) -> str:
    """The host in a host with or without a port."""
    text = endpoint.strip()
    with_port = None if is_address(text) else HOST_AND_PORT.fullmatch(text)
    return with_port["host"] if with_port else text


def name_of(text: str) -> str | Address:
    """An address, or a name as it is compared."""
    text = text.strip()
    return as_issued(ip_address(text)) if is_address(text) else folded(text)


def folded(name: str) -> str:
    """A DNS name as it is compared: in lower case, without the dot that may stand at its end."""
    return name.rstrip(".").lower()


def is_address(text: str) -> bool:
    """Whether it is an address, and not a name or one with a port."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
