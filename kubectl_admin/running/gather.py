"""Asks components of one node what they run with, all of them over one port-forward."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from kubectl_admin.cluster import tls
from kubectl_admin.cluster.access import Right, explained, lacks, may_not
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_yaml, mapping
from kubectl_admin.cluster.errors import Forbidden, NotFound, refusal
from kubectl_admin.cluster.forwarded import Forwarded, Port
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.cluster.paths import KUBE_SYSTEM, KUBEADM_CONFIG, SYSTEM, SYSTEM_PODS
from kubectl_admin.cluster.portforward import answer_to
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import CONTROLLERS, Component
from kubectl_admin.control_plane.endpoints import FORWARDING, GET_LIMIT
from kubectl_admin.control_plane.flags import flags
from kubectl_admin.control_plane.pod import PARTS, flags_of
from kubectl_admin.control_plane.static_pods import LABEL, ControlPlaneNode, component_of
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.health.asking import questions
from kubectl_admin.health.asking.exchange import open_stream
from kubectl_admin.health.asking.pods import pod_of
from kubectl_admin.health.asking.questions import METRICS, KubeProxyConfig, Question
from kubectl_admin.pool import ask_all
from kubectl_admin.running import decode
from kubectl_admin.running.compare import has_fields
from kubectl_admin.running.facts import Running, Tree
from kubectl_admin.versions.kubeadm_config import EXTRA_ARGS, at, cluster_configuration, words

ALL_TIMEOUT = 20.0  # seconds for all answers
ANSWER_TIMEOUT = 10.0  # seconds for one
TEXT_LIMIT = 4 << 20  # bytes of a configuration
CONFIGURED = (Component.KUBELET, Component.KUBE_PROXY, Component.CONTROLLER_MANAGER, Component.SCHEDULER)
SHOWN = (*CONFIGURED, Component.APISERVER)
WRITTEN = {
    Component.KUBELET: ("kubelet-config", "kubelet"),
    Component.KUBE_PROXY: ("kube-proxy", "config.conf"),
}
RIGHTS = (Right("get", "nodes"), Right("list", "pods", KUBE_SYSTEM), *FORWARDING)
CONFIG_MAPS = Right("get", "configmaps", KUBE_SYSTEM)  # some of them, by their names
# The rights that a kubelet wants for its paths, beside nodes/NAME for most others. Source: KEP-2862.
OF_KUBELET = {
    "/configz": "nodes/configz",
    "/flagz": "nodes/configz",
    "/statusz": "nodes/statusz",
    METRICS: "nodes/metrics",
}
Answer = TypeVar("Answer")


class Denied(AdminError):  # noqa: N818 - as the API's errors are named
    """A component refuses the user. right: the one that is missing."""

    def __init__(self, user: str, right: Right) -> None:
        lacking = lacks(user, [right])
        super().__init__(lacking.what, lacking.hint)
        self.right = right


@dataclass(frozen=True, slots=True)
class Way:
    """How the components of a node are reached. pod: one in its network. endpoints: of each component."""

    node: str
    pod: str
    endpoints: Mapping[Component, Question]


def gather(cluster: Cluster, node: str, components: Sequence[Component] | None = None) -> list[Running]:
    """Settings of these components of a node, None: all that it has.

    Raises AdminError where the node is not there or can't be asked, or does not run the only one wanted.
    """
    way = way_to(cluster, node)
    wanted = [one for one in components or SHOWN if one in way.endpoints or components]
    for one in wanted:
        if one not in way.endpoints and len(wanted) == 1:
            raise without(cluster, way, one)
    there = [one for one in wanted if one in way.endpoints]
    asked = [(one, path) for one in there for path in paths_of(one)]
    answers = ask(cluster, way, {(one, path): (one, path, accept_of(path)) for one, path in asked})
    found = [running_of(node, one, {path: answers[one, path] for path in paths_of(one)}) for one in there]
    if not any(one.configuration is not None or one.flags is not None for one in found):
        raise next(answer for answer in answers.values() if isinstance(answer, AdminError))
    return found


def metrics(cluster: Cluster, node: str, component: Component) -> str:
    """The metrics of a component, as it gives them. Raises AdminError where it does not."""
    way = way_to(cluster, node)
    if component not in way.endpoints:
        raise without(cluster, way, component)
    answer = ask(cluster, way, {component: (component, METRICS, "*/*")})[component]
    if isinstance(answer, AdminError):
        raise answer
    return answer


def written(cluster: Cluster, components: Sequence[Component]) -> tuple[dict[Component, Tree], list[Gap]]:
    """The settings in ConfigMaps for these components of all nodes, and gaps."""
    found: dict[Component, Tree] = {}
    gaps: list[Gap] = []
    for component in components:
        try:
            found[component] = written_for(cluster, component)
        except Forbidden as error:
            right = str(CONFIG_MAPS)
            gaps.append(Gap(f"the ConfigMap for {component}", may_not(error.user, right), right))
        except AdminError as error:
            gaps.append(Gap(f"the ConfigMap for {component}", error.what))
    return found, gaps


def compared(found: Sequence[Running], texts: Mapping[Component, Tree]) -> list[str]:
    """The ConfigMaps that these components were compared with. texts: the written settings, if known."""
    seen = [one.component for one in found if one.component in texts and has_fields(one)]
    return list(dict.fromkeys(WRITTEN[one][0] if one in WRITTEN else "kubeadm-config" for one in seen))


def written_for(cluster: Cluster, component: Component) -> Tree:
    """A component's settings in a ConfigMap: its configuration, or flags «--name»."""
    if component in WRITTEN:
        name, key = WRITTEN[component]
        text = mapping(cluster.get(f"{SYSTEM}/configmaps/{name}").get("data")).get(key)
        documents = decode_yaml(str(text or ""), f"{key} of ConfigMap {name}")
        return mapping(documents[0] if documents else None)
    document = cluster_configuration(cluster.get(KUBEADM_CONFIG))
    given = flags(words(at(document, *EXTRA_ARGS[component])))
    return {f"--{name}": value for name, value in given.items()}


def way_to(cluster: Cluster, node: str) -> Way:
    """How the components of a node are reached. Raises AdminError where there is no such node, or no way."""
    with explained(cluster, RIGHTS):
        item = read_node(cluster, node)
        items = list(cluster.list(SYSTEM_PODS, [("fieldSelector", f"spec.nodeName={node}")]))
        config = kube_proxy_config(cluster)
    pods = [pod_of(each) for each in items]
    ways = questions.ways(pods).get(node)
    if not ways:
        raise AdminError(
            f"node {node}: no running pod of namespace {KUBE_SYSTEM} leads to its ports",
            "look at the node's pods: kubectl get pods -n kube-system -o wide",
        )
    certificate = cluster.has_client_certificate
    nodes = [ControlPlaneNode.of(item)] if LABEL in (item["metadata"].get("labels") or {}) else []
    static = static_pods.among((each for each in items if component_of(each) in PARTS), nodes).pods
    plans = [
        *(
            questions.static_pod(each, Component(component_of(each)), certificate=certificate)
            for each in static
        ),
        *(
            questions.kube_proxy(pod, flags_of(each, Component.KUBE_PROXY), config)
            for each, pod in zip(items, pods, strict=True)
            if questions.is_kube_proxy(pod) and not pod.is_over
        ),
        questions.kubelet(item, certificate=certificate),
    ]
    endpoints = {
        question.component: of_metrics
        for plan in plans
        for question in plan.questions
        if (of_metrics := question.of_metrics)
    }
    return Way(node, ways[0], endpoints)


def kube_proxy_config(cluster: Cluster) -> KubeProxyConfig:
    """Where kube-proxies serve; the usual ports where no ConfigMap says."""
    try:
        return questions.kube_proxy_config(cluster.get(f"{SYSTEM}/configmaps/kube-proxy"))
    except NotFound:
        return KubeProxyConfig.of({})
    except Forbidden as error:
        raise Denied(error.user, CONFIG_MAPS) from error


def without(cluster: Cluster, way: Way, component: Component) -> AdminError:
    """Why a component of a node can't be asked."""
    if component in (Component.KUBELET, *CONTROLLERS) and not cluster.has_client_certificate:
        return AdminError(
            f"{component} on node {way.node} trusts client certificates, and this user has none",
            "use a kubeconfig with a client certificate; a token is sent to API servers alone",
        )
    has = ", ".join(way.endpoints) or "none"
    return AdminError(f"node {way.node} does not run {component} (it runs: {has})")


Asked = tuple[Component, str, str]  # a component, a path, and the accepted form
Key = TypeVar("Key", bound=Any)


def ask(cluster: Cluster, way: Way, asked: Mapping[Key, Asked]) -> dict[Key, str | AdminError]:
    """The answers to these questions, all at the same time over one connection."""
    loopback = tls.context_to_loopback(cluster.client_certificate, cluster.target.user_name)
    numbers = [way.endpoints[component].endpoint.port for component, _, _ in asked.values()]
    with (
        explained(cluster, FORWARDING),
        cluster.forward_ports(KUBE_SYSTEM, way.pod, numbers, timeout=ALL_TIMEOUT) as forwarded,
    ):

        def get(port: Port, component: Component, path: str, accept: str) -> str:
            return get_text(forwarded, port, (way.endpoints[component], path, accept), loopback)

        asking: dict[Key, Callable[[], str]] = {
            key: partial(get, port, *one)
            for (key, one), port in zip(asked.items(), forwarded.ports, strict=True)
        }
        return ask_all(asking, deadline=ALL_TIMEOUT, workers=len(asking))


def get_text(forwarded: Forwarded, port: Port, asked: tuple[Question, str, str], loopback: Any) -> str:
    """The text at a path of a component. Raises AdminError where it refuses or does not answer."""
    question, path, accept = asked
    if not question.endpoint.is_on_loopback:
        where = question.endpoint.host
        raise AdminError(f"{question.component} is bound to {where}, which can't be asked through its node")
    port.finish_within(ANSWER_TIMEOUT)
    stream, shown = open_stream(forwarded, port, question, loopback)
    limit = GET_LIMIT if path == METRICS else TEXT_LIMIT
    answer = answer_to(stream, path, limit, port.what, further=[("Accept", accept), *shown])
    if answer.status != 200:
        refused = refusal(answer.status, answer.body, answer.headers, f"GET {path} of {question.component}")
        if isinstance(refused, Forbidden):
            named = OF_KUBELET if question.component is Component.KUBELET else {}
            raise Denied(refused.user, Right("get", named.get(path, path)))
        raise refused
    return answer.body.decode("utf-8", "replace")


def paths_of(component: Component) -> tuple[str, ...]:
    """A component's paths to ask; an API server has no configuration but its flags."""
    return ("/configz", "/flagz", "/statusz") if component in CONFIGURED else ("/flagz", "/statusz")


def accept_of(path: str) -> str:
    """The kind of answer that is asked for."""
    return {"/flagz": decode.accept("Flagz"), "/statusz": decode.accept("Statusz")}.get(path, "*/*")


def running_of(node: str, component: Component, answers: Mapping[str, str | AdminError]) -> Running:
    """A component by its answers; one that is missing or not understood is a gap."""
    gaps: list[Gap] = []

    def told(path: str, read: Callable[[str, str], Answer], what: str) -> Answer | None:
        answer = answers.get(path)
        try:
            if isinstance(answer, AdminError):
                raise answer
            return None if answer is None else read(answer, f"the answer of {component} to {path}")
        except NotFound:
            gaps.append(Gap(f"{what} of {component} on node {node}", f"it has no {path}"))
        except AdminError as error:
            permission = str(error.right) if isinstance(error, Denied) else ""
            gaps.append(Gap(f"{what} of {component} on node {node}", error.what, permission))
        return None

    return Running(
        component,
        node,
        told("/configz", decode.configuration, "the configuration"),
        told("/flagz", decode.flags, "the flags"),
        told("/statusz", decode.status, "version and start") or {},
        tuple(gaps),
    )
