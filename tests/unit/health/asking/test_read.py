from datetime import UTC, datetime

import pytest

from kubectl_admin.drain.labels import Requirement, Selector
from kubectl_admin.health.asking import read
from kubectl_admin.health.facts import Condition
from kubectl_admin.health.object_facts import (
    Aggregated,
    Backend,
    Budget,
    Hook,
    Identity,
    SigningRequest,
    Terminating,
    Workload,
)

TIME, BEGUN = "2026-11-30T03:00:00Z", datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
LATER, THEN = "2026-11-30T03:05:00Z", datetime(2026, 11, 30, 3, 5, tzinfo=UTC)
EVERY = {"apiGroups": ["*"], "resources": ["*"], "operations": ["*"]}


def item(name="x", *, namespace=None, spec=None, status=None, **fields):
    """An object of the API that was created at BEGUN."""
    metadata = {"name": name, "creationTimestamp": TIME, **fields}
    return {
        "metadata": metadata | ({"namespace": namespace} if namespace else {}),
        "spec": spec or {},
        "status": status or {},
    }


def hook(**fields):
    """A webhook that has a Service."""
    service = {"namespace": "guard", "name": "guard", "path": "/"}
    return {"name": "a.example.com", "clientConfig": {"service": service}} | fields


def rule(**fields):
    """A rule about new pods."""
    return {"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]} | fields


def test_a_webhook_fails_unless_it_says_otherwise():
    written = {**item("policy"), "webhooks": [hook(), hook(failurePolicy="Ignore", timeoutSeconds=5)]}
    standing = {"holder": "validatingwebhook/policy", "name": "a.example.com", "service": ("guard", "guard")}
    assert list(read.hooks_of("validatingwebhook", written)) == [
        Hook(fails=True, created=BEGUN, **standing),
        Hook(fails=False, created=BEGUN, timeout=5, **standing),
    ]


def test_a_webhook_that_is_called_by_its_url_has_no_service():
    written = {**item("policy"), "webhooks": [hook(clientConfig={"url": "https://elsewhere.example.com"})]}
    (seen,) = read.hooks_of("mutatingwebhook", written)
    assert seen.service is None


@pytest.mark.parametrize(
    ("rules", "covers"),
    [
        ([], ()),
        ([rule()], ("pods",)),
        ([rule(resources=["pods/exec"])], ()),
        ([rule(resources=["*/*"])], ("pods", "nodes")),
        ([EVERY], ("pods", "nodes", "leases")),
        ([rule(), rule(apiGroups=["coordination.k8s.io"], resources=["leases"])], ("pods", "leases")),
        ([rule(apiGroups=["apps"], resources=["*"])], ()),
        ([rule(operations=["DELETE", "CONNECT"])], ()),
    ],
)
def test_rules_cover_what_a_cluster_can_not_do_without(rules, covers):
    (seen,) = read.hooks_of("mutatingwebhook", {**item(), "webhooks": [hook(rules=rules)]})
    assert seen.covers == covers


def test_the_namespaces_that_a_webhook_is_asked_about():
    selector = {"matchExpressions": [{"key": "guard", "operator": "NotIn", "values": ["off"]}]}
    hooks = [hook(namespaceSelector=selector), hook(namespaceSelector={})]
    restricted, free = read.hooks_of("mutatingwebhook", {**item(), "webhooks": hooks})
    assert restricted.namespaces == Selector((Requirement("guard", "NotIn", ("off",)),))
    assert free.namespaces is None


@pytest.mark.parametrize(
    ("conversion", "services"),
    [
        (None, []),
        ({"strategy": "None"}, []),
        ({"strategy": "Webhook", "webhook": hook()}, [("guard", "guard")]),
        ({"strategy": "Webhook", "webhook": {"clientConfig": {"url": "https://x"}}}, [None]),
    ],
)
def test_definitions_that_a_webhook_converts(conversion, services):
    seen = list(read.conversion_of(item("widgets.example.com", spec={"conversion": conversion})))
    assert [one.service for one in seen] == services
    assert all(one.is_conversion and one.fails and one.holder == "crd/widgets.example.com" for one in seen)


@pytest.mark.parametrize(
    ("managed", "may"),
    [
        (None, True),  # nobody tells who has set what
        ([{"manager": "a", "fieldsV1": {"f:status": {}}, "subresource": "status"}], True),
        ([{"fieldsV1": {"f:spec": {"f:conversion": {"f:strategy": {}}}}}], False),
        ([{"fieldsV1": {"f:spec": {"f:versions": {}}}}], False),
        (
            [
                {"fieldsV1": {"f:spec": {"f:versions": {}}}},
                {"fieldsV1": {"f:spec": {"f:conversion": {"f:webhook": {"f:clientConfig": {}}}}}},
            ],
            True,
        ),
    ],
)
def test_metadata_tell_which_definitions_have_to_be_read(managed, may):
    assert read.may_convert({"name": "x", "managedFields": managed}) is may


def test_an_api_that_is_answered_here_is_none_of_others():
    assert list(read.aggregated_of(item("v1.apps", spec={"service": None}))) == []


def test_an_api_that_another_server_answers():
    said = {"type": "Available", "status": "False", "reason": "MissingEndpoints", "message": "none"}
    status = {"conditions": [{**said, "lastTransitionTime": LATER}]}
    spec = {"service": {"namespace": "kube-system", "name": "metrics"}}
    assert list(read.aggregated_of(item("v1beta1.metrics.k8s.io", spec=spec, status=status))) == [
        Aggregated(
            "v1beta1.metrics.k8s.io",
            ("kube-system", "metrics"),
            BEGUN,
            Condition("Available", "False", "MissingEndpoints", "none", THEN),
        )
    ]


def test_a_namespace_that_is_being_deleted_and_what_is_left_in_it():
    conditions = [
        {"type": "NamespaceContentRemaining", "status": "True", "message": "1 left"},
        {"type": "NamespaceDeletionContentFailure", "status": "False", "message": "fine"},
    ]
    status = {"phase": "Terminating", "conditions": conditions}
    remains = (Condition("NamespaceContentRemaining", "True", message="1 left"),)
    assert list(read.terminating_of(item("old", status=status, deletionTimestamp=LATER))) == [
        Terminating("old", THEN, remains)
    ]
    assert list(read.terminating_of(item("new", status={"phase": "Active"}))) == []


def test_a_deployment():
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "dns"}},
        "template": {"spec": {"priorityClassName": "system-cluster-critical"}},
    }
    status = {"replicas": 3, "updatedReplicas": 1, "readyReplicas": 2, "availableReplicas": 2}
    managed = [
        {"time": LATER, "manager": "kubeadm"},
        {"time": "2026-11-30T03:09:00Z", "subresource": "status"},
    ]
    seen = item("dns", namespace="kube-system", spec=spec, status=status, managedFields=managed)
    selector = Selector((Requirement("app", "In", ("dns",)),))
    expected = Workload(
        "Deployment", "kube-system", "dns", 2, 3, 1, 2, 2, THEN, selector, "system-cluster-critical"
    )
    assert read.workload_of("Deployment", seen) == expected
    assert expected.is_critical
    assert expected.is_short  # one of three is not Ready


@pytest.mark.parametrize(("replicas", "desired"), [(None, 1), (0, 0), (3, 3)])
def test_a_workload_has_one_pod_unless_it_says_otherwise(replicas, desired):
    seen = read.workload_of("StatefulSet", item(namespace="a", spec={"replicas": replicas}))
    assert (seen.desired, seen.is_short) == (desired, desired > 0)


def test_a_daemonset():
    status = {
        "desiredNumberScheduled": 4,
        "currentNumberScheduled": 4,
        "updatedNumberScheduled": 3,
        "numberReady": 4,
        "numberAvailable": 4,
        "numberMisscheduled": 1,
    }
    spec = {"updateStrategy": {"type": "OnDelete"}}
    seen = read.workload_of("DaemonSet", item("p", namespace="a", spec=spec, status=status))
    assert seen == Workload("DaemonSet", "a", "p", 4, 4, 3, 4, 4, BEGUN, on_delete=True)
    assert seen.is_short
    assert not seen.is_critical


@pytest.mark.parametrize(
    ("status", "generation", "found"),
    [
        (
            {"currentHealthy": 1, "desiredHealthy": 2, "expectedPods": 3},
            1,
            (Budget("a", "b", 2, 1, BEGUN), "app=b"),
        ),
        ({"currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 3}, 1, None),
        ({"currentHealthy": 0, "desiredHealthy": 2, "expectedPods": 0}, 1, None),  # there is nothing to guard
        ({"currentHealthy": 1, "desiredHealthy": 2, "expectedPods": 3}, 2, None),  # not computed yet
    ],
)
def test_budgets_that_are_short(status, generation, found):
    spec = {"selector": {"matchLabels": {"app": "b"}}, "minAvailable": 2}
    status = {"observedGeneration": 1, **status}
    assert (
        read.short_budget_of(item("b", namespace="a", spec=spec, status=status, generation=generation))
        == found
    )


@pytest.mark.parametrize("decision", ["", "Approved", "Denied", "Failed"])
def test_requests_that_nobody_has_decided(decision):
    conditions = [{"type": decision, "status": "True"}] if decision else []
    spec = {"signerName": "kubernetes.io/kubelet-serving", "username": "system:node:w1"}
    seen = list(read.pending_of(item("csr-1", spec=spec, status={"conditions": conditions})))
    pending = SigningRequest("csr-1", "kubernetes.io/kubelet-serving", "system:node:w1", BEGUN)
    assert seen == ([] if decision else [pending])


def test_the_lease_of_an_api_server():
    seen = item("apiserver-abc", labels={"kubernetes.io/hostname": "cp-1"}, spec={"renewTime": LATER})
    assert read.identity_of(seen) == Identity("apiserver-abc", "cp-1", THEN)


def endpoint(address, pod="", **conditions):
    """An endpoint of a slice."""
    return {"addresses": [address], "conditions": conditions, "targetRef": {"name": pod} if pod else None}


def slice_of(*endpoints, time=TIME):
    """An EndpointSlice that was last written at a time."""
    return {"metadata": {"name": "s", "managedFields": [{"time": time}]}, "endpoints": list(endpoints)}


@pytest.mark.parametrize(
    ("slices", "backend"),
    [
        ([], Backend(None)),
        ([slice_of()], Backend(None, changed=BEGUN)),
        (
            [slice_of(endpoint("10.0.0.1", "a", ready=True), endpoint("10.0.0.2", "b", ready=False))],
            Backend(None, ("a",), ("b",), BEGUN),
        ),
        ([slice_of(endpoint("10.0.0.1"))], Backend(None, ("10.0.0.1",), (), BEGUN)),
        (
            [slice_of(endpoint("10.0.0.1", "a", ready=False, serving=True, terminating=True))],
            Backend(None, ("a",), (), BEGUN),
        ),
        (
            # One pod with an address of each family.
            [slice_of(endpoint("10.0.0.1", "a")), slice_of(endpoint("fd00::1", "a"), time=LATER)],
            Backend(None, ("a",), (), THEN),
        ),
        ([{"metadata": {"name": "s"}, "endpoints": None}], Backend(None)),
    ],
)
def test_what_stands_behind_a_service(slices, backend):
    assert read.backend_of(slices) == backend


def test_the_addresses_of_the_api_servers():
    slices = [
        slice_of(endpoint("10.0.0.11"), endpoint("10.0.0.12", ready=False)),
        slice_of(endpoint("10.0.0.11")),
    ]
    assert read.instances_of(slices) == ("10.0.0.11",)
