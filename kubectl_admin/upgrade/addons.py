"""kube-proxy and CoreDNS as the cluster has them: kubeadm upgrades them with the last control plane.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/addons/{dns,proxy}, of the moment
cmd/kubeadm/app/cmd/phases/upgrade/addons.go.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.paths import KUBEADM_CONFIG, SYSTEM_APPS, SYSTEM_PODS
from kubectl_admin.control_plane import static_pods
from kubectl_admin.finding import Finding
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.upgrade.addon_facts import Addons, DnsRollout, ProxyPod, ProxyRollout
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.upgrade.rules import ADDON_BEHIND, ADDON_ROLLOUT
from kubectl_admin.versions.version import Version

IMAGES = Script("upgrade", "kubeadm-images")
PROXY, COREDNS = "kube-proxy", "coredns"
APISERVERS = "component=kube-apiserver,tier=control-plane"
NAMES = {PROXY: "kube-proxy", COREDNS: "CoreDNS"}
WITNESSES = 3  # new kube-proxies of other nodes that are asked
LIST_TIMEOUT = 30.0  # seconds for each listing


def gather(cluster: Cluster, node: str) -> Addons:
    """The add-ons in the cluster and on the node. Raises AdminError where it can't be asked."""

    def listed(path: str, *query: tuple[str, str]) -> list[Any]:
        return list(cluster.list(path, query, timeout=LIST_TIMEOUT))

    proxy, dns = ("labelSelector", "k8s-app=kube-proxy"), ("labelSelector", "k8s-app=kube-dns")

    daemonsets = listed(f"{SYSTEM_APPS}/daemonsets", proxy)
    deployed = {
        each["metadata"]["name"]: each
        for each in (*daemonsets, *listed(f"{SYSTEM_APPS}/deployments", dns))
        if each["metadata"]["name"] in NAMES
    }
    owners = {each["metadata"].get("uid") for each in daemonsets}
    here = listed(SYSTEM_PODS, proxy, ("fieldSelector", f"spec.nodeName={node}"))
    found = static_pods.find(cluster, APISERVERS, timeout=LIST_TIMEOUT)
    seen = Addons(
        tuple(ProxyPod.of(pod) for pod in here if is_of(pod, owners) and not is_leaving(pod)),
        {name: first_image(each["spec"]["template"]["spec"]) for name, each in deployed.items()},
        ProxyRollout.of(deployed[PROXY]) if PROXY in deployed else None,
        DnsRollout.of(deployed[COREDNS]) if COREDNS in deployed else None,
        tuple(Version.of_image(first_image(pod["spec"])) for pod in found.pods),
    )
    if seen.is_here:
        return seen
    everywhere = [
        pod for pod in listed(SYSTEM_PODS, proxy) if is_of(pod, owners) and static_pods.node_of(pod) != node
    ]
    return with_others(seen, everywhere, {each.name for each in found.nodes})


def with_others(seen: Addons, pods: Sequence[Mapping[str, Any]], control_plane: Collection[str]) -> Addons:
    """The same with what kube-proxy's pods on other nodes say of its rollout. control_plane: names of nodes.

    A worker that was taken over may say of its own what it likes, and is not to decide on a control plane.
    A pod of which no kubelet has said anything is not a witness, nor is one that runs and is not ready:
    nothing has been heard of its node for long.
    """
    if seen.proxy is None:
        return seen
    new = [
        pod
        for pod in (ProxyPod.of(each) for each in pods if not is_leaving(each))
        if pod.begun and (pod.ready or not pod.running) and seen.proxy.has_made(pod)
    ]
    witnesses = [pod for pod in new if pod.node in control_plane]
    holding = {static_pods.node_of(pod) for pod in pods if is_leaving(pod) or not ProxyPod.of(pod).ready} - {
        ""
    }
    return replace(
        seen,
        elsewhere=tuple(sorted(witnesses or new, key=lambda pod: not pod.ready)[:WITNESSES]),
        trusted=bool(witnesses),
        proxy=replace(seen.proxy, holding=tuple(sorted(holding))),
    )


def is_of(pod: Mapping[str, Any], owners: Collection[str]) -> bool:
    """Whether a pod belongs to one of these: labels alone are in the hands of any node."""
    return any(each.get("uid") in owners for each in pod["metadata"].get("ownerReferences") or ())


def is_leaving(pod: Mapping[str, Any]) -> bool:
    """Whether a pod is being deleted."""
    return "deletionTimestamp" in pod["metadata"]


def first_image(pod_spec: Mapping[str, Any]) -> str:
    """The image of a pod's first container."""
    containers: Sequence[Mapping[str, Any]] = pod_spec.get("containers") or [{}]
    return str(containers[0].get("image", ""))


def images_of_kubeadm(cluster: Cluster, host: Host) -> dict[str, str]:
    """The images that the host's kubeadm deploys, by name; none for an add-on that it leaves alone.

    Raises AdminError where it can't be asked.
    """
    config = cluster.get(KUBEADM_CONFIG)
    text = str((config.get("data") or {}).get("ClusterConfiguration", "")).encode()
    return parse_images(host.script(IMAGES, stdin=lambda: [text]).decode("utf-8", "replace"))


def parse_images(answer: str) -> dict[str, str]:
    """The images of the add-ons in kubeadm's list, by name."""
    images = answer.split()
    return {image.rpartition("/")[2].partition(":")[0].partition("@")[0]: image for image in images}


def left_behind(cluster: Cluster, host: Host, target: Target) -> list[str]:
    """As `behind`, asked of the cluster and of the host. Raises AdminError where that can't be known."""
    seen = gather(cluster, host.node)
    return behind(seen, images_of_kubeadm(cluster, host), target) if seen.have_their_turn(target) else []


def behind(seen: Addons, wanted: Mapping[str, str], target: Target) -> list[str]:
    """The add-ons that are deployed older than kubeadm does at the target, in words; before their turn none.

    wanted: kubeadm's images.
    """
    if not seen.have_their_turn(target):
        return []
    return [
        f"{NAMES[name]} is {seen.images[name]}, kubeadm's is {wanted[name]}"
        for name in NAMES
        if name in seen.images and name in wanted and is_older(seen.images[name], wanted[name])
    ]


def is_older(image: str, other: str) -> bool:
    """Whether an image is of an older version than another, or that can't be known.

    Who manages add-ons may take them from another registry, and newer than kubeadm's.
    """
    here, there = Version.of_image(image), Version.of_image(other)
    return image != other and (here is None or there is None or here.precedence < there.precedence)


def behind_findings(node: str, found: Sequence[str]) -> list[Finding]:
    """A violation for each add-on that is behind. found: in words."""
    return [
        ADDON_BEHIND.violation(
            subject="kube-proxy, CoreDNS",
            evidence=each,
            fix="run kubeadm upgrade node phase addon all on this node (it says why if it keeps one); "
            "if they are meant to be so, proceed with --allow addon-behind",
            objects=(f"node/{node}",),
        )
        for each in found
    ]


def rollout_findings(node: str, found: Sequence[str]) -> list[Finding]:
    """A warning for each part of a rollout that was not waited for to its end. found: in words."""
    return [
        ADDON_ROLLOUT.warning(
            subject="kube-proxy, CoreDNS",
            evidence=f"not seen: {each}",
            fix="see where with kubectl -n kube-system get pods -o wide -l 'k8s-app in (kube-proxy, kube-dns)"
            "'; bring a node that is down back, or remove it from the cluster",
            objects=(f"node/{node}",),
        )
        for each in found
    ]
