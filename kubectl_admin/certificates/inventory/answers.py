"""The answers of a cluster, put together: certificates and gaps. Pure."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubectl_admin.certificates.facts import Facts, Seen, Source, Use
from kubectl_admin.certificates.inventory import components
from kubectl_admin.certificates.inventory.components import Port
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster.access import may_not, together
from kubectl_admin.cluster.errors import ApiError, Forbidden, Unauthorized
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.retry import UNCERTIFIED
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.report.text import some_of

# The rights to see the certificate that a port serves.


@dataclass(frozen=True, slots=True)
class Listed:
    """The listings. forwarders: for each node a pod in its network that leads to its ports."""

    nodes: tuple[str, ...]
    control_plane: tuple[StaticPod, ...]
    forwarders: Mapping[str, str]
    seen: tuple[Seen, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """Seen on a node's disk, and by its host on ports that are not on the loopback."""

    seen: tuple[Seen, ...]
    unseen: tuple[Gap, ...] = ()


def put_together(
    target: Target, listed: Listed, ports: Iterable[Port], answers: Mapping[Port | str, Any]
) -> Facts:
    """The facts from all answers; a missing answer is a gap."""
    seen, gaps = list(listed.seen), list(listed.gaps)
    hosts, refusing, uncertified, silent = set[str](), set[str](), set[str](), dict[Port, AdminError]()
    for about, answer in answers.items():
        match about, answer:
            case Port(), Certificate():
                seen.append(shown(about, answer))
            case (Port(), Unauthorized()) | (str(), Unauthorized()):
                # The API server knows the user, whom it has answered before: the kubelet refuses it.
                refusing.add(_node(about))
            case (Port(), ApiError(message=said)) | (str(), ApiError(message=said)) if UNCERTIFIED in said:
                uncertified.add(_node(about))
            case Port(), AdminError():
                silent[about] = answer
            case str(), Disk():
                hosts.add(about)
                seen += answer.seen
                gaps += answer.unseen
            case str(), AdminError():
                gaps.append(Gap(f"the disk of node {about}", answer.what))
    gaps += _unanswered(silent)
    gaps += _unasked([port for port in ports if port not in answers], hosts)
    return Facts(
        context=target.context,
        server=target.server,
        user=target.user_name,
        nodes=listed.nodes,
        hosts=frozenset(hosts),
        seen=tuple(seen),
        processes=tuple(one for pod in listed.control_plane if (one := components.process(pod))),
        etcd_servers=components.external_etcd(listed.control_plane),
        refusing=tuple(node for node in listed.nodes if node in refusing),
        uncertified=tuple(node for node in listed.nodes if node in uncertified),
        gaps=tuple(gaps),
    )


def shown(port: Port, certificate: Certificate) -> Seen:
    """A certificate as it is served."""
    return Seen(
        port.name,
        port.node,
        f"port {port.number}",
        Source.SERVED,
        Use.SERVER,
        certificate,
        port=port.number,
    )


def _node(about: Port | str) -> str:
    return about.node if isinstance(about, Port) else about


def _unasked(ports: Iterable[Port], hosts: Container[str]) -> Iterator[Gap]:
    """A gap for the ports to which no pod leads, and one for those that only hosts reach, which kept shut."""
    ports = list(ports)
    if far := [port for port in ports if port.host and port.node not in hosts]:
        names = ", ".join(dict.fromkeys(f"{port.name} on {port.number}" for port in far))
        yield Gap(f"certificates served as {names}", "only the node's host can reach them")
    if doorless := list(dict.fromkeys(port.node for port in ports if not port.host)):
        why = "kube-system has no running pod in the network of the node"
        yield Gap(f"certificates served on the ports of {some_of(doorless)}", why)


def _unanswered(silent: Mapping[Port, AdminError]) -> Iterator[Gap]:
    """A gap for all ports with the same error: one kubelet's problem is often that of thousands."""
    refused = [error for error in silent.values() if isinstance(error, Forbidden)]
    if refused:
        wanted = together(FORWARDING)
        yield Gap("certificates served on the nodes' ports", may_not(refused[0].user, wanted), wanted)
    alike: dict[tuple[str, int, str], list[str]] = {}
    for port, error in silent.items():
        if not isinstance(error, Forbidden):
            why = error.what.partition(": ")[2] or error.what
            alike.setdefault((port.name, port.number, why), []).append(port.node)
    for (name, number, why), nodes in alike.items():
        yield Gap(f"the certificate {name} served on port {number} of {some_of(nodes)}", why)
