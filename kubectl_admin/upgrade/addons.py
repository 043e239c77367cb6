"""kube-proxy and CoreDNS: kubeadm upgrades them with the last control plane, and waits for neither.

A kube-proxy has no probes, so its pod is Ready whatever it does, also while it ends and is restarted. It is
taken for well when it says so itself (its /healthz is 200 once its rules are in place), or, where it can't be
asked, when it has run for some seconds without a restart.

Source: kubernetes/kubernetes cmd/kubeadm/app/phases/addons/{dns,proxy}, of the moment
cmd/kubeadm/app/cmd/phases/upgrade/addons.go, of /healthz pkg/proxy/healthcheck/proxy_health.go.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from kubectl_admin.cluster import portforward
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.control_plane import static_pods
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.upgrade.facts import Target
from kubectl_admin.versions.version import Version

SYSTEM = "/api/v1/namespaces/kube-system"
APPS = "/apis/apps/v1/namespaces/kube-system"
PROXY, COREDNS = "kube-proxy", "coredns"
APISERVERS = "component=kube-apiserver,tier=control-plane"
NAMES = {PROXY: "kube-proxy", COREDNS: "CoreDNS"}
HEALTHZ = 10256  # kube-proxy's, unless its configuration says otherwise
POLL_INTERVAL = 1.0  # seconds between two looks
STEADY = 10.0  # seconds without a restart after which a kube-proxy that can't be asked is taken for well
CRASHES = 3  # restarts seen here after which it is not waited for any longer
ASKED = 3  # workers that are asked where no control plane has the new kube-proxy yet
ASK_TIMEOUT = 5.0  # seconds for kube-proxy's own answer
LIST_TIMEOUT = 30.0  # seconds for each listing


@dataclass(frozen=True, slots=True)
class ProxyPod:
    """A pod of kube-proxy. restarts: of its containers. ended: how it ended last, in words; "" for not.

    All but node and image is the word of the node's kubelet.
    """

    name: str
    uid: str
    image: str
    running: bool
    restarts: int
    ended: str
    node: str = ""

    @classmethod
    def of(cls, pod: Mapping[str, Any]) -> "ProxyPod":
        """What a pod (of the API) says."""
        states = (pod.get("status") or {}).get("containerStatuses") or ()
        ends = [(each.get("lastState") or {}).get("terminated") or {} for each in states]
        last = next((end for end in ends if end), {})
        words = " ".join(str(last.get("message") or "").split())[-200:]
        return cls(
            pod["metadata"]["name"],
            pod["metadata"].get("uid", ""),
            first_image(pod["spec"]),
            bool(states) and all("running" in (each.get("state") or {}) for each in states),
            sum(int(each.get("restartCount") or 0) for each in states),
            f"exit code {last.get('exitCode', '?')}" + (f": {words}" if words else "") if last else "",
            str(pod["spec"].get("nodeName") or ""),
        )


@dataclass(frozen=True, slots=True)
class Addons:
    """What the cluster has of them.

    proxies: kube-proxy's pods on the node, without those that leave.
    elsewhere: those on other nodes that are of the image that is deployed, where the node's own is not: a
        control plane's, or else those of some workers.
    images: of what is deployed, by name (PROXY, COREDNS); what is not deployed has none.
    rolls: whether a new kube-proxy is rolled out by itself.
    rolling: what CoreDNS' roll-out still lacks, "" for nothing.
    apiservers: the versions of all API servers by their images.
    """

    proxies: tuple[ProxyPod, ...]
    elsewhere: tuple[ProxyPod, ...]
    images: Mapping[str, str]
    rolls: bool
    rolling: str
    apiservers: tuple[Version | None, ...]

    @property
    def is_here(self) -> bool:
        """Whether the node's kube-proxy is of the image that is deployed, or none is to come."""
        image = self.images.get(PROXY)
        return not image or not self.rolls or all(pod.image == image for pod in self.proxies)

    def have_their_turn(self, target: Target) -> bool:
        """Whether kubeadm has upgraded them: it does once every API server is at the target."""
        return bool(self.apiservers) and set(self.apiservers) == {target.version}


def gather(cluster: Cluster, node: str) -> Addons:
    """What the cluster has, and what of it is on the node. Raises AdminError where it can't be asked."""

    def listed(path: str, *query: tuple[str, str]) -> list[Any]:
        return list(cluster.list(path, query, timeout=LIST_TIMEOUT))

    proxy, dns = ("labelSelector", "k8s-app=kube-proxy"), ("labelSelector", "k8s-app=kube-dns")

    daemonsets = listed(f"{APPS}/daemonsets", proxy)
    deployed = {
        each["metadata"]["name"]: each
        for each in (*daemonsets, *listed(f"{APPS}/deployments", dns))
        if each["metadata"]["name"] in NAMES
    }
    owners = {each["metadata"].get("uid") for each in daemonsets}

    def present(pods: Iterable[Any]) -> Iterator[ProxyPod]:
        return (ProxyPod.of(pod) for pod in pods if is_of(pod, owners))

    here = tuple(present(listed(f"{SYSTEM}/pods", proxy, ("fieldSelector", f"spec.nodeName={node}"))))
    found = static_pods.find(cluster, APISERVERS, timeout=LIST_TIMEOUT)
    strategy = deployed.get(PROXY, {}).get("spec", {}).get("updateStrategy") or {}
    seen = Addons(
        here,
        (),
        {name: first_image(each["spec"]["template"]["spec"]) for name, each in deployed.items()},
        strategy.get("type") != "OnDelete",
        rolling(deployed[COREDNS]) if COREDNS in deployed else "",
        tuple(Version.of_image(first_image(pod["spec"])) for pod in found.pods),
    )
    if seen.is_here:
        return seen
    others = present(cluster.list(f"{SYSTEM}/pods", [proxy], timeout=LIST_TIMEOUT))
    new = [pod for pod in others if pod.image == seen.images[PROXY] and pod.node != node]
    return replace(seen, elsewhere=to_be_asked(new, {each.name for each in found.nodes}))


def to_be_asked(pods: Sequence[ProxyPod], control_planes: Collection[str]) -> tuple[ProxyPod, ...]:
    """Whose word on a new kube-proxy is taken: a control plane's, or else that of some workers.

    A worker that was taken over may say of its own what it likes, and is not to decide on a control plane.
    """
    trusted = tuple(pod for pod in pods if pod.node in control_planes)
    return trusted[:1] or tuple(pods[:ASKED])


def is_of(pod: Mapping[str, Any], owners: Collection[str]) -> bool:
    """Whether a pod belongs to one of these and stays: labels alone are in the hands of any node."""
    metadata = pod["metadata"]
    mine = any(each.get("uid") in owners for each in metadata.get("ownerReferences") or ())
    return mine and "deletionTimestamp" not in metadata


def first_image(pod_spec: Mapping[str, Any]) -> str:
    """The image of a pod's first container."""
    containers: Sequence[Mapping[str, Any]] = pod_spec.get("containers") or [{}]
    return str(containers[0].get("image", ""))


def rolling(deployment: Mapping[str, Any]) -> str:
    """What a Deployment's roll-out still lacks; "" where it is through.

    Source: kubernetes/kubectl pkg/polymorphichelpers/rollout_status.go.
    """
    status, wanted = deployment.get("status") or {}, int(deployment["spec"].get("replicas", 1))
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0):
        return "its new template is not seen yet"
    updated, available = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    total = int(status.get("replicas") or 0)
    if updated < wanted or available < wanted:
        return f"{updated} of {wanted} pods are new, {available} available"
    return f"{total - updated} old pods are left" if total > updated else ""


def images_of_kubeadm(cluster: Cluster, host: Host) -> dict[str, str]:
    """The images that the host's kubeadm deploys, by name; none for an add-on that it leaves alone.

    Raises AdminError where it can't be asked.
    """
    config = cluster.get(f"{SYSTEM}/configmaps/kubeadm-config")
    text = str((config.get("data") or {}).get("ClusterConfiguration", "")).encode()
    return named(host.script("kubeadm-images", stdin=lambda: [text]).decode("utf-8", "replace"))


def named(answer: str) -> dict[str, str]:
    """The images of the add-ons in kubeadm's list, by name."""
    images = answer.split()
    return {image.rpartition("/")[2].partition(":")[0].partition("@")[0]: image for image in images}


def left_behind(cluster: Cluster, host: Host, target: Target) -> list[str]:
    """As `behind`, asked of the cluster and of the host. Raises AdminError where that can't be known."""
    seen = gather(cluster, host.node)
    return behind(seen, images_of_kubeadm(cluster, host), target) if seen.have_their_turn(target) else []


def behind(seen: Addons, wanted: Mapping[str, str], target: Target) -> list[str]:
    """The add-ons that are not deployed as kubeadm does at the target, in words; before their turn none.

    wanted: what kubeadm deploys.
    """
    if not seen.have_their_turn(target):
        return []
    return [
        f"{NAMES[name]} is {seen.images[name]}, kubeadm's is {wanted[name]}"
        for name in NAMES
        if name in seen.images and name in wanted and seen.images[name] != wanted[name]
    ]


@dataclass
class Watched:
    """What has been seen of kube-proxy's pods so far. healthy: as `says_well`, by the pod's name.

    ended: how each has ended last, in words, by its UID.
    """

    healthy: Callable[[str], bool | None]
    since: dict[tuple[str, int], float] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)

    def crashes(self, uids: Iterable[str]) -> int:
        """The restarts of these that have been seen here."""
        return sum(self.last[uid] - self.first[uid] for uid in uids)

    def lacking(self, pods: Sequence[ProxyPod], now: float) -> list[str]:
        """What these pods lack to be well, in words. now: seconds of a clock that only goes forward."""
        known = bool(self.first)
        missing = []
        for pod in pods:
            # One that is new since the first look has been started without a restart at first.
            self.first.setdefault(pod.uid, 0 if known else pod.restarts)
            self.last[pod.uid] = pod.restarts
            self.ended[pod.uid] = pod.ended or self.ended.get(pod.uid, "")
            started = self.since.setdefault((pod.uid, pod.restarts), now)
            if not pod.running:
                ended = f", it ended with {pod.ended}" if pod.ended else ""
                missing.append(f"kube-proxy running ({pod.restarts} restarts{ended})")
            elif (well := self.healthy(pod.name)) is False:
                missing.append("kube-proxy saying that it is well")
            elif well is None and now - started < STEADY:
                missing.append(f"kube-proxy running for {STEADY:.0f}s without a restart")
        return missing


def says_well(cluster: Cluster, pod: str) -> bool | None:
    """Whether a kube-proxy says that it is well; None where it can't be asked."""
    try:
        answer = portforward.http_get(cluster, "kube-system", pod, HEALTHZ, "/healthz", timeout=ASK_TIMEOUT)
    except AdminError:
        return None
    return answer.status == 200


def wait_until_well(  # noqa: PLR0913 - which node, what of it, and for how long
    cluster: Cluster,
    node: str,
    target: Target,
    *,
    proxied: bool,
    here: bool,
    rolled_out: bool,
    timeout: float,
    lacking: Callable[[Sequence[str]], None],
) -> None:
    """Returns when the node's kube-proxy is well, and what kubeadm has rolled out is.

    proxied: whether the node has to have one. here: whether it must be of the image that is deployed now.
    rolled_out: whether the new CoreDNS, and the new kube-proxy wherever the first one is, are asked for, once
    their turn has come. timeout: seconds. lacking: is told what is missing. Raises AdminError with what is
    missing then, and earlier for a kube-proxy that ends again and again.
    """
    watched = Watched(lambda pod: says_well(cluster, pod))
    own: dict[str, None] = {}  # the UIDs of the node's own, in the order in which they came
    end = time.monotonic() + timeout
    while True:
        try:
            seen = gather(cluster, node)
        except AdminError as error:
            missing = [f"an answer about kube-proxy and CoreDNS ({error.what})"]
        else:
            missing = watched.lacking(seen.proxies, time.monotonic())
            own |= {pod.uid: None for pod in seen.proxies}
            if proxied and not seen.proxies and PROXY in seen.images:
                missing.append("a pod of kube-proxy")
            if here and not seen.is_here:
                missing.append(f"kube-proxy of {seen.images[PROXY]} here")
            if rolled_out and seen.have_their_turn(target):
                missing += not_rolled_out(seen, watched)
                refuse_crashing(seen.elsewhere, watched)
            if not missing:
                return
        if (count := watched.crashes(own)) >= CRASHES:
            raise crashing(node, count, [watched.ended[uid] for uid in own])
        if time.monotonic() > end:
            raise AdminError(f"node {node}: {'; '.join(missing)}: not so in time", advice(missing))
        lacking(missing)
        time.sleep(POLL_INTERVAL)


def not_rolled_out(seen: Addons, watched: Watched) -> list[str]:
    """What of kubeadm's new add-ons is not well yet: CoreDNS, and the first new kube-proxy wherever it is.

    Of several nodes that are asked, one that says otherwise than the others is not believed.
    """
    missing = [f"CoreDNS rolled out ({seen.rolling})"] if seen.rolling else []
    if not seen.is_here and not seen.elsewhere:
        missing.append("a first new kube-proxy")
    lacking = [
        [f"{what} on node {pod.node}" for what in watched.lacking([pod], time.monotonic())]
        for pod in seen.elsewhere
    ]
    if sum(map(bool, lacking)) > 1 or len(lacking) == 1:
        missing += chain.from_iterable(lacking)
    return missing


def refuse_crashing(elsewhere: Sequence[ProxyPod], watched: Watched) -> None:
    """Raises AdminError where new kube-proxies end again and again: on two nodes, or on the only one.

    A roll-out goes no further while its first pod does not run; where it runs, others come, and are asked.
    """
    bad = [pod for pod in elsewhere if watched.crashes([pod.uid]) >= CRASHES]
    if len(bad) > 1 or (bad and len(elsewhere) == 1 and not bad[0].running):
        raise crashing(bad[0].node, watched.crashes([bad[0].uid]), [watched.ended[bad[0].uid]])


def crashing(node: str, count: int, ended: Sequence[str]) -> AdminError:
    """What is said of a node whose kube-proxy ends again and again. ended: how, the last coming last."""
    how = next(filter(None, reversed(ended)), "an exit code that is not told")
    ends = f"kube-proxy has ended {count} times meanwhile, with {how}"
    return AdminError(f"node {node}: {ends}", advice([ends]))


def advice(missing: Sequence[str]) -> str:
    """What to do about what is not well."""
    said = "kubectl -n kube-system logs -l k8s-app=kube-proxy --previous says why a kube-proxy ends"
    if any(each.endswith(" here") for each in missing):
        return "kubectl -n kube-system rollout status daemonset kube-proxy shows how far it is; run it again"
    if any("kube-proxy" in each for each in missing):
        return f"{said}; put ConfigMap or DaemonSet kube-system/kube-proxy right, and run it again"
    return "kubectl -n kube-system describe deployment coredns says why; put it right, and run it again"
