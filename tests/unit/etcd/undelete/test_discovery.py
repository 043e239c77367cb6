from typing import Any

from kubectl_admin.etcd.undelete.discovery import listed
from kubectl_admin.etcd.undelete.facts import Resource


def resource(plural: str, kind: str, scope: str, *verbs: str, **more: Any) -> dict[str, Any]:
    return {"resource": plural, "responseKind": {"kind": kind}, "scope": scope, "verbs": verbs, **more}


DEPLOYMENTS = resource(
    "deployments",
    "Deployment",
    "Namespaced",
    "get",
    shortNames=["deploy"],
    singularResource="deployment",
    subresources=[resource("scale", "Scale", "Namespaced", "get")],
)
DOCUMENT = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        {
            "metadata": {"name": "apps"},
            "versions": [
                {"version": "v1", "freshness": "Current", "resources": [DEPLOYMENTS]},
                {"version": "v1beta1", "resources": [{"resource": "odd"}, "odd", {}]},
            ],
        },
        {"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1", "freshness": "Stale"}]},
        "odd",
    ],
}


def test_each_resource_is_listed_without_its_parts() -> None:
    found = [one for _, _, one in listed(DOCUMENT) if one]
    expected = Resource(
        "apps", "v1", "deployments", "Deployment", True, "deployment", ("deploy",), verbs=("get",)
    )
    assert [(one.path(), one.short, one.singular) for one in found] == [
        (expected.path(), expected.short, expected.singular)
    ]


def test_a_group_whose_server_is_away_is_told() -> None:
    assert {group for group, is_stale, _ in listed(DOCUMENT) if is_stale} == {"metrics.k8s.io"}


def test_what_is_no_document_of_discovery_has_no_resource() -> None:
    assert list(listed({})) == []
    assert list(listed({"items": None})) == []
