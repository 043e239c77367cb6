"""Where the components of a node serve, and the questions to them. Pure.

Host, port, scheme and path come from the pods' own flags and probes and from kube-proxy's configuration: a
table would be wrong for the first cluster that was set up otherwise. A component that is bound to an address
other than the loopback is not asked there: another program answers on the loopback's port of that number.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/controlplane/manifests.go and phases/etcd/local.go
(probes), pkg/proxy/apis/config/v1alpha1/defaults.go.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from kubectl_admin.cluster.decode import decode_yaml, mapping, whole_number
from kubectl_admin.control_plane.component import (
    CONTROLLERS,
    KUBE_PROXY_METRICS,
    KUBELET_PORT,
    PORTS,
    Component,
)
from kubectl_admin.control_plane.flags import listed, url_parts
from kubectl_admin.control_plane.pod import PORT_LIMIT, port_of, settings_of
from kubectl_admin.control_plane.probes import LOOPBACK, Probe, probes_of
from kubectl_admin.control_plane.static_pods import node_of
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.pods import pod_of
from kubectl_admin.health.facts import KUBELET_PING, Endpoint, Pod, Process

KUBE_PROXY_HEALTH = 10256
METRICS = "/metrics"
PROXY_MODE = "/proxyMode"


@dataclass(frozen=True, slots=True)
class Question:
    """Paths to be asked of a component at an endpoint, one after another over a connection of their own.

    Together are those of which one hangs when the other does. otherwise: the path instead where the
    component refuses the user.
    """

    component: Component
    endpoint: Endpoint
    paths: tuple[str, ...]
    otherwise: "Question | None" = None

    @property
    def of_metrics(self) -> "Question | None":
        """The same for its metrics alone; None where it does not ask for any."""
        return replace(self, paths=(METRICS,), otherwise=None) if METRICS in self.paths else None

    @property
    def on_health(self) -> tuple[str, ...]:
        """Its paths but for the metrics."""
        return tuple(path for path in self.paths if path != METRICS)


@dataclass(frozen=True, slots=True)
class Plan:
    """A component on a node, before it was asked, and the questions to it."""

    process: Process
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class KubeProxyConfig:
    """Where kube-proxies serve, by their ConfigMap; None for what they don't serve.

    mode: that it names; "" for none. None where nothing is known of it.
    """

    health: Endpoint | None
    metrics: Endpoint | None
    mode: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "KubeProxyConfig":
        """Read from a KubeProxyConfiguration, or the same as flags."""
        return cls(
            _bound(given.get("healthzBindAddress"), "", KUBE_PROXY_HEALTH),
            _bound(given.get("metricsBindAddress"), LOOPBACK, KUBE_PROXY_METRICS),
        )


def kube_proxy_config(config_map: Mapping[str, Any]) -> KubeProxyConfig:
    """Read from ConfigMap kube-proxy. Raises AdminError for one that can't be read."""
    text = mapping(config_map.get("data")).get("config.conf")
    documents = decode_yaml(str(text), "config.conf of ConfigMap kube-proxy") if text else []
    given = mapping(documents[0] if documents else None)
    config = KubeProxyConfig.of(given)
    return replace(config, mode=str(given.get("mode") or "")) if given else config


def cluster_domain(config_map: Mapping[str, Any]) -> str:
    """The domain of the cluster's names, by the ConfigMap kubelet-config; "" where it does not say.

    Raises AdminError for one that can't be read.
    """
    text = mapping(config_map.get("data")).get("kubelet")
    documents = decode_yaml(str(text), "kubelet of ConfigMap kubelet-config") if text else []
    domain = mapping(documents[0] if documents else None).get("clusterDomain")
    return domain if isinstance(domain, str) else ""


def static_pod(pod: Mapping[str, Any], component: Component, *, certificate: bool) -> Plan:
    """A part of the control plane by its pod. certificate: whether the user has a client certificate.

    Metrics of controller-manager and scheduler want one; a token goes to API servers alone.
    """
    flags = settings_of(pod, component)
    probes = tuple(probes_of(pod, component))
    endpoint = endpoint_of(flags, probes, component)
    process = Process(component, node_of(pod), True, pod_of(pod), endpoint, flags)
    if endpoint is None:
        return Plan(process)
    metrics = (METRICS,) if certificate or component not in CONTROLLERS else ()
    together = health_paths(component, probes, metrics)
    return Plan(process, tuple(Question(component, endpoint, paths) for paths in together))


def kube_proxy(pod: Pod, flags: Mapping[str, str], config: KubeProxyConfig) -> Plan:
    """A node's kube-proxy by its pod and flags; one that reads its configuration takes nothing from flags.

    One whose flags name no address is not asked: any kubelet may make a pod with such flags.
    """
    if "config" not in flags:
        named = {"healthzBindAddress": "healthz-bind-address", "metricsBindAddress": "metrics-bind-address"}
        try:
            config = KubeProxyConfig.of({name: flags.get(flag) for name, flag in named.items()})
        except AdminError:
            config = KubeProxyConfig(None, None)
    process = Process(Component.KUBE_PROXY, pod.node, True, pod, config.health, flags)
    asked = ((config.health, ("/healthz", "/livez")), (config.metrics, (METRICS, PROXY_MODE)))
    return Plan(
        process, tuple(Question(Component.KUBE_PROXY, where, paths) for where, paths in asked if where)
    )


def kubelet(node: Mapping[str, Any], *, certificate: bool) -> Plan:
    """A node's kubelet. Without a client certificate it can only be pinged."""
    daemon = mapping(mapping(mapping(node.get("status")).get("daemonEndpoints")).get("kubeletEndpoint"))
    number = whole_number(daemon.get("Port"))
    port = number if number and number < PORT_LIMIT else KUBELET_PORT
    ping = Question(Component.KUBELET, Endpoint(LOOPBACK, KUBELET_PING, "http"), ("/healthz",))
    process = Process(Component.KUBELET, str(node["metadata"]["name"]), True)
    if not certificate:
        return Plan(replace(process, endpoint=ping.endpoint), (ping,))
    endpoint = Endpoint("", port, "https")
    question = Question(Component.KUBELET, endpoint, ("/healthz?verbose", METRICS), otherwise=ping)
    return Plan(replace(process, endpoint=endpoint), (question,))


def health_paths(
    component: Component, probes: Sequence[Probe], metrics: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """The paths at which a component is asked for its health, as its own probes are, and for its metrics.

    Of etcd /health alone knows alarms, and /readyz alone its checks (from 3.5.11 on); without a quorum it
    hangs where the metrics do not. A controller-manager has /healthz alone; a scheduler's is a ping where it
    has /readyz.
    """
    probed = {path.partition("?")[0] for _, _, _, path in probes}
    match component:
        case Component.APISERVER:
            yield from (("/livez?verbose", *metrics), ("/readyz?verbose",))
        case Component.ETCD:
            yield from (("/health",), metrics)
            if not probed or probed - {"/health"}:
                yield ("/readyz?verbose",)
        case Component.SCHEDULER if "/readyz" in probed:
            yield ("/readyz", *metrics)
        case _:
            yield ("/healthz", *metrics)


def endpoint_of(flags: Mapping[str, str], probes: Sequence[Probe], component: Component) -> Endpoint | None:
    """Where a part of the control plane serves its health; None for nowhere.

    A flag wins over the probes, which are what somebody has once written for it.
    """
    probed = next(iter(probes), None)
    if component is Component.ETCD:
        named = [url_parts(url, PORTS[component][1]) for url in listed(flags.get("listen-metrics-urls", ""))]
        found = [Endpoint(host, port, scheme or "http") for scheme, host, port in named if port]
        # The loopback is the nearest; an address elsewhere can't be asked.
        nearest = min(found, key=lambda one: not one.is_on_loopback, default=None)
        return nearest or (Endpoint(probed[0], probed[1], probed[2]) if probed else None)
    flag, _ = PORTS[component]
    port = probed[1] if probed and flag not in flags else port_of(flags, component)
    return Endpoint(flags.get("bind-address", ""), port, probed[2] if probed else "https") if port else None


def ways(pods: Iterable[Pod]) -> dict[str, list[str]]:
    """For each node the pods of kube-system that run there in the node's own network, the best first.

    kube-proxy's is first: whatever becomes of the control plane, it stays.
    """
    found: dict[str, list[tuple[bool, str]]] = {}
    for pod in pods:
        if pod.node and pod.phase == "Running" and pod.host_network and not pod.deleted:
            found.setdefault(pod.node, []).append((not is_kube_proxy(pod), pod.name))
    return {node: [name for _, name in sorted(named)] for node, named in found.items()}


def is_kube_proxy(pod: Pod) -> bool:
    """Whether a pod of kube-system is a kube-proxy."""
    return pod.labels.get("k8s-app") == Component.KUBE_PROXY


def is_for_host(question: Question) -> bool:
    """Whether only the node's host leads to who is asked. API servers are asked through another one."""
    return (
        question.component is not Component.APISERVER
        and not question.endpoint.is_on_loopback
        and ip_of(question.endpoint) is not None
    )


def ip_of(endpoint: Endpoint) -> IPv4Address | IPv6Address | None:
    """The address that an endpoint is bound to; None for a name, and for one of a single interface."""
    try:
        address = ip_address(endpoint.host.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return None if address.scope_id else address.ipv4_mapped or address
    return address


def _bound(said: object, host: str, port: int) -> Endpoint | None:
    """The endpoint of an address with or without a port; a port of 0 serves nothing."""
    if not said:
        return Endpoint(host, port, "http")
    text = str(said)
    name, colon, number = text.rpartition(":")
    if not colon or text.endswith("]") or (name.count(":") and not name.endswith("]")):
        return Endpoint(text.strip("[]"), port, "http")
    found = whole_number(number)
    if found is None or found >= PORT_LIMIT:
        raise AdminError(f"kube-proxy's configuration names no address: {text!r}")
    return Endpoint(name.strip("[]"), found, "http") if found else None
