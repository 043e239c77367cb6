"""Finds all certificates of a cluster: in a few listings, by a handshake with every port that serves, and,
unless that is not wanted, on every node's disk through a debug pod.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from kubectl_admin.certificates.facts import Facts
from kubectl_admin.certificates.inventory import components, disk, expired, objects, served, user
from kubectl_admin.certificates.inventory.answers import Disk, Listed, put_together, shown
from kubectl_admin.certificates.inventory.components import Port
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.cluster.access import Right, attributed, explained, may_not
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden, NotFound, Unauthorized, Unreachable
from kubectl_admin.cluster.paths import KUBE_SYSTEM, SYSTEM_PODS
from kubectl_admin.cluster.portforward import PortError
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import KUBELET_PORT
from kubectl_admin.control_plane.endpoints import FORWARDING, forwarders
from kubectl_admin.control_plane.pod import static_pod
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.node import debug_pod
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts, shuffled, time_for
from kubectl_admin.pool import Once, ask_all

KUBE_PROXY = "k8s-app=kube-proxy"
LIST_TIMEOUT = 60.0  # seconds for all listings together
RETRY_TIMEOUT = 30.0  # seconds for which the way to a node may be cut: a listing is quickly run again
WORKERS = 24
NODES = Right("list", "nodes")
LIST_PODS = Right("list", "pods", KUBE_SYSTEM)
# Questions whose names are not the rights that they need.
STATIC_PODS, PROXIES, OF_CONTROL_PLANE = "static pods", "kube-proxy", "nodes of the control plane"

Answered = Callable[[int], None]
Handshake = Callable[[Cluster, str, int], Certificate]  # by the pod that leads there, and the port


def gather(
    cluster: Cluster,
    hosts: Hosts | None,
    *,
    answered: Answered | None = None,
    handshake: Handshake = served.certificate,
) -> Facts:
    """All certificates of the cluster.

    hosts: those of its nodes; None: without any, only what can be seen through the API. answered: called
    after each node and port, for progress. handshake: as `served.certificate`.

    Anything that can't be looked at is a Gap. Raises AdminError where the API server can't be spoken to, with
    why if a certificate has expired, and where debug pods may not be made.
    """
    try:
        listed = listings(cluster)
    except (Unauthorized, Unreachable) as error:
        raise expired.explained(cluster, error, datetime.now(UTC)) from error
    ports = [port for pod in listed.control_plane for port in components.ports(pod)]
    ports += [*components.external_ports(listed.control_plane), *map(kubelet_port, listed.nodes)]
    near = [port for port in ports if not port.host and port.node in listed.forwarders]
    handshakes = {
        port: Once(partial(handshake, cluster, listed.forwarders[port.node], port.number)) for port in near
    }
    if hosts is None:
        late = time_for(len(handshakes), WORKERS)
        found: dict[Any, Any] = ask_all(handshakes, deadline=late, workers=WORKERS, answered=answered)
        answers = attributed(cluster, found, FORWARDING)
    else:
        far = [port for port in ports if port.host]
        options = hosts.options
        hosts = replace(hosts, options=replace(options, patience=min(options.patience, RETRY_TIMEOUT)))
        # Nodes first: handshakes are done while pods start, and would keep them waiting.
        questions: dict[Port | str, Callable[[], Any]] = {
            node: partial(
                on_node,
                partial(hosts.open, node),
                handshakes.get(kubelet_port(node)),
                node,
                components.files(pod for pod in listed.control_plane if pod.node == node),
                [port for port in far if port.node == node],
            )
            for node in listed.nodes
        }
        questions.update(handshakes.items())
        rights = debug_pod.rights(options.namespace)
        with explained(cluster, rights):
            order: list[Port | str] = [*shuffled(listed.nodes), *handshakes]
            found = hosts.ask_all({key: questions[key] for key in order}, workers=WORKERS, answered=answered)
            disks = attributed(cluster, {node: found[node] for node in listed.nodes}, rights)
            if refused := next((one for one in disks.values() if isinstance(one, Forbidden)), None):
                raise refused
        at_ports = attributed(cluster, {port: found[port] for port in handshakes}, FORWARDING)
        answers = {**disks, **at_ports}
    return put_together(cluster.target, listed, ports, answers)


def listings(cluster: Cluster) -> Listed:
    """The API's objects. Raises AdminError where nodes and pods can't be asked for at all."""
    questions: dict[Right | str, Callable[[], Any]] = {
        NODES: lambda: tuple(name for (name,) in cluster.table("/api/v1/nodes").named("Name")),
        STATIC_PODS: partial(_pods, cluster, static_pods.SELECTOR),
        OF_CONTROL_PLANE: partial(static_pods.control_plane_nodes, cluster),
        PROXIES: partial(_pods, cluster, KUBE_PROXY),
        "user": lambda: tuple(user.seen(cluster)),
    }
    in_objects = objects.questions(cluster)
    questions.update((right, ask) for right, ask in in_objects.items())
    answers = ask_all(questions, deadline=LIST_TIMEOUT)
    gaps = dict.fromkeys(
        gap
        for what, answer in answers.items()
        if isinstance(answer, AdminError) and (gap := _without(what, answer, in_objects))
    )

    def told(what: Right | str) -> Any:
        return () if isinstance(answers[what], AdminError) else answers[what]

    # Every kubelet may show pods with these labels, and could have its ports and files taken for etcd's.
    static = static_pods.among(told(STATIC_PODS), told(OF_CONTROL_PLANE))
    known = not isinstance(answers[OF_CONTROL_PLANE], AdminError)
    impostors = static_pods.gaps(static.impostors) if known else []
    control_plane = tuple(part for pod in static.pods if (part := static_pod(pod)))
    nodes = told(NODES)
    through = forwarders([*told(PROXIES), *told(STATIC_PODS)])
    if not set(nodes) <= through.keys() and told(STATIC_PODS):
        through = {**forwarders(_pods(cluster, "")), **through}  # a network without kube-proxy
    seen = [one for right in in_objects for one in told(right)]
    return Listed(nodes, control_plane, through, (*told("user"), *seen), (*gaps, *impostors))


def _without(what: Right | str, error: AdminError, optional: Container[Right | str]) -> Gap | None:
    """The gap that a listing leaves; None where there is nothing of its kind. Raises the error itself where
    nothing can be listed without it.
    """
    if isinstance(error, NotFound):
        return None
    right = NODES if what == OF_CONTROL_PLANE else what if isinstance(what, Right) else LIST_PODS
    if isinstance(error, Forbidden):
        name = STATIC_PODS if right is LIST_PODS else right.resource
        return Gap(name, may_not(error.user, str(right)), str(right))
    if what in optional and not isinstance(error, Unauthorized | Unreachable):
        return Gap(right.resource, error.what)
    raise error


def on_node(
    opened: Callable[[], AbstractContextManager[Host]],
    kubelet: Callable[[], Certificate] | None,
    node: str,
    files: Sequence[components.File],
    far: Sequence[Port],
) -> Disk:
    """Certificates on a node's disk, and on those ports that its loopback does not reach.

    kubelet: shakes hands with the node's kubelet, without which no pod would ever run there; None where no
    way to that is known.
    """
    if kubelet:
        with suppress(Forbidden, PortError):
            kubelet()
    words = disk.arguments(files, [port.host for port in far])
    with opened() as there:
        answer = there.script(disk.SCRIPT, *words)
    found, unseen, told = list(disk.seen(node, answer, files)), [], disk.served(answer)
    for port in far:
        match told.get(port.host):
            case Certificate() as certificate:
                found.append(shown(port, certificate))
            case Broken(why):
                unseen.append(Gap(f"the certificate served at {port.host} of node {node}", why))
    return Disk(tuple(found), tuple(unseen))


def kubelet_port(node: str) -> Port:
    """Where a node's kubelet serves."""
    return Port(node, "kubelet", KUBELET_PORT, "kubelet-serving")


def _pods(cluster: Cluster, label: str) -> list[Mapping[str, Any]]:
    return list(cluster.list(SYSTEM_PODS, [("labelSelector", label)] if label else []))
