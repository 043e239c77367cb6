"""Finds all certificates of a cluster: in a few listings, by a handshake with every port that serves, and,
unless that is not wanted, on every node's disk through a debug pod.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kubectl_admin.certificates import components, disk, ended, objects, served, user
from kubectl_admin.certificates.components import KUBELET_PORT, Port, StaticPod
from kubectl_admin.certificates.facts import Facts, Seen, Source, Use
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Forbidden, Unauthorized, Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.node import debug_pod, host, leftovers
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.operation import Operation
from kubectl_admin.pool import ask_all

SYSTEM = "kube-system"
PODS = f"/api/v1/namespaces/{SYSTEM}/pods"
CONTROL_PLANE = "tier=control-plane"
KUBE_PROXY = "k8s-app=kube-proxy"
LISTING = 60.0  # seconds for all listings together
LOOKING = 600.0  # seconds for all nodes together
WORKERS = 24
NODES = Right("list", "nodes")
LIST_PODS = Right("list", "pods", SYSTEM)
FORWARDING = "create and get pods/portforward in namespace kube-system"

Answered = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Listed:
    """What the listings gave. doors: for each node a pod in its network, by which its ports are reached."""

    nodes: tuple[str, ...]
    control_plane: tuple[StaticPod, ...]
    doors: Mapping[str, str]
    seen: tuple[Seen, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Disk:
    """What was seen on a node's disk, and by its host on ports that are not on the loopback."""

    seen: tuple[Seen, ...]
    unseen: tuple[Gap, ...] = ()


def gather(cluster: Cluster, options: Options | None, say: Say, answered: Answered | None = None) -> Facts:
    """All certificates of the cluster.

    options: those of debug pods; None: without any, only what can be seen through the API. answered: called
    after each node and port, for progress.

    What can't be looked at is a Gap. Raises AdminError where the API server can't be spoken to, with why if a
    certificate has ended, and where debug pods may not be made.
    """
    try:
        listed = listings(cluster)
    except (Unauthorized, Unreachable) as error:
        raise ended.explained(cluster, error, datetime.now(UTC)) from error
    ports = [port for pod in listed.control_plane for port in components.ports(pod)]
    ports += [Port(node, "kubelet", KUBELET_PORT, "kubelet-serving") for node in listed.nodes]
    near = [port for port in ports if not port.host and port.node in listed.doors]
    questions: dict[Port | str, Callable[[], Any]] = {
        port: partial(served.certificate, cluster, listed.doors[port.node], port.number) for port in near
    }
    if options is None:
        answers = ask_all(questions, deadline=LOOKING, workers=WORKERS, answered=answered)
    else:
        operation = Operation.begin()
        far = [port for port in ports if port.host]
        for node in listed.nodes:
            questions[node] = partial(
                on_node,
                partial(host.opened, cluster, node, operation, options, say),
                node,
                components.files(pod for pod in listed.control_plane if pod.node == node),
                [port for port in far if port.node == node],
            )
        with (
            explained(cluster, debug_pod.rights(options.namespace)),
            leftovers.withdrawing(cluster, options.namespace, operation),
        ):
            answers = ask_all(questions, deadline=LOOKING, workers=WORKERS, answered=answered)
            for node in listed.nodes:
                if isinstance(answers[node], Forbidden):
                    raise answers[node]
    return put_together(cluster, listed, ports, answers)


def listings(cluster: Cluster) -> Listed:
    """What the API's objects say."""
    questions: dict[Right | str, Callable[[], Any]] = {
        NODES: lambda: tuple(name for (name,) in cluster.table("/api/v1/nodes").named("Name")),
        "control plane": partial(_pods, cluster, CONTROL_PLANE),
        "kube-proxy": partial(_pods, cluster, KUBE_PROXY),
        "user": lambda: tuple(user.seen(cluster)),
    }
    in_objects = objects.questions(cluster)
    questions.update((right, ask) for right, ask in in_objects.items())
    answers = ask_all(questions, deadline=LISTING)
    if isinstance(mine := answers["user"], AdminError):
        raise mine
    gaps: list[Gap] = []
    for right, answer in answers.items():
        if not isinstance(answer, AdminError):
            continue
        if isinstance(right, Right) and isinstance(answer, ApiError) and answer.status in (403, 404):
            if isinstance(answer, Forbidden):
                gaps.append(Gap(f"{right.resource}", f"this user may not {right}", str(right)))
        elif isinstance(answer, Forbidden):
            gap = Gap("static pods", f"this user may not {LIST_PODS}", str(LIST_PODS))
            gaps += [gap] if gap not in gaps else []
        else:
            raise answer

    def told(what: Right | str) -> Any:
        return () if isinstance(answers[what], AdminError) else answers[what]

    control_plane = tuple(part for pod in told("control plane") if (part := components.static_pod(pod)))
    nodes = told(NODES) or tuple(dict.fromkeys(part.node for part in control_plane))
    doors = _doors([*told("kube-proxy"), *told("control plane")])
    if not set(nodes) <= doors.keys() and told("control plane"):
        doors = {**_doors(_pods(cluster, "")), **doors}  # a network without kube-proxy
    seen = [one for right in in_objects for one in told(right)]
    return Listed(nodes, control_plane, doors, (*told("user"), *seen), tuple(gaps))


def on_node(
    opened: Callable[[], AbstractContextManager[Host]],
    node: str,
    files: Sequence[components.File],
    far: Sequence[Port],
) -> Disk:
    """What is on a node's disk, and served on those ports that its loopback does not reach."""
    words = disk.arguments(files, [port.host for port in far])
    with opened() as there:
        answer = there.script("certificates", *words)
    found, unseen, shown = list(disk.seen(node, answer, files)), [], disk.served(answer)
    for port in far:
        match shown.get(port.host):
            case Certificate() as certificate:
                found.append(_served(port, certificate))
            case Broken(why):
                unseen.append(Gap(f"what is served at {port.host} of node {node}", why))
    return Disk(tuple(found), tuple(unseen))


def put_together(
    cluster: Cluster, listed: Listed, ports: Iterable[Port], answers: Mapping[Port | str, Any]
) -> Facts:
    """The facts from all answers; what is missing among them is a gap."""
    seen, gaps = list(listed.seen), list(listed.gaps)
    hosts, refusing, silent = set[str](), set[str](), dict[Port, AdminError]()
    for about, answer in answers.items():
        match about, answer:
            case Port(), Certificate():
                seen.append(_served(about, answer))
            case (Port(), Unauthorized()) | (str(), Unauthorized()):
                # The API server knows the user, whom it has answered before: it is the kubelet that refuses.
                refusing.add(about.node if isinstance(about, Port) else about)
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
        context=cluster.target.context,
        server=cluster.server,
        user=cluster.target.user_name,
        nodes=listed.nodes,
        hosts=frozenset(hosts),
        seen=tuple(seen),
        processes=tuple(one for pod in listed.control_plane if (one := components.process(pod))),
        etcd_servers=components.external_etcd(listed.control_plane),
        refusing=tuple(node for node in listed.nodes if node in refusing),
        gaps=tuple(gaps),
    )


def _served(port: Port, certificate: Certificate) -> Seen:
    return Seen(
        port.name,
        port.node,
        f"port {port.number}",
        Source.SERVED,
        Use.SERVER,
        certificate,
        port=port.number,
    )


def _unasked(ports: Iterable[Port], hosts: Container[str]) -> Iterator[Gap]:
    """A gap for the ports to which no pod leads, and one for those that only hosts reach, which kept shut."""
    ports = list(ports)
    if far := [port for port in ports if port.host and port.node not in hosts]:
        names = ", ".join(dict.fromkeys(f"{port.name} on {port.number}" for port in far))
        yield Gap(f"what is served as {names}", "only a node's host can look there")
    if doorless := list(dict.fromkeys(port.node for port in ports if not port.host)):
        why = "no running pod of kube-system is to be seen in the network of the node"
        yield Gap(f"what is served on the ports of {_some(doorless)}", why)


def _unanswered(silent: Mapping[Port, AdminError]) -> Iterator[Gap]:
    """A gap for all ports that said the same: what is wrong with one kubelet often is with thousands."""
    refused = [port for port, error in silent.items() if isinstance(error, Forbidden)]
    if refused:
        yield Gap("what is served on the nodes' ports", f"this user may not {FORWARDING}", FORWARDING)
    alike: dict[tuple[str, int, str], list[str]] = {}
    for port, error in silent.items():
        if not isinstance(error, Forbidden):
            why = error.what.partition(": ")[2] or error.what
            alike.setdefault((port.name, port.number, why), []).append(port.node)
    for (name, number, why), nodes in alike.items():
        yield Gap(f"what is served as {name} on port {number} of {_some(nodes)}", why)


def _some(nodes: Sequence[str]) -> str:
    rest = f" and {len(nodes) - 3:,} more" if len(nodes) > 3 else ""
    return ", ".join(nodes[:3]) + rest


def _pods(cluster: Cluster, label: str) -> list[Mapping[str, Any]]:
    return list(cluster.list(PODS, [("labelSelector", label)] if label else []))


def _doors(pods: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """For each node the first of these pods that runs there in the node's own network."""
    doors: dict[str, str] = {}
    for pod in pods:
        runs = (pod.get("status") or {}).get("phase") == "Running"
        if runs and pod["spec"].get("hostNetwork") and pod["spec"].get("nodeName"):
            doors.setdefault(pod["spec"]["nodeName"], pod["metadata"]["name"])
    return doors
