"""An API server that knows a node with pods and budgets, as drain asks for them."""

from typing import Any

from tests.fakes.api_server import Asked, Says, StandIn, refusal

NODE = "/api/v1/nodes/w1"
PODS = "/api/v1/pods"
BUDGETS = "/apis/policy/v1/poddisruptionbudgets"


def node(name: str, **spec: Any) -> dict[str, Any]:
    """A Node that is Ready."""
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": "1", "labels": {}},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"pods": "110"}},
    }


def pod(name: str, on: str = "w1", **more: Any) -> dict[str, Any]:
    """A pod of a ReplicaSet. more: labels, claim, kind of its owner, name of its owner."""
    kind, owner = more.get("kind", "ReplicaSet"), more.get("owner", "web")
    reference = {"kind": kind, "name": owner, "uid": f"uid-{owner}", "controller": True}
    claim = more.get("claim")
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    return {
        "metadata": {
            "namespace": "shop",
            "name": name,
            "uid": f"uid-{name}",
            "resourceVersion": "1",
            "labels": more.get("labels", {}),
            "ownerReferences": [{**reference, "apiVersion": "apps/v1"}],
        },
        "spec": {"nodeName": on, "volumes": volumes, "containers": [{"name": "main"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def budget(name: str, match: dict[str, str]) -> dict[str, Any]:
    """A budget that can spare one."""
    return {
        "metadata": {"namespace": "shop", "name": name, "generation": 1},
        "spec": {"selector": {"matchLabels": match}, "minAvailable": 2},
        "status": {
            "disruptionsAllowed": 1,
            "currentHealthy": 3,
            "desiredHealthy": 2,
            "expectedPods": 3,
            "observedGeneration": 1,
        },
    }


def listing(*items: Any) -> Says:
    """A whole list."""
    return Says(body={"metadata": {"resourceVersion": "10"}, "items": list(items)})


def replicasets(*scales: tuple[str, int, int]) -> Says:
    """The server's Table of ReplicaSets: name, how many it wants, how many are ready."""
    rows = [
        {
            "cells": [name, wants, ready],
            "object": {"metadata": {"namespace": "shop", "name": name, "uid": f"uid-{name}"}},
        }
        for name, wants, ready in scales
    ]
    return Says(
        body={
            "kind": "Table",
            "columnDefinitions": [{"name": each} for each in ("Name", "Desired", "Ready")],
            "rows": rows,
        }
    )


def forbidden(resource: str) -> Says:
    """A refusal for want of a permission."""
    message = f'{resource} is forbidden: User "me" cannot list resource "{resource}" in API group ""'
    return Says(403, refusal(403, "Forbidden", message))


def serving(server: StandIn, *pods: Any, budgets: Any = (), neighbours: Any = ()) -> None:
    """Has the server answer all that a preview of node w1 asks for in any case."""

    def of(asked: Asked) -> Says:
        field = dict(asked.query).get("fieldSelector", "")
        return listing(*(pods if "spec.nodeName=w1" in field else neighbours))

    server.on("GET", NODE, Says(body=node("w1")))
    server.on("GET", PODS, of)
    server.on("GET", BUDGETS, listing(*budgets))
    server.on("GET", "/api/v1/nodes", listing(node("w1"), node("w2")))
    server.on("GET", "/apis/apps/v1/replicasets", replicasets(("web", 3, 3)))
