"""Asks the running processes themselves which version they are, without a pod of our own.

API servers are asked through the API server's pod proxy. Listeners on a node's loopback only
(controller-manager, scheduler, etcd, kube-proxy) are asked through a port-forward to a pod in that node's
network.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from kubectl_admin.cluster.access import Right, attributed, may_not, together
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import SHOWN, decode_object, mapping
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.paths import SYSTEM_PODS
from kubectl_admin.control_plane import metrics
from kubectl_admin.control_plane.component import CONTROLLERS, KUBE_PROXY_METRICS, PORTS, Component
from kubectl_admin.control_plane.endpoints import GET_LIMIT, GET_TIMEOUT, get_from_loopback
from kubectl_admin.control_plane.pod import port_of, settings_of
from kubectl_admin.control_plane.static_pods import component_of, node_of
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all
from kubectl_admin.versions.facts import Evidence, Instance, Reach
from kubectl_admin.versions.version import Version

PROBE_TIMEOUT = 300.0  # seconds for the answers of all nodes together
NODES_PROXY = (Right("get", "nodes/proxy"),)
# Metrics, and the label of each that is of use.
BUILD_INFO = ("kubernetes_build_info", "git_version")
ETCD_VERSION = ("etcd_server_version", "server_version")
# Which servers a client of client-go has spoken to since it started.
SPOKEN_TO = ("rest_client_requests_total", "host")
RUNTIME_SUPPORT = ("kubelet_cri_losing_support", "version")
CGROUP_VERSION = "kubelet_cgroup_version"
VERSION_LIMIT = 64 << 10  # bytes of an answer to /version

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class KubeletAnswer:
    """A kubelet's metrics: its version, the cgroup version, until when its runtime is supported."""

    running: Evidence | None
    reach: Reach | None
    cgroup: int | None
    runtime_support_ends: str


def static_pod(pod: Mapping[str, Any]) -> Instance | None:
    """The instance that a control-plane pod's object claims to be; None for any other pod."""
    component = component_of(pod)
    if component not in PORTS:
        return None
    return Instance(Component(component), node_of(pod) or None, claimed=image_tag(pod["spec"]))


def image_tag(pod_spec: Mapping[str, Any]) -> Evidence | None:
    """The version in the image tag of a pod's first container."""
    return Evidence.of(Version.of_image(pod_spec["containers"][0].get("image", "")), "the image tag")


def ask(cluster: Cluster, pod: Mapping[str, Any], instance: Instance, own_apiserver: str | None) -> Instance:
    """The instance with what the process in this pod answered; raises AdminError where it did not.

    own_apiserver: the address of the API server on the same node, if there is one.
    """
    name = pod["metadata"]["name"]
    component = instance.component
    if component not in PORTS:
        return instance
    port = port_of(settings_of(pod, component), component)
    if instance.component is Component.APISERVER:
        path = f"{SYSTEM_PODS}/https:{name}:{port}/proxy/version"
        answer = cluster.get_text(path, timeout=GET_TIMEOUT, limit=VERSION_LIMIT)
        return with_version(instance, decode_object(answer, "its answer to /version"))
    if instance.component is Component.ETCD:
        text = get_from_loopback(cluster, name, port, "/metrics")
        return replace(instance, running=evidence(ETCD_VERSION, text, "its metrics"))
    if instance.component in CONTROLLERS and cluster.has_client_certificate:
        text = get_from_loopback(cluster, name, port, "/metrics", tls=True)
        return replace(
            instance, running=evidence(BUILD_INFO, text, "its metrics"), reach=reach(text, own_apiserver)
        )
    # Their metrics want a credential, and a token is not sent to a server whose certificate nobody can check.
    return instance


def with_version(instance: Instance, answer: Mapping[str, Any] | None) -> Instance:
    """The instance with the answer of an API server's /version; emulated versions are there since 1.32.

    Raises AdminError for an answer without a version.
    """
    found = mapping(answer)
    emulated = found.get("emulationMajor"), found.get("emulationMinor")
    running = _version(found.get("gitVersion"))
    emulates = _version(".".join(map(str, emulated))) if all(emulated) else running
    same = (emulates.major, emulates.minor) == (running.major, running.minor)
    return replace(instance, running=Evidence(running, "its /version"), emulates=None if same else emulates)


def _version(written: object) -> Version:
    """The version that an answer to /version gives. Raises AdminError."""
    version = Version.find(str(written))
    if version is None:
        raise AdminError(f"its answer to /version has no version: {str(written)[:SHOWN]!r}")
    return version


def ask_kubelet(cluster: Cluster, node: str, own_apiserver: str | None) -> KubeletAnswer:
    """Asks a node's kubelet for its version, through the API server's node proxy.

    own_apiserver: the address of the API server on the same node, if there is one.
    """
    text = cluster.get_text(f"/api/v1/nodes/{node}/proxy/metrics", timeout=GET_TIMEOUT, limit=GET_LIMIT)
    cgroup = next((value for _, value in metrics.series(text, CGROUP_VERSION)), "")
    return KubeletAnswer(
        evidence(BUILD_INFO, text, "its metrics"),
        reach(text, own_apiserver),
        {"1": 1, "2": 2}.get(cgroup),
        next(labels_of(RUNTIME_SUPPORT, text), ""),
    )


def ask_kube_proxy(cluster: Cluster, pod: str) -> Evidence | None:
    """Asks the kube-proxy in this pod for its version."""
    return evidence(
        BUILD_INFO, get_from_loopback(cluster, pod, KUBE_PROXY_METRICS, "/metrics"), "its metrics"
    )


def ask_nodes(
    cluster: Cluster,
    questions: Mapping[str, Callable[[], Answer]],
    what: str,
    rights: Sequence[Right],
    gaps: list[Gap],
    answered: Callable[[int], None] | None,
) -> dict[str, Answer | AdminError]:
    """The answers of many nodes, by their names; those that the user may not ask are left out, with one gap.

    what, rights: the gap's subject, and the rights to ask.
    """
    answers = attributed(cluster, ask_all(questions, deadline=PROBE_TIMEOUT, answered=answered), rights)
    refused = next((answer for answer in answers.values() if isinstance(answer, Forbidden)), None)
    if refused:
        gaps.append(gap(what, refused, together(rights)))
    return {node: answer for node, answer in answers.items() if not isinstance(answer, Forbidden)}


def reach(text: str, own_apiserver: str | None) -> Reach | None:
    """Which API servers a process talks to, by its metrics; None where they don't have it.

    own_apiserver: the address of the API server on the same node, if there is one.
    """
    hosts = set(labels_of(SPOKEN_TO, text))
    if not hosts:
        return None
    return Reach.LOCAL if hosts == {own_apiserver} else Reach.ANY


def gap(what: str, error: AdminError, permission: str) -> Gap:
    """The gap that this error leaves; the permission counts where its lack is the reason."""
    if isinstance(error, Forbidden):
        return Gap(what, may_not(error.user, permission), permission)
    return Gap(what, error.what)


def evidence(metric: tuple[str, str], text: str, source: str) -> Evidence | None:
    """The version that a metric's label carries; None where the metric is missing or has no version."""
    return Evidence.of(Version.find(next(labels_of(metric, text), "")), source)


def labels_of(metric: tuple[str, str], text: str) -> Iterator[str]:
    """The value of a metric's label in each of its series that has it and is not 0."""
    name, label = metric
    for labels, value in metrics.series(text, name):
        if value != "0" and labels.get(label):
            yield labels[label]
