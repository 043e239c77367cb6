"""The objects of a made-up cluster, after those of a real one: files/objects/ holds what kubeadm, the kubelet
and the controllers made of a cluster of 1.36.3, with «placeholders» for what differs from node to node.
"""

import functools
import hashlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import yaml

from tests.lab import cache
from tests.lab.api.sketch import Sketch

Object = dict[str, Any]

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
IMAGES = 50  # as many as a kubelet reports: the default of its nodeStatusMaxImages
TEAMS = ("payments", "identity", "inventory", "observability", "data-platform", "storefront", "logistics")
PARTS = ("api-gateway", "event-consumer", "batch-reconciler", "session-cache", "migration-runner", "web")


def objects(sketch: Sketch) -> Iterator[Object]:
    """Every object of the cluster, owners before what they own; as an API server would return them."""
    yield from (service_account("kube-proxy"), service_account("coredns"))
    yield from config_maps(sketch)
    yield from (node(sketch, index) for index in range(sketch.nodes))
    for index in range(min(sketch.control_planes, sketch.nodes)):
        yield from static_pods(sketch, index)
    if sketch.kube_proxy:
        yield daemonset(sketch)
        yield from controller_revisions(sketch)
        yield from (kube_proxy(sketch, index) for index in range(sketch.nodes))
    yield from coredns(sketch)


def node(sketch: Sketch, index: int) -> Object:
    """The Node at this place of the cluster."""
    name = sketch.name(index)
    made = taken(
        sketch,
        "node",
        index,
        version=sketch.kubelets.get(name, sketch.release.kubernetes),
        pods=str(sketch.pods(index)),
        boot=uid("boot", name),
        machine=hexadecimal(name, 32),
    )
    if not sketch.is_control_plane(index):
        labels = made["metadata"]["labels"]
        del labels["node-role.kubernetes.io/control-plane"]
        del labels["node.kubernetes.io/exclude-from-external-load-balancers"]
        del made["spec"]["taints"]
    if name in sketch.not_ready:
        fall_silent(made)
    made["status"]["images"] = images(sketch, index)
    return made


def fall_silent(node: Object) -> None:
    """What the node lifecycle controller makes of a Node whose kubelet no longer reports."""
    for condition in node["status"]["conditions"]:
        condition["status"] = "Unknown"
        condition["reason"] = "NodeStatusUnknown"
        condition["message"] = "Kubelet stopped posting node status."
    taint = {
        "key": "node.kubernetes.io/unreachable",
        "timeAdded": node["status"]["conditions"][0]["lastTransitionTime"],
    }
    node["spec"].setdefault("taints", []).extend(
        {**taint, "effect": effect} for effect in ("NoSchedule", "NoExecute")
    )


def images(sketch: Sketch, index: int) -> list[Object]:
    """The images on a node, largest first: its own choice of those that the cluster runs; sizes in bytes."""
    row = sketch.release
    system = [f"kube-proxy:v{row.kubernetes}", f"pause:{row.pause_tag}"]
    if sketch.is_control_plane(index):
        system += [f"etcd:{row.etcd_tag}", f"coredns/coredns:{row.coredns_tag}"]
        system += [f"{component}:v{row.kubernetes}" for component in CONTROL_PLANE[1:]]
    sizes = {f"registry.k8s.io/{name}": 30_000_000 for name in system}
    others = catalogue()
    for place in range(IMAGES - len(sizes)):
        chosen = (index * 11 + place) % len(others)
        sizes[others[chosen]] = 900_000_000 - chosen * 2_000_000
    return [
        {"names": [image_id(image), image], "sizeBytes": size}
        for image, size in sorted(sizes.items(), key=lambda item: -item[1])
    ]


@functools.cache
def catalogue() -> list[str]:
    """All images of the cluster's own workloads."""
    return [
        f"registry.example.com/{team}/{part}:2026.{month}.0-{hexadecimal(f'{team} {part} {month}', 8)}"
        for month in range(1, 10)
        for team in TEAMS
        for part in PARTS
    ]


def static_pods(sketch: Sketch, index: int) -> Iterator[Object]:
    """The mirror pods of the control plane on the node at this place."""
    node = sketch.name(index)
    version = sketch.control_plane.get(node, sketch.release.kubernetes)
    members = ",".join(
        f"{sketch.name(member)}=https://{sketch.address(member)}:2380" for member in range(index + 1)
    )
    for component in CONTROL_PLANE:
        file_hash = hexadecimal(f"{component} {node} {version}", 32)
        made = taken(sketch, component, index, version=version, hash=file_hash, members=members)
        yield run(made, node in sketch.not_ready)


def daemonset(sketch: Sketch) -> Object:
    """kube-proxy's DaemonSet, in its second generation while pods of the first are left."""
    made = taken(sketch, "kube-proxy")
    updated, ready = sketch.nodes - len(sketch.proxies), sketch.nodes - len(sketch.not_ready)
    generation = len(sketch.proxy_versions)
    made["metadata"]["generation"] = generation
    made["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = str(generation)
    made["status"] = {
        "currentNumberScheduled": sketch.nodes,
        "desiredNumberScheduled": sketch.nodes,
        "numberAvailable": ready,
        "numberMisscheduled": 0,
        "numberReady": ready,
        **({"numberUnavailable": sketch.nodes - ready} if ready < sketch.nodes else {}),
        "observedGeneration": generation,
        "updatedNumberScheduled": updated,
    }
    return made


def controller_revisions(sketch: Sketch) -> Iterator[Object]:
    """The DaemonSet's ControllerRevisions, oldest first: one a version of kube-proxy."""
    for number, version in enumerate(sketch.proxy_versions, start=1):
        made = taken(sketch, "kube-proxy-revision", revision=revision(version))
        made["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = str(number)
        template = taken(sketch, "kube-proxy", version=version)["spec"]["template"]
        made["data"] = {"spec": {"template": {"$patch": "replace", **template}}}
        made["revision"] = number
        yield made


def kube_proxy(sketch: Sketch, index: int) -> Object:
    """The kube-proxy pod of the node at this place."""
    node = sketch.name(index)
    version = sketch.proxies.get(node, sketch.release.kubernetes)
    suffix = hexadecimal(f"kube-proxy {node} {version}", 8)
    made = taken(sketch, "kube-proxy-pod", index, version=version, suffix=suffix, revision=revision(version))
    number = sketch.proxy_versions.index(version) + 1
    made["metadata"]["labels"]["pod-template-generation"] = str(number)
    return run(made, node in sketch.not_ready)


def revision(version: str) -> str:
    """The hash by which a DaemonSet's pods name their ControllerRevision."""
    return hexadecimal(f"kube-proxy template {version}", 10)


def coredns(sketch: Sketch) -> Iterator[Object]:
    """CoreDNS: its Deployment, ReplicaSet and two pods, on the first node as kubeadm leaves them."""
    template_hash = hexadecimal(f"coredns template {sketch.release.coredns_tag}", 10)
    deployment = taken(sketch, "coredns", hash=template_hash)
    yield deployment
    replicaset = taken(sketch, "coredns-replicaset", hash=template_hash)
    template = json.loads(json.dumps(deployment["spec"]["template"]))
    template["metadata"]["labels"]["pod-template-hash"] = template_hash
    replicaset["spec"]["template"] = template
    yield replicaset
    for number in (2, 3):
        made = taken(
            sketch,
            "coredns-pod",
            0,
            hash=template_hash,
            suffix=hexadecimal(f"coredns pod {number}", 5),
            pod_address=str(sketch.pods(0)[number]),
        )
        yield run(made, sketch.name(0) in sketch.not_ready)


def config_maps(sketch: Sketch) -> Iterator[Object]:
    """The ConfigMaps of kubeadm and of what it installs."""
    names = ("kubeadm-config", "kubelet-config", "coredns-config")
    for name in [*names, "kube-proxy-config"] if sketch.kube_proxy else names:
        yield taken(sketch, name)


def service_account(name: str) -> Object:
    """A service account of kube-system."""
    metadata = {"name": name, "namespace": "kube-system", "uid": uid("ServiceAccount", name)}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def run(pod: Object, silent: bool) -> Object:
    """The pod with what the runtime says of its one container; not ready on a node that is silent."""
    for status in pod["status"]["containerStatuses"]:
        status["containerID"] = "containerd://" + hexadecimal(pod["metadata"]["name"], 64)
        status["imageID"] = image_id(status["image"])
    for condition in pod["status"]["conditions"]:
        if silent and condition["type"] == "Ready":
            condition["status"] = "False"
    return pod


def taken(sketch: Sketch, file: str, index: int = 0, **values: str) -> Object:
    """The object in a file, as it is on the node at this place; values: for placeholders of its own."""
    row = sketch.release
    common = {
        "node": sketch.name(index),
        "address": sketch.address(index),
        "endpoint": sketch.address(0),
        "pod_network": str(sketch.pod_network),
        "version": row.kubernetes,
        "etcd": row.etcd_tag,
        "coredns": row.coredns_tag,
        "when": sketch.when,
        # Of no use before the name and the image are known: see run().
        "container": "",
        "imageID": "",
    }
    text = text_of(file)
    for name, value in (common | values).items():
        text = text.replace(f"«{name}»", value)
    assert "«" not in text, f"{file}: a placeholder is left"
    made: Object = json.loads(text)
    metadata = made["metadata"]
    metadata |= {"creationTimestamp": sketch.when, "uid": uid(made["kind"], metadata["name"])}
    for reference in metadata.get("ownerReferences", ()):
        reference["uid"] = uid(reference["kind"], reference["name"])
    return made


@functools.cache
def text_of(file: str) -> str:
    """A file's object as JSON, which is read a hundred times faster than YAML."""
    path = cache.FILES / "objects" / f"{file}.yaml"
    return json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), ensure_ascii=False)


def uid(kind: str, name: str) -> str:
    """A UID, the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind} {name}"))


@functools.cache
def image_id(image: str) -> str:
    """An image by a digest, made up of its name and tag."""
    return f"{image.rpartition(':')[0]}@sha256:{hexadecimal(image, 64)}"


def hexadecimal(text: str, length: int) -> str:
    """So many hexadecimal digits that depend on a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
