"""Facts out of objects shaped as the API's JSON, stored ones and live ones alike. Pure.

These are of every user of a cluster, and of its nodes: a field that may be anything is taken as it may be.
"""

import json
import posixpath
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from kubectl_admin.cluster.admission import VITAL, covers, is_sent_requests, service_of
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.objects import Object, ObjectName, name_of
from kubectl_admin.etcd.restore.consequences.facts import (
    Attachment,
    Content,
    Database,
    Hook,
    Network,
    Node,
    Volume,
)

OF_SERVICE = "kubernetes.io/service-name"
HOSTNAME = "kubernetes.io/hostname"
# A kubelet reports so many images, the largest ones. Source: kubernetes/kubernetes
# pkg/kubelet/apis/config/v1beta1/defaults.go, NodeStatusMaxImages.
MOST_IMAGES = 50
# Fields of a PersistentVolume's spec that are objects and not its storage. Source: kubernetes/api core/v1.
NOT_STORAGE = {"capacity", "claimRef", "nodeAffinity"}
ON_NODE = ("local", "hostPath")


def parts(said: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list; nothing where it is none."""
    if isinstance(said, list):
        yield from (one for one in said if isinstance(one, dict))


def node_of(item: Object) -> Node:
    """A Node."""
    metadata = item["metadata"]
    return Node(str(metadata["name"]), str(metadata.get("uid") or ""), tuple(ranges_of(item)))


def ranges_of(item: Object) -> Iterator[Network]:
    """The ranges of a Node's pods, without those that are none."""
    spec = mapping(item.get("spec"))
    said = spec.get("podCIDRs") or [spec.get("podCIDR")]
    for text in said if isinstance(said, list) else ():
        try:
            yield ip_network(str(text), strict=False)
        except ValueError:
            continue


def images_of(item: Object) -> tuple[set[str], bool]:
    """The images that a Node says it holds, by all their names; and whether it may hold more."""
    listed = list(parts(mapping(item.get("status")).get("images")))
    names = {
        normalized(name) for image in listed for name in image.get("names") or () if isinstance(name, str)
    }
    return names, len(listed) >= MOST_IMAGES


def normalized(image: str) -> str:
    """An image's name in full, as runtimes list it: «docker.io/library/nginx:latest».

    Source: github.com/distribution/reference normalize.go.
    """
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    if "@" in image:
        # With a digest, a tag says nothing.
        name, _, digest = image.partition("@")
        head, _, tail = name.rpartition("/")
        return f"{head}/{tail.partition(':')[0]}@{digest}"
    return image if ":" in image.rpartition("/")[2] else f"{image}:latest"


def volume_of(item: Object) -> Volume:
    """A PersistentVolume."""
    spec = mapping(item.get("spec"))
    claim = mapping(spec.get("claimRef"))
    kind, source = next(
        (
            (name, value)
            for name, value in sorted(spec.items())
            if isinstance(value, dict) and name not in NOT_STORAGE
        ),
        ("", {}),
    )
    path, nodes = "", None
    if kind in ON_NODE:
        path = posixpath.normpath(str(source.get("path") or "/"))
        nodes = nodes_of(spec)
        where = f" on {', '.join(sorted(nodes))}" if nodes else ""
        storage = f"{kind} {path}{where}"
    elif kind == "csi":
        storage = f"csi {source.get('driver')} {source.get('volumeHandle')}"
    else:
        storage = f"{kind} {json.dumps(source, sort_keys=True)}"
    return Volume(
        name=str(item["metadata"]["name"]),
        storage=storage,
        path=path,
        nodes=nodes,
        claim=(str(claim.get("namespace") or ""), str(claim["name"])) if claim.get("name") else None,
        kept=spec.get("persistentVolumeReclaimPolicy") == "Retain",
    )


def nodes_of(spec: Object) -> frozenset[str] | None:
    """The nodes that a volume names, by their host names; None where it may be on any."""
    required = mapping(mapping(spec.get("nodeAffinity")).get("required"))
    found = {
        str(value)
        for term in parts(required.get("nodeSelectorTerms"))
        for rule in (*parts(term.get("matchExpressions")), *parts(term.get("matchFields")))
        if rule.get("key") in (HOSTNAME, "metadata.name") and rule.get("operator") == "In"
        for value in rule.get("values") or ()
    }
    return frozenset(found) or None


def content_of(item: Object) -> Content:
    """A VolumeSnapshotContent."""
    spec, status = mapping(item.get("spec")), mapping(item.get("status"))
    handle = status.get("snapshotHandle") or mapping(spec.get("source")).get("snapshotHandle")
    return Content(str(item["metadata"]["name"]), f"{spec.get('driver')} {handle}" if handle else "")


def attachment_of(item: Object) -> Attachment:
    """A VolumeAttachment."""
    spec = mapping(item.get("spec"))
    volume = mapping(spec.get("source")).get("persistentVolumeName")
    return Attachment(
        str(item["metadata"]["name"]),
        str(spec.get("attacher") or ""),
        str(spec.get("nodeName") or ""),
        str(volume or ""),
    )


def hooks_of(kind: str, item: Object) -> Iterator[Hook]:
    """The webhooks of a configuration that can stop a cluster. kind: of the configuration, in small letters.

    One that is called by its URL can't be looked at.
    """
    for hook in parts(item.get("webhooks")):
        service = service_of(hook.get("clientConfig"))
        rules = list(parts(hook.get("rules")))
        covered = tuple(name for name in VITAL if any(covers(rule, name) for rule in rules))
        if service and covered and hook.get("failurePolicy") != "Ignore":
            metadata = item["metadata"]
            yield Hook(
                f"{kind}/{metadata['name']}",
                str(hook.get("name") or "?"),
                service,
                covered,
                str(metadata.get("uid") or ""),
            )


def endpoints_of(item: Object) -> tuple[ObjectName, set[str]] | None:
    """The Service of an EndpointSlice, and the nodes of its endpoints that are sent requests."""
    namespace, _ = name_of(item)
    service = mapping(item["metadata"].get("labels")).get(OF_SERVICE)
    if not service:
        return None
    able = {
        str(endpoint.get("nodeName") or "")
        for endpoint in parts(item.get("endpoints"))
        if is_sent_requests(endpoint)
    }
    return (namespace, str(service)), able


def database_of(item: Object) -> Database:
    """A CloudNativePG Cluster. Source: cloudnative-pg api/v1 cluster_types.go, ClusterStatus."""
    namespace, name = name_of(item)
    return Database((str(namespace), str(name)), str(mapping(item.get("status")).get("currentPrimary") or ""))


def template_images(item: Object) -> set[str]:
    """The images that the pods of a workload need; none of one that has no pods by its own will."""
    spec = mapping(item.get("spec"))
    finished = mapping(item.get("status")).get("completionTime")
    if spec.get("replicas") == 0 or spec.get("suspend") is True or finished:
        return set()
    if job := mapping(mapping(spec.get("jobTemplate")).get("spec")):
        spec = job
    pod = mapping(mapping(spec.get("template")).get("spec"))
    return {
        normalized(str(container["image"]))
        for name in ("initContainers", "containers")
        for container in parts(pod.get(name))
        if container.get("image")
    }
