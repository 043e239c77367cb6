"""Reads the nodes' disks: a kubelet that was upgraded and not restarted, and which API servers the kubeconfig
files of the components name. It takes a debug pod on every node, so it is done only with --host.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from kubectl_admin.cluster.access import attributed, explained
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.node import debug_pod
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.script import Script
from kubectl_admin.versions.facts import Evidence, Facts, Instance, Reach
from kubectl_admin.versions.version import Version

VERSIONS = Script("versions", "versions")
KUBERNETES = "/etc/kubernetes"
SOURCE = "the program on its node's disk"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Whose kubeconfig file is looked at, by the name that the script gives it.
POINTED = {
    Component.KUBELET: "kubelet-server",
    Component.CONTROLLER_MANAGER: "controller-manager-server",
    Component.SCHEDULER: "scheduler-server",
}


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Facts from a node's disk.

    kubelet: the version of the program that the next start of the kubelet runs. reaches: which API servers
    the components' kubeconfig files name.
    """

    kubelet: Version | None
    reaches: Mapping[Component, Reach]


def read_hosts(hosts: Hosts, facts: Facts, *, answered: Callable[[int], None] | None = None) -> Facts:
    """Reads the disks of all nodes, and adds the answers to the facts; a node that fails is a gap.

    answered: called after each node. Raises AdminError where the user may not create debug pods.
    """
    cluster, rights = hosts.cluster, debug_pod.rights(hosts.options.namespace)
    with explained(cluster, rights):
        asked = hosts.ask([node.name for node in facts.nodes], ask, answered=answered)
        answers = attributed(cluster, asked, rights)
        if refused := next((each for each in answers.values() if isinstance(each, Forbidden)), None):
            raise refused
    found = {name: answer for name, answer in answers.items() if isinstance(answer, OnDisk)}
    gaps = [
        Gap(f"the disk of node {name}", answer.what)
        for name, answer in answers.items()
        if isinstance(answer, AdminError)
    ]
    instances = tuple(completed(part, found.get(part.node or "")) for part in facts.instances)
    return replace(facts, instances=instances, gaps=(*facts.gaps, *gaps))


def ask(host: Host) -> OnDisk:
    """Reads the disk of one node."""
    return on_disk(host.script(VERSIONS, KUBERNETES).decode("utf-8", "replace"))


def on_disk(answer: str) -> OnDisk:
    """The script's answer, parsed."""
    found = dict(line.split(" ", 1) for line in answer.splitlines() if " " in line)
    own = (*LOOPBACK, found.get("apiserver-address", ""))
    servers = {component: found[name] for component, name in POINTED.items() if name in found}
    return OnDisk(
        Version.find(found.get("kubelet-version", "")),
        {component: reach(server, own) for component, server in servers.items()},
    )


def reach(server: str, own: tuple[str, ...]) -> Reach:
    """Whether a kubeconfig's server is the API server of its own node, by that one's addresses."""
    try:
        return Reach.LOCAL if urlsplit(server).hostname in own else Reach.ANY
    except ValueError:
        return Reach.ANY


def completed(part: Instance, disk: OnDisk | None) -> Instance:
    """The instance with its node's answer; the servers that it was seen to talk to count before a file."""
    if disk is None:
        return part
    installed = Evidence.of(disk.kubelet, SOURCE) if part.component is Component.KUBELET else None
    return replace(part, installed=installed, reach=part.reach or disk.reaches.get(part.component))
