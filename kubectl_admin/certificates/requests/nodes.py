"""The nodes that a request may be for, and the API server that none of them may pose as."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import yaml

from kubectl_admin.certificates.requests.facts import Address, as_issued
from kubectl_admin.finding import Gap

# No kubelet may give itself this label.
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
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
    """What the API server is known by.

    service: the addresses of its Service, default/kubernetes. endpoint: where kubeadm has all find it, a name
    in lower case or an address; "" where none is known. gaps: what could not be seen of it.
    """

    service: frozenset[Address] = frozenset()
    endpoint: str | Address = ""
    gaps: tuple[Gap, ...] = ()


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
            names.add(text.lower())
    labels = (node.get("metadata") or {}).get("labels") or {}
    return Addresses(frozenset(names), frozenset(addresses), CONTROL_PLANE in labels)


def service_addresses(service: Mapping[str, Any]) -> frozenset[Address]:
    """The addresses of a Service in the cluster, of both families; none for a headless one."""
    spec = service.get("spec") or {}
    texts = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return frozenset(as_issued(ip_address(text)) for text in texts if text and text != "None")


def endpoint(config: Mapping[str, Any]) -> str | Address:
    """Where all find the API server, by ConfigMap kubeadm-config: a name in lower case, or an address.

    "" where the control plane was set up without. Raises ValueError where the ConfigMap can't be read.

    Source: kubeadm's ClusterConfiguration, controlPlaneEndpoint: a name or an address, a port or none.
    """
    try:
        written = yaml.safe_load((config.get("data") or {}).get("ClusterConfiguration") or "{}")
    except yaml.YAMLError as error:
        raise ValueError("its ClusterConfiguration is no YAML") from error
    if not isinstance(written, dict):
        raise ValueError("its ClusterConfiguration is no mapping")
    text = str(written.get("controlPlaneEndpoint") or "").strip().lower()
    with_port = None if is_address(text) else HOST_AND_PORT.fullmatch(text)
    host = with_port["host"] if with_port else text
    return as_issued(ip_address(host)) if is_address(host) else host


def is_address(text: str) -> bool:
    """Whether it is an address, and not a name or one with a port."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
