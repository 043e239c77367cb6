"""A lab's network: a bridge of its own with a free subnet, and a cable to every node.

The cables are made here and not by podman, so that it makes no difference which network backend podman has,
and so that nothing leaves this machine: the bridge forwards nothing, no image can come from outside.
"""

import ipaddress
import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError

# 10.200.0.0/24 to 10.239.0.0/24: clear of the services' 10.96.0.0/12 and of the pods' 10.244.0.0/16.
FIRST, COUNT = 200, 40
FIRST_NODE = 10  # the nodes' addresses are .11, .12, …


@dataclass(frozen=True)
class Network:
    """The network number `index` of this machine's labs."""

    index: int

    @property
    def subnet(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(f"10.{FIRST + self.index}.0.0/24")

    @property
    def gateway(self) -> str:
        """The bridge's own address, where the load balancer and the package repository listen."""
        return str(self.subnet[1])

    @property
    def bridge(self) -> str:
        return f"kalab{self.index}"

    def address(self, number: int) -> str:
        """The address of node `number`, counted from 1."""
        return str(self.subnet[FIRST_NODE + number])

    def cable(self, number: int) -> str:
        """This machine's end of the cable to node `number`; the node's end is its eth0."""
        return f"{self.bridge}n{number}"


def free(taken: Iterable[int]) -> Network:
    """A network that neither another lab has (`taken`) nor any route or address of this machine touches."""
    taken = set(taken)
    used = _used()
    for index in range(COUNT):
        candidate = Network(index)
        if index not in taken and not any(candidate.subnet.overlaps(other) for other in used):
            return candidate
    raise LabError(f"no free subnet among 10.{FIRST}.0.0/24 to 10.{FIRST + COUNT - 1}.0.0/24")


def create(network: Network) -> None:
    """Make the bridge."""
    bridge = network.bridge
    _ip("link", "add", bridge, "type", "bridge")
    _ip("addr", "add", f"{network.gateway}/{network.subnet.prefixlen}", "dev", bridge)
    Path(f"/proc/sys/net/ipv4/conf/{bridge}/forwarding").write_text("0")
    _ip("link", "set", bridge, "up")


def remove(network: Network) -> None:
    """Remove the bridge and the cables that are left; nothing where there is nothing."""
    for link in _links():
        if link == network.bridge or link.startswith(f"{network.bridge}n"):
            _delete(link)


def plug(network: Network, number: int, pid: int) -> None:
    """Give the node that runs as process `pid` its eth0, address and default route."""
    cable, space = network.cable(number), str(pid)
    if cable in _links():
        _delete(cable)
    _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
    _ip("link", "set", cable, "master", network.bridge, "up")
    _ip("addr", "add", f"{network.address(number)}/{network.subnet.prefixlen}", "dev", "eth0", within=space)
    _ip("link", "set", "eth0", "up", within=space)
    # Services' addresses have no route of their own: without a default route packets to them go nowhere.
    _ip("route", "add", "default", "via", network.gateway, within=space)


def route(pid: int, subnet: str, via: str) -> None:
    """In the network of process `pid`, send a subnet by way of an address."""
    _ip("route", "replace", subnet, "via", via, within=str(pid))


def _delete(link: str) -> None:
    """Remove a link; a cable may go by itself meanwhile, with the node that has its other end."""
    try:
        _ip("link", "delete", link)
    except LabError:
        if link in _links():
            raise


def _links() -> list[str]:
    told = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True)
    return [link["ifname"] for link in json.loads(told.stdout)]


def _used() -> list[ipaddress.IPv4Network]:
    told = subprocess.run(
        ["ip", "-j", "-4", "route", "show", "table", "all"], capture_output=True, text=True, check=True
    )
    destinations = [entry["dst"] for entry in json.loads(told.stdout) if entry["dst"] != "default"]
    return [ipaddress.IPv4Network(destination, strict=False) for destination in destinations]


def _ip(*arguments: str, within: str | None = None) -> None:
    inside = ["nsenter", "--target", within, "--net"] if within else []
    done = subprocess.run([*inside, "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
