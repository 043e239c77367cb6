"""What a restore means: objects of the snapshot and of now in, findings out."""

from typing import Any

import pytest

from kubectl_admin.etcd.restore.consequences import collect
from kubectl_admin.etcd.restore.consequences.collect import Collector, Resource
from kubectl_admin.etcd.restore.consequences.facts import Side
from kubectl_admin.etcd.restore.consequences.judge import judge
from kubectl_admin.etcd.restore.consequences.nodes import free_ranges
from kubectl_admin.etcd.restore.consequences.read import node_of, normalized, ranges_of
from kubectl_admin.etcd.restore.consequences.volumes import strays
from kubectl_admin.finding import Finding
from tests.unit.etcd.restore.consequences.objects import (
    attachment,
    content,
    csi,
    database,
    endpoints,
    node,
    volume,
    webhook,
    workload,
)

VALIDATING = ("admissionregistration.k8s.io", "validatingwebhookconfigurations")
DEPLOYMENTS: Resource = ("apps", "deployments")


def side(*items: tuple[Resource, Any]) -> Side:
    collector = Collector()
    for (group, resource), item in items:
        collector.take(group, resource, item)
    return collector.side()


def nodes(*items: dict[str, Any]) -> Side:
    return side(*((collect.NODES, item) for item in items))


def volumes(*items: dict[str, Any]) -> Side:
    return side(*((collect.VOLUMES, item) for item in items))


def found(rule: str, findings: list[Finding]) -> Finding:
    (one,) = [each for each in findings if each.rule == rule]
    return one


def rules(findings: list[Finding]) -> dict[str, str]:
    return {one.rule: str(one.severity) for one in findings}


def test_the_same_on_both_sides_means_nothing():
    both = [
        (collect.NODES, node("w1", "10.0.1.0/24", images=["docker.io/library/nginx:1"])),
        (collect.VOLUMES, volume("pv-1", "ns/a", csi=csi("1"))),
        (collect.ATTACHMENTS, attachment("a1", "w1", "pv-1")),
        (collect.DATABASES, database("main", "main-1")),
        (DEPLOYMENTS, workload("web", "nginx:1")),
        (VALIDATING, webhook("policy", "ns/policy", ["pods"])),
        (collect.SLICES, endpoints("ns/policy", ("w1", True))),
    ]
    assert judge(side(*both), side(*both)) == []


def test_nodes_that_joined_and_left():
    old = nodes(node("w1", "10.0.1.0/24"), node("gone", "10.0.2.0/24"))
    new = nodes(node("w1", "10.0.1.0/24"), node("new", "10.0.3.0/24"))
    findings = judge(old, new)
    assert rules(findings) == {"node-left-since": "warning", "node-joined-since": "note"}
    assert found("node-left-since", findings).objects == ("node/gone",)
    assert found("node-joined-since", findings).objects == ("node/new",)


def test_a_node_that_joined_anew_has_another_range_in_the_snapshot():
    old = nodes(node("w1", "10.0.1.0/24", uid="a"))
    findings = judge(old, nodes(node("w1", "10.0.7.0/24", uid="b")))
    assert rules(findings) == {"node-replaced-since": "warning"}
    assert "of 10.0.7.0/24 now, and of 10.0.1.0/24 in the snapshot" in findings[0].evidence
    assert judge(old, nodes(node("w1", "10.0.1.0/24", uid="b"))) == []


@pytest.mark.parametrize(
    ("left", "joined", "overlap"),
    [
        (["10.0.2.0/24"], ["10.0.2.0/24"], True),
        (["10.0.2.0/23"], ["10.0.3.0/24"], True),
        (["10.0.3.0/24"], ["10.0.2.0/23"], True),
        (["10.0.2.0/24"], ["10.0.3.0/24"], False),
        (["10.0.2.0/24", "fd00:2::/64"], ["10.0.3.0/24", "fd00:2::/64"], True),
        (["10.0.2.0/24", "fd00:2::/64"], ["10.0.3.0/24", "fd00:3::/64"], False),
        ([], ["10.0.2.0/24"], False),
    ],
)
def test_ranges_that_overlap_forbid_it(left, joined, overlap):
    old = nodes(node("w1", "10.0.0.0/24"), node("gone", *left))
    new = nodes(node("w1", "10.0.0.0/24"), node("new", *joined))
    assert rules(judge(old, new)).get("pod-ranges-overlap") == ("violation" if overlap else None)
    forced = rules(judge(old, new, force_nodes=True))
    assert forced.get("pod-ranges-overlap") == ("warning" if overlap else None)


def test_ranges_that_overlap_in_the_snapshot_itself_are_not_this_restores():
    old = nodes(node("a", "10.0.0.0/24"), node("b", "10.0.0.0/24"))
    assert rules(judge(old, old)) == {}


def test_overlaps_are_found_among_thousands_of_nodes():
    old = [node(f"w{i}", f"10.{i >> 8}.{i & 255}.0/24") for i in range(5000)]
    new = [*old[1:], node("new", "10.0.0.0/24")]
    finding = found("pod-ranges-overlap", judge(nodes(*old), nodes(*new)))
    assert set(finding.objects) == {"node/w0", "node/new"}
    assert "(10.0.0.0/24)" in finding.evidence


def test_a_range_is_free_or_not():
    others = {one.name: one for one in map(node_of, [node("a", "10.0.0.0/24"), node("b", "10.0.1.0/24")])}
    (free,), (taken,) = (list(ranges_of(node("x", text))) for text in ("10.0.2.0/24", "10.0.1.128/25"))
    assert free_ranges("x", [free], others) == (free,)
    assert free_ranges("x", [taken], others) == ()
    assert free_ranges("b", [taken], others) == (taken,)


def test_nonsense_for_a_range_is_none():
    assert list(
        ranges_of({"metadata": {"name": "a"}, "spec": {"podCIDRs": ["x", 4, None, "10.0.0.0/24"]}})
    ) == [*ranges_of(node("a", "10.0.0.0/24"))]
    assert list(ranges_of({"metadata": {"name": "a"}, "spec": {"podCIDRs": "10.0.0.0/24"}})) == []


def local(name: str, claim: str, on: str = "w1", path: str = "/mnt/a") -> dict[str, Any]:
    return volume(name, claim, on=on, local={"path": path})


@pytest.mark.parametrize(
    ("before", "now", "forbidden"),
    [
        (local("pv-1", "ns/a"), local("pv-2", "ns/b"), True),
        (local("pv-1", "ns/a"), local("pv-1", "ns/b"), True),
        (local("pv-1", "ns/a"), local("pv-2", "ns/b", path="/mnt/a/"), True),
        (local("pv-1", "ns/a"), local("pv-2", "ns/b", on="w2"), False),
        (local("pv-1", "ns/a"), local("pv-2", "ns/b", path="/mnt/b"), False),
        (local("pv-1", "ns/a"), local("pv-2", "ns/a"), False),
        (local("pv-1", "ns/a"), local("pv-2", ""), False),
        (local("pv-1", ""), local("pv-2", "ns/b"), False),
        (local("pv-1", "ns/a"), volume("pv-2", "ns/b", hostPath={"path": "/mnt/a"}), True),
        (volume("pv-1", "ns/a", csi=csi("1")), volume("pv-2", "ns/b", csi=csi("1")), True),
        (volume("pv-1", "ns/a", csi=csi("1")), volume("pv-2", "ns/b", csi=csi("2")), False),
    ],
)
def test_storage_that_another_claim_uses_now_forbids_it(before, now, forbidden):
    old, new = volumes(before), volumes(now)
    assert ("storage-of-another-claim" in rules(judge(old, new))) is forbidden
    if forbidden:
        assert rules(judge(old, new))["storage-of-another-claim"] == "violation"
        finding = found("storage-of-another-claim", judge(old, new, force_volumes=True))
        assert str(finding.severity) == "warning"
        assert "is of claim ns/b now, and would be of ns/a" in finding.evidence


def test_three_lists_of_strays():
    old = side(
        (collect.VOLUMES, volume("stays", "ns/a", csi=csi("1"))),
        (collect.VOLUMES, volume("deleted-since", "ns/b", csi=csi("2"))),
        (collect.CONTENTS, content("old", "s-1")),
        (collect.CONTENTS, {"metadata": {"name": "unfinished"}, "spec": {"driver": "disks.example.com"}}),
        (collect.ATTACHMENTS, attachment("stays", "w1", "stays")),
        (collect.ATTACHMENTS, attachment("moved", "w1", "moved")),
    )
    new = side(
        (collect.VOLUMES, volume("renamed", "ns/a", csi=csi("1"))),
        (collect.VOLUMES, volume("made-since", "ns/c", csi=csi("3"))),
        (collect.CONTENTS, content("new", "s-2")),
        (collect.ATTACHMENTS, attachment("other-name", "w1", "stays")),
        (collect.ATTACHMENTS, attachment("moved-to", "w2", "moved")),
    )
    lists = strays(old, new)
    assert [one.name for one in lists.orphans] == ["made-since", "new"]
    assert [one.name for one in lists.dangling] == ["deleted-since", "old"]
    assert [one.name for one in lists.stale] == ["moved"]
    assert set(rules(judge(old, new)).values()) == {"warning"}
    finding = found("storage-orphaned", judge(old, new))
    assert finding.objects == ("persistentvolume/made-since", "volumesnapshotcontent/new")
    assert "csi disks.example.com 3" in finding.evidence


@pytest.mark.parametrize(
    ("hook", "behind", "stops"),
    [
        (webhook("policy", "ns/policy", ["pods"]), [], True),
        (webhook("policy", "ns/policy", ["*"]), [], True),
        (webhook("policy", "ns/policy", ["leases"]), [("w1", False)], True),
        (webhook("policy", "ns/policy", ["nodes"]), [("gone", True)], True),
        (webhook("policy", "ns/policy", ["pods"]), [("w1", True)], False),
        (webhook("policy", "ns/policy", ["pods"]), [("", True)], False),
        (webhook("policy", "ns/policy", ["secrets"]), [], False),
        (webhook("policy", "ns/policy", ["pods"], policy="Ignore"), [], False),
        (webhook("policy", "", ["pods"]), [], False),
    ],
)
def test_webhooks_with_nobody_behind_them(hook, behind, stops):
    old = side((VALIDATING, hook), (collect.SLICES, endpoints("ns/policy", *behind)))
    findings = judge(old, nodes(node("w1")))
    assert ("webhook-restored-without-backend" in rules(findings)) is stops


def test_a_webhook_of_a_name_outside_is_not_judged():
    hook = (VALIDATING, webhook("policy", "ns/policy", ["pods"]))
    outside = {"metadata": {"namespace": "ns", "name": "policy"}, "spec": {"type": "ExternalName"}}
    assert judge(side(hook, (collect.SERVICES, outside)), Side()) == []


def test_primaries_that_have_moved():
    old = side(*((collect.DATABASES, database(name, f"{name}-1")) for name in ("main", "other", "gone")))
    new = side(
        *((collect.DATABASES, one) for one in (database("main", "main-2"), database("other", "other-1")))
    )
    finding = found("database-primary-differs", judge(old, new))
    assert finding.subject == "CloudNativePG cluster db/main"
    assert "main-2 now, and main-1 in the snapshot" in finding.evidence
    assert "fencedInstances" in finding.fix


def test_databases_with_names_that_are_none():
    odd = [database(name, "x-1") for name in ("main", 7, None)]  # type: ignore[arg-type]
    old = side(*((collect.DATABASES, one) for one in odd))
    new = side(*((collect.DATABASES, {**one, "status": {"currentPrimary": "x-2"}}) for one in odd))
    assert [one.rule for one in judge(old, new)] == ["database-primary-differs"] * 3


def test_images_that_no_node_is_known_to_hold():
    old = side(
        (DEPLOYMENTS, workload("web", "nginx:1", "registry.local:5000/tool")),
        (DEPLOYMENTS, workload("off", "off:1", replicas=0)),
        (
            ("batch", "cronjobs"),
            {
                "metadata": {"namespace": "ns", "name": "nightly"},
                "spec": {"jobTemplate": {"spec": workload("", "backup:2")["spec"]}},
            },
        ),
    )
    new = nodes(node("w1", images=["docker.io/library/nginx:1"]))
    finding = found("image-not-on-nodes", judge(old, new))
    assert "docker.io/library/backup:2 (cronjob/ns/nightly)" in finding.evidence
    assert "registry.local:5000/tool:latest (deployment/ns/web)" in finding.evidence
    assert "nginx" not in finding.evidence
    assert "off" not in finding.evidence
    assert "50 largest" not in finding.evidence
    full = nodes(node("w1", images=[f"x:{number}" for number in range(50)]))
    assert (
        "1 of the nodes report only their 50 largest"
        in found("image-not-on-nodes", judge(old, full)).evidence
    )


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1", "docker.io/library/nginx:1"),
        ("me/tool:1", "docker.io/me/tool:1"),
        ("localhost/tool", "localhost/tool:latest"),
        ("r:5000/tool", "r:5000/tool:latest"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("r.io/a/b@sha256:0", "r.io/a/b@sha256:0"),
        ("r.io/a/b:1@sha256:0", "r.io/a/b@sha256:0"),
        ("b@sha256:0", "docker.io/library/b@sha256:0"),
    ],
)
def test_names_of_images_in_full(image, name):
    assert normalized(image) == name


def test_networks_that_keep_addresses_in_the_api():
    block = (("crd.projectcalico.org", "ipamblocks"), {"metadata": {"name": "10-0-0-0-26"}})
    (finding,) = judge(side(block), side(block))
    assert finding.rule == "pod-addresses-in-the-api"
    assert "calicoctl ipam check" in finding.fix


def test_objects_that_can_not_be_read_are_said():
    (finding,) = judge(
        side((collect.VOLUMES, None), (collect.VOLUMES, None), (("", "secrets"), None)), Side()
    )
    assert (finding.subject, finding.rule) == ("persistentvolumes", "snapshot-object-unread")
    assert finding.evidence.startswith("2 of the snapshot")


ODD: list[Any] = [
    None,
    [],
    "x",
    7,
    {"a": 1},
    [1],
    [{"a": [1]}],
    [
        {
            "names": 7,
            "apiGroups": 7,
            "matchExpressions": [{"key": "metadata.name", "operator": "In", "values": 7}],
        }
    ],
]


@pytest.mark.parametrize("odd", ODD)
def test_fields_may_be_anything(odd):
    """Objects of a snapshot have passed no API server."""
    collector = Collector()
    for group, resource in collect.WANTED:
        for item in (
            {"metadata": {"name": "a"}, "spec": odd, "status": odd, "webhooks": odd, "endpoints": odd},
            {
                "metadata": {"name": "a", "labels": odd},
                "spec": dict.fromkeys(
                    (
                        "podCIDRs",
                        "claimRef",
                        "local",
                        "csi",
                        "nodeAffinity",
                        "source",
                        "template",
                        "jobTemplate",
                    ),
                    odd,
                ),
                "status": {"images": odd},
                "webhooks": [{"rules": odd, "clientConfig": odd}],
                "endpoints": [{"conditions": odd}],
            },
        ):
            collector.take(group, resource, item)
    judge(collector.side(), Side())
    judge(Side(), collector.side())
