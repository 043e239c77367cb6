"""Objects as the API has them, for tests of what a restore means."""

from typing import Any


def node(
    name: str, *ranges: str, uid: str = "", images: list[str] | None = None, **spec: Any
) -> dict[str, Any]:
    more = {"podCIDR": ranges[0], "podCIDRs": list(ranges)} if ranges else {}
    return {
        "metadata": {
            "name": name,
            "uid": uid or f"uid-of-{name}",
            "labels": {"kubernetes.io/hostname": name},
        },
        "spec": {**more, **spec},
        "status": {"images": [{"names": [image]} for image in images or ()]},
    }


def volume(name: str, claim: str = "", *, kept: bool = False, on: str = "", **source: Any) -> dict[str, Any]:
    """on: the node of a local volume. source: «csi={…}»."""
    spec: dict[str, Any] = {
        "capacity": {"storage": "1Gi"},
        "persistentVolumeReclaimPolicy": "Retain" if kept else "Delete",
        **source,
    }
    if claim:
        namespace, _, of = claim.partition("/")
        spec["claimRef"] = {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": of, "uid": claim}
    if on:
        rule = {"key": "kubernetes.io/hostname", "operator": "In", "values": [on]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [rule]}]}}
    return {"metadata": {"name": name, "uid": f"uid-of-{name}"}, "spec": spec}


def csi(handle: str) -> dict[str, Any]:
    return {"driver": "disks.example.com", "volumeHandle": handle}


def content(name: str, handle: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"driver": "disks.example.com"},
        "status": {"snapshotHandle": handle},
    }


def attachment(name: str, on: str, of: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"attacher": "disks.example.com", "nodeName": on, "source": {"persistentVolumeName": of}},
    }


def webhook(name: str, service: str, resources: list[str], policy: str = "Fail") -> dict[str, Any]:
    namespace, _, of = service.partition("/")
    rule = {"apiGroups": ["*"], "resources": resources, "operations": ["CREATE"]}
    hook = {
        "name": f"{name}.example.com",
        "clientConfig": {"service": {"namespace": namespace, "name": of}} if of else {"url": "https://x"},
        "rules": [rule],
        "failurePolicy": policy,
    }
    return {"metadata": {"name": name}, "webhooks": [hook]}


def endpoints(service: str, *endpoints: tuple[str, bool]) -> dict[str, Any]:
    """endpoints: the node of each, and whether it is ready."""
    namespace, _, of = service.partition("/")
    return {
        "metadata": {"name": f"{of}-x", "namespace": namespace, "labels": {"kubernetes.io/service-name": of}},
        "endpoints": [{"nodeName": on, "conditions": {"ready": ready}} for on, ready in endpoints],
    }


def database(name: str, primary: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "db", "name": name}, "status": {"currentPrimary": primary}}


def workload(name: str, *images: str, **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"image": image} for image in images]}
    return {"metadata": {"namespace": "ns", "name": name}, "spec": {"template": {"spec": pod}, **spec}}
