"""Waits until a node is well at its new version, by watching it: nothing is asked again and again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import SYSTEM_PODS
from kubectl_admin.cluster.wait import looks
from kubectl_admin.cluster.watched import Changes, WatchedObjects
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade.facts import STATIC, Role
from kubectl_admin.versions.version import Version

REPORT_INTERVAL = 5.0  # seconds between two reports of what is missing


@dataclass(frozen=True, slots=True)
class Kubelet:
    """A kubelet, by its Node object."""

    version: Version | None
    ready: bool

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> "Kubelet":
        """Read from a node of the API."""
        info = node.get("status", {}).get("nodeInfo", {})
        return cls(Version.find(str(info.get("kubeletVersion", ""))), is_ready(node))


@dataclass(frozen=True, slots=True)
class Part:
    """A pod of Kubernetes itself. name: the component. image: its version by the image that runs.

    running: whether its containers do. ready: whether the kubelet has found that it answers, too.
    """

    name: str
    image: Version | None
    running: bool
    ready: bool
    leaving: bool

    @classmethod
    def of(cls, pod: Mapping[str, Any]) -> "Part":
        """Read from a pod of the API."""
        labels = pod["metadata"].get("labels") or {}
        containers: list[Mapping[str, Any]] = pod["spec"].get("containers") or [{}]
        states = (pod.get("status") or {}).get("containerStatuses") or ()
        return cls(
            labels.get("component") or labels.get("k8s-app") or pod["metadata"]["name"],
            Version.of_image(str(containers[0].get("image", ""))),
            bool(states) and all("running" in (each.get("state") or {}) for each in states),
            is_ready(pod),
            "deletionTimestamp" in pod["metadata"],
        )


def wait_until_ready(  # noqa: PLR0913 - which node, what of it, and for how long
    cluster: Cluster,
    node: str,
    role: Role,
    target: Version,
    *,
    parts_ready: bool,
    timeout: float,
    lacking: Callable[[Sequence[str]], None],
) -> None:
    """Returns when the node is Ready with a kubelet of the target, and its own parts run.

    parts_ready: whether these must have been found Ready as well, for which a kubelet that has just started
    takes up to twenty seconds, while they are at work. timeout: seconds. lacking: is told what is still
    missing, at least every few seconds. Raises AdminError with what is missing then.
    """
    changes = Changes()
    this_node, on_node = f"metadata.name={node}", f"spec.nodeName={node}"
    nodes = WatchedObjects(cluster, "/api/v1/nodes", [("fieldSelector", this_node)], Kubelet.of, changes)
    pods = WatchedObjects(cluster, SYSTEM_PODS, [("fieldSelector", on_node)], Part.of, changes)
    missing: list[str] = []
    with closing(nodes), closing(pods):
        for last in looks(timeout, REPORT_INTERVAL, sleep=changes.wait):
            seen, parts = nodes.facts, pods.facts
            if seen is None or parts is None:
                missing = [nodes.problem or pods.problem or "the API server's answer"]
            else:
                missing = what_is_missing(
                    seen.get(("", node)), parts.values(), role, target, parts_ready=parts_ready
                )
            if not missing:
                return
            if not last:
                lacking(missing)
    raise AdminError(
        f"node {node}: these are not well in time: {'; '.join(missing)}",
        f"the node stays as it is; see kubectl describe node {node}, and journalctl -u kubelet on the node",
    )


def what_is_missing(
    kubelet: Kubelet | None, parts: Iterable[Part], role: Role, target: Version, *, parts_ready: bool
) -> list[str]:
    """Unwell parts of a node, in words. Pure."""
    missing = []
    if kubelet is None:
        return ["the Node object, which does not exist"]
    if not target.is_release(kubelet.version):
        missing.append(f"kubelet {target} (it reports {kubelet.version})")
    if not kubelet.ready:
        missing.append("the node Ready")
    found: dict[str, list[Part]] = {}
    for part in parts:
        if not part.leaving:
            found.setdefault(part.name, []).append(part)
    if role.control_plane:
        missing += [f"a pod of {component}" for component in STATIC if component not in found]
        missing += [f"{part.name} {target} (it runs {part.image})" for part in outdated(found, target)]
    watched = (*STATIC, Component.ETCD, Component.KUBE_PROXY)
    here = [part for name in watched for part in found.get(name, ())]
    missing += [f"{part.name} running" for part in here if not part.running]
    if parts_ready:
        missing += [f"{part.name} Ready" for part in here if part.running and not part.ready]
    return missing


def outdated(found: Mapping[str, list[Part]], target: Version) -> list[Part]:
    """The parts of the control plane whose image is of another version."""
    moved = [part for component in STATIC for part in found.get(component, ())]
    return [part for part in moved if part.image and not target.is_release(part.image)]
