"""Rights and credentials that a user lacks, as they show in what was asked."""

from collections.abc import Mapping
from dataclasses import replace

from kubectl_admin.cluster.access import Right, missing
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.finding import Gap
from kubectl_admin.health.asking.ask import Asked
from kubectl_admin.health.asking.silence import WORDS
from kubectl_admin.health.facts import KUBELET_PING, Node, NoReply, Reply, Why
from kubectl_admin.report.text import some_of

KUBELETS = (Right("get", "nodes/healthz"), Right("get", "nodes/metrics"))


def attributed(cluster: Cluster, asked: Mapping[str, Asked]) -> dict[str, Asked]:
    """The nodes' answers, in which FORBIDDEN says that the right to forward ports is missing.

    An API server hands on a kubelet's refusal as its own.
    """
    refused = {
        name for name, one in asked.items() if isinstance(one.way, NoReply) and one.way.why is Why.FORBIDDEN
    }
    if not refused or missing(cluster, FORWARDING):
        return dict(asked)
    return {
        name: replace(one, way=NoReply(Why.FORWARD, one.way.said))
        if name in refused and isinstance(one.way, NoReply)
        else one
        for name, one in asked.items()
    }


def gaps_of(cluster: Cluster, nodes: tuple[Node, ...]) -> list[Gap]:
    """Facts that the user can't see for want of a right or a certificate."""
    gaps = []
    if not cluster.has_client_certificate:
        why = "they trust client certificates, and this user has none; a token is sent to API servers alone"
        what = "the checks of kubelets, and metrics of kubelets, controller-managers and schedulers"
        gaps.append(Gap(what, why))
    elif pinged(nodes):
        why = "they do not let this user ask for their checks, and were only pinged"
        gaps.append(Gap(f"the checks of the kubelets of {some_of(pinged(nodes))}", why, str(KUBELETS[0])))
    refused: dict[str, NoReply] = {}
    for node in nodes:
        for process in node.processes:
            metrics = process.metrics
            if isinstance(metrics, NoReply) and metrics.why is Why.FORBIDDEN:
                refused.setdefault(metrics.permission, metrics)
    gaps += [
        Gap(f"metrics by {permission.removeprefix('get ')}", one.said, permission)
        for permission, one in refused.items()
    ]
    return [*gaps, *without_metrics(nodes)]


def without_metrics(nodes: tuple[Node, ...]) -> list[Gap]:
    """Components that have told how they are, and gave no metrics, for each reason alike.

    They know what no answer on health tells: a kube-proxy that fails to write its rules says that it is well.
    """
    alike: dict[tuple[Component, Why], list[str]] = {}
    off: list[str] = []  # nodes whose kube-proxies serve no metrics
    for node in nodes:
        for process in node.processes:
            one = process.metrics
            answered = any(isinstance(reply, Reply) for reply in process.replies.values())
            if answered and isinstance(one, NoReply) and one.why is not Why.FORBIDDEN:
                alike.setdefault((process.component, one.why), []).append(node.name)
            elif answered and one is None and process.component is Component.KUBE_PROXY:
                off.append(node.name)
    gaps = [
        Gap(f"metrics of {component} on {some_of(names)}", WORDS[why])
        for (component, why), names in alike.items()
    ]
    if off:
        why = "it serves none (metricsBindAddress), so nobody sees whether its rules are accepted"
        gaps.append(Gap(f"metrics of {Component.KUBE_PROXY} on {some_of(off)}", why))
    return gaps


def pinged(nodes: tuple[Node, ...]) -> list[str]:
    """The nodes whose kubelets were only pinged."""
    return [
        process.node
        for node in nodes
        for process in node.processes
        if process.component is Component.KUBELET
        and process.endpoint
        and process.endpoint.port == KUBELET_PING
    ]
