"""Finds out what runs where: from the API's objects in a few listings, and from the processes themselves.

No privileged pod and, unless asked to probe, no request per node: nodes come as the server's own Table, and a
fully rolled out DaemonSet says every kube-proxy's image.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kubectl_admin.cluster.access import together
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden, NotFound
from kubectl_admin.cluster.paths import KUBEADM_CONFIG, SYSTEM_APPS
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.control_plane.pod import apiserver_address
from kubectl_admin.control_plane.static_pods import Impostor, component_of, node_of
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all
from kubectl_admin.versions import kube_proxy, kubeadm_config, processes
from kubectl_admin.versions.facts import Evidence, Facts, Instance, Node
from kubectl_admin.versions.version import Version

LISTING_TIMEOUT = 60.0  # seconds for all listings together
CONTROL_PLANE_TIMEOUT = 30.0  # seconds more for all processes of the control plane together

# All that is looked up, and the permission for each.
PERMISSIONS = {
    "nodes": "list nodes",
    "static pods": "list pods in namespace kube-system",
    "kube-proxy": "list daemonsets.apps in namespace kube-system",
    "CoreDNS": "list deployments.apps in namespace kube-system",
    "kubeadm-config": "get configmaps in namespace kube-system",
}
Answered = Callable[[int], None]
# The address of each node's own API server, every part as it claims to be beside what it answers, and
# the pods that only look like such a part.
ControlPlane = tuple[
    dict[str | None, str], list[tuple[Instance, Instance | AdminError]], tuple[Impostor, ...]
]


def gather(
    cluster: Cluster,
    kubectl: Callable[[], Instance | None],
    *,
    probe: bool = False,
    answered: Answered | None = None,
) -> Facts:
    """All facts about the versions of one cluster.

    kubectl: finds out the version of kubectl on this machine; None where there is none.
    probe: ask every kubelet and kube-proxy itself, too: one request each, in parallel.
    answered: called after each of these answers with the number of questions, for progress.

    A list that the user may not read is a Gap; a component that does not answer is an Instance's problem.
    Raises AdminError only where the API server itself can't be reached.
    """
    gaps: list[Gap] = []
    listed = listings(cluster, kubectl, gaps)
    nodes, kubelets = listed.get("nodes", ([], []))
    own_apiservers, answers, impostors = listed.get("static pods", ({}, [], ()))
    gaps += static_pods.gaps(impostors)
    control_plane = [settled(part, answer, gaps) for part, answer in answers]
    if any(part.component is Component.APISERVER for part in control_plane):
        control_plane += absent_apiservers(control_plane, nodes)
    else:
        # Managed, or not visible: only the API server that answers is known.
        control_plane.append(processes.with_version(Instance(Component.APISERVER), listed["version"]))
        if "static pods" in listed:
            gaps.append(
                Gap("instances of the API server", "no static pods are visible: a managed control plane?")
            )
    proxies = kube_proxy.instances(cluster, listed.get("kube-proxy"), nodes, gaps)
    if probe:
        nodes, kubelets = probe_kubelets(cluster, nodes, kubelets, own_apiservers, gaps, answered)
        proxies = kube_proxy.probe(cluster, proxies, gaps, answered)
    others = [listed.get("kubectl"), coredns(listed.get("CoreDNS", ()))]
    configuration = kubeadm_config.cluster_configuration(listed.get("kubeadm-config"))
    return Facts(
        context=cluster.target.context,
        server=cluster.server,
        nodes=tuple(nodes),
        instances=(*control_plane, *kubelets, *proxies, *(part for part in others if part)),
        gaps=tuple(gaps),
        kubeadm=kubeadm_config.kubernetes_version(configuration),
        kubeadm_config=kubeadm_config.kubeadm_config(configuration),
    )


def listings(cluster: Cluster, kubectl: Callable[[], Instance | None], gaps: list[Gap]) -> dict[str, Any]:
    """The API's objects, by the name of the listing; those that failed are gaps instead.

    The control plane comes first: it is asked itself, as soon as its pods are known, while nodes are listed.
    """
    questions: dict[str, Callable[[], Any]] = {
        "static pods": lambda: ask_control_plane(cluster),
        "nodes": lambda: nodes_and_kubelets(cluster),
        "version": lambda: cluster.get("/version"),
        "kube-proxy": lambda: selected(cluster, f"{SYSTEM_APPS}/daemonsets", "k8s-app=kube-proxy"),
        "CoreDNS": lambda: selected(cluster, f"{SYSTEM_APPS}/deployments", "k8s-app=kube-dns"),
        "kubeadm-config": lambda: cluster.get(KUBEADM_CONFIG),
        "kubectl": kubectl,
    }
    answers = ask_all(questions, deadline=LISTING_TIMEOUT + CONTROL_PLANE_TIMEOUT)
    if isinstance(version := answers["version"], AdminError):
        raise version
    for name, permission in PERMISSIONS.items():
        answer = answers[name]
        if isinstance(answer, AdminError) and not isinstance(answer, NotFound):
            # Static pods take the nodes as well: without them it is unknown which pods are genuine.
            of_nodes = isinstance(answer, Forbidden) and answer.resource == "nodes"
            gaps.append(processes.gap(name, answer, PERMISSIONS["nodes"] if of_nodes else permission))
    return {name: answer for name, answer in answers.items() if not isinstance(answer, AdminError)}


def selected(cluster: Cluster, path: str, label: str) -> list[Mapping[str, Any]]:
    """The objects with this label."""
    return list(cluster.list(path, [("labelSelector", label)]))


def nodes_and_kubelets(cluster: Cluster) -> tuple[list[Node], list[Instance]]:
    """All nodes and the kubelets of their objects, from the server's Table: 1 MB for 5,000."""
    nodes, kubelets = [], []
    versions: dict[str, Evidence | None] = {}  # a few objects for thousands of nodes
    for row in cluster.table("/api/v1/nodes").named(
        "Name", "Status", "Roles", "Version", "OS-Image", "Kernel-Version", "Container-Runtime"
    ):
        name, status, roles, version, os_image, kernel, runtime = row
        nodes.append(Node(name, status, roles, os_image, kernel.partition(" ")[0], runtime))
        if version not in versions:
            versions[version] = Evidence.of(Version.find(version), "the Node object")
        kubelets.append(Instance(Component.KUBELET, name, claimed=versions[version]))
    return nodes, kubelets


def ask_control_plane(cluster: Cluster) -> ControlPlane:
    """Every part of the control plane, with what it answers itself.

    A kubelet may show any static pod on its own node: a pod that only looks like a part is not asked at all,
    or one worker could keep the genuine ones waiting. Raises AdminError where pods or nodes can't be listed.
    """
    pods, nodes = static_pods.listed(cluster)
    known = {node.name for node in nodes}
    deployed = [pod for pod in pods if is_of_cloud(pod, known)]
    found = static_pods.among((pod for pod in pods if not is_of_cloud(pod, known)), nodes)
    parts = [(pod, part) for pod in (*found.pods, *deployed) if (part := processes.static_pod(pod))]
    own_apiservers = {
        part.node: apiserver_address(pod) for pod, part in parts if part.component is Component.APISERVER
    }
    answers = ask_all(
        {
            pod["metadata"]["name"]: partial(processes.ask, cluster, pod, part, own_apiservers.get(part.node))
            for pod, part in parts
        },
        deadline=CONTROL_PLANE_TIMEOUT,
    )
    asked = [(part, answers[pod["metadata"]["name"]]) for pod, part in parts]
    return own_apiservers, asked, found.impostors


def is_of_cloud(pod: Mapping[str, Any], control_plane: Container[str]) -> bool:
    """Whether it is a cloud's controller-manager on one of these nodes: a pod of a DaemonSet, as a rule."""
    return component_of(pod) == Component.CLOUD_CONTROLLER_MANAGER and node_of(pod) in control_plane


def settled(part: Instance, answer: Instance | AdminError, gaps: list[Gap]) -> Instance:
    """The instance as it answered, or with why it did not; a missing permission is one gap for all."""
    if isinstance(answer, Instance):
        return answer
    if isinstance(answer, Forbidden):
        refused = processes.gap(
            f"the running version of {part.component}", answer, permission_to_ask(part.component, answer)
        )
        if refused not in gaps:
            gaps.append(refused)
        return part
    return replace(part, problem=answer.what)


def permission_to_ask(component: Component, refused: Forbidden) -> str:
    """The permission that was missing when a process was asked: to be answered, or to get through to it."""
    if refused.resource.startswith("/"):
        return f"{refused.verb} {refused.resource}"
    if component is Component.APISERVER:
        return "get pods/proxy in namespace kube-system"
    return together(FORWARDING)


def absent_apiservers(control_plane: Sequence[Instance], nodes: Iterable[Node]) -> list[Instance]:
    """API servers that control-plane nodes should run and of which no pod was found."""
    present = {part.node for part in control_plane if part.component is Component.APISERVER}
    return [
        Instance(Component.APISERVER, node.name, problem="this control-plane node has no kube-apiserver pod")
        for node in nodes
        if "control-plane" in node.roles.split(",") and node.name not in present
    ]


def probe_kubelets(
    cluster: Cluster,
    nodes: Sequence[Node],
    kubelets: Sequence[Instance],
    own_apiservers: Mapping[str | None, str],
    gaps: list[Gap],
    answered: Answered | None,
) -> tuple[list[Node], list[Instance]]:
    """The nodes and kubelets with the answers of each kubelet's metrics."""
    answers = processes.ask_nodes(
        cluster,
        {
            node.name: partial(processes.ask_kubelet, cluster, node.name, own_apiservers.get(node.name))
            for node in nodes
        },
        "the running versions of kubelets",
        processes.NODES_PROXY,
        gaps,
        answered,
    )
    seen, asked = list(nodes), list(kubelets)
    for place, (node, kubelet) in enumerate(zip(nodes, kubelets, strict=True)):
        match answers.get(node.name):
            case AdminError() as error:
                asked[place] = replace(kubelet, problem=error.what)
            case processes.KubeletAnswer(running, reach, cgroup, ends):
                seen[place] = replace(node, cgroup=cgroup, runtime_support_ends=ends)
                asked[place] = replace(kubelet, running=running, reach=reach)
    return seen, asked


def coredns(deployments: Iterable[Mapping[str, Any]]) -> Instance | None:
    """CoreDNS by its Deployment's image; None where there is none."""
    for deployment in deployments:
        return Instance(
            Component.COREDNS, claimed=processes.image_tag(deployment["spec"]["template"]["spec"])
        )
    return None
