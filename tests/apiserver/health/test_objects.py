"""What is wrong with the API's own objects, on a real API server; no controller mends it or takes it away."""

import base64
import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.health.asking import objects
from kubectl_admin.health.judge import CHECKS
from kubectl_admin.pool import ask_all
from tests import permissions
from tests.apiserver.drain.world import World, budget, made_namespace, numbers, owner, pod
from tests.permissions import Stage
from tests.unit.health.made import facts

pytestmark = pytest.mark.lab

TIMEOUT = 60  # seconds
PLACE, OLD = "health-objects", "health-terminating"
GROUP = "health.example.com"
WIDGETS, GADGETS = f"widgets.{GROUP}", f"gadgets.{GROUP}"
LABELS = {"app": "critical"}
# What is found once everything here has stood for two hours, as rule and object.
VALIDATING = ("webhook-no-backend", "validatingwebhook/health-objects")
MUTATING = ("webhook-no-backend", "mutatingwebhook/health-objects")
CONVERSION = ("webhook-no-backend", f"crd/{WIDGETS}")
AGGREGATED = ("apiservice-unavailable", f"apiservice/v1.missing.{GROUP}")
TERMINATING = ("namespace-terminating", f"namespace/{OLD}")
CRITICAL = ("critical-pod", f"pod/{PLACE}/critical")
BUDGET = ("budget-short", f"poddisruptionbudget/{PLACE}/critical")
REQUEST = ("csr-pending", "csr/health-objects")
ALL = {VALIDATING, MUTATING, CONVERSION, AGGREGATED, TERMINATING, CRITICAL, BUDGET, REQUEST}
# What nobody finds any more without a right.
LOST = {
    "list validatingwebhookconfigurations.admissionregistration.k8s.io": {VALIDATING},
    "list mutatingwebhookconfigurations.admissionregistration.k8s.io": {MUTATING},
    "list customresourcedefinitions.apiextensions.k8s.io": {CONVERSION},
    "list apiservices.apiregistration.k8s.io": {AGGREGATED},
    "list endpointslices.discovery.k8s.io": {VALIDATING, MUTATING, CONVERSION},
    "get services": {VALIDATING, MUTATING, CONVERSION},
    "list namespaces": {TERMINATING},
    "list deployments.apps": {CRITICAL},
    "list daemonsets.apps": set[tuple[str, str]](),
    "list statefulsets.apps": set[tuple[str, str]](),
    "list pods": {CRITICAL, BUDGET},
    "list poddisruptionbudgets.policy": {BUDGET},
    "list certificatesigningrequests.certificates.k8s.io": {REQUEST},
    "list leases.coordination.k8s.io in namespace kube-system": set[tuple[str, str]](),
    "get configmaps in namespace kube-system": set[tuple[str, str]](),
}
AUTHORITIES = "extension-apiserver-authentication"


def configuration(kind: str, name: str, service: str) -> dict[str, Any]:
    """A configuration of one webhook, of kinds that there are not: it must not be in the way of any test."""
    rule = {
        "apiGroups": [f"missing.{GROUP}"],
        "apiVersions": ["v1"],
        "resources": ["*"],
        "operations": ["*"],
    }
    hook = {
        "name": f"hook.{GROUP}",
        "clientConfig": {"service": {"namespace": PLACE, "name": service}},
        "rules": [rule],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "webhooks": [hook],
    }


def definition(plural: str, service: str = "") -> dict[str, Any]:
    """A custom resource with two versions. service: converts them; "" for none."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    config = {"service": {"namespace": PLACE, "name": service}}
    webhook = {"clientConfig": config, "conversionReviewVersions": ["v1"]}
    kind = plural.removesuffix("s").capitalize()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {"plural": plural, "kind": kind},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": schema},
                {"name": "v2", "served": True, "storage": False, "schema": schema},
            ],
            **({"conversion": {"strategy": "Webhook", "webhook": webhook}} if service else {}),
        },
    }


def aggregated() -> dict[str, Any]:
    """An API whose server does not exist."""
    spec = {
        "group": f"missing.{GROUP}",
        "version": "v1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": {"namespace": PLACE, "name": "missing"},
    }
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.missing.{GROUP}"},
        "spec": spec,
    }


def service(name: str) -> dict[str, Any]:
    """A Service without a pod."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": PLACE},
        "spec": {"ports": [{"port": 443}]},
    }


def endpoints(name: str) -> dict[str, Any]:
    """A ready endpoint behind a Service."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": PLACE, "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": [{"port": 443}],
        "endpoints": [{"addresses": ["10.9.9.9"], "conditions": {"ready": True}}],
    }


def request() -> dict[str, Any]:
    """A request for a certificate, which nobody decides."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "health-objects")])
    signed = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = signed.public_bytes(serialization.Encoding.PEM)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "health-objects"},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }


def deployment() -> dict[str, Any]:
    """A Deployment of one pod that is critical for the cluster, and is not Ready."""
    template = {
        "metadata": {"labels": LABELS},
        "spec": {
            "priorityClassName": "system-cluster-critical",
            "containers": [{"name": "main", "image": "x"}],
        },
    }
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": {"name": "critical"},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
        "status": {"replicas": 1, "updatedReplicas": 1, "unavailableReplicas": 1, "observedGeneration": 1},
    }


def of_the_cluster() -> list[dict[str, Any]]:
    """What belongs to no namespace, or is not put by a World."""
    return [
        service("empty"),
        service("ready"),
        endpoints("ready"),
        configuration("ValidatingWebhookConfiguration", "health-objects", "missing"),
        configuration("MutatingWebhookConfiguration", "health-objects", "empty"),
        configuration("MutatingWebhookConfiguration", "health-ready", "ready"),
        definition("widgets", "missing"),
        definition("gadgets"),
        aggregated(),
        request(),
    ]


@pytest.fixture(scope="module")
def ill(stage: Stage) -> Iterator[World]:
    """A namespace with all of this, and another that is being deleted; both are gone afterwards."""
    world = made_namespace(stage.kubeconfig, PLACE, "worker-3")
    made = of_the_cluster()
    with contextlib.ExitStack() as undone:
        undone.callback(finalize, stage, PLACE)
        undone.callback(world.clear)
        for each in made:
            stage.kubectl("create", "-f", "-", given=each)
            undone.callback(stage.kubectl, "delete", "--wait=false", "-f", "-", given=each)
        critical = {"priorityClassName": "system-cluster-critical"}
        controller = owner("ReplicaSet", "critical")
        world.put(
            deployment(),
            pod("critical", "worker-3", labels=LABELS, ready=False, owner=controller, spec=critical),
            budget("critical", LABELS, numbers(0, 0, 1, 1)),
        )
        world.cluster.post("/api/v1/namespaces", {"metadata": {"name": OLD}})
        undone.callback(finalize, stage, OLD)
        stage.kubectl("delete", "namespace", OLD, "--wait=false")
        stage.kubectl(
            "wait",
            f"apiservice/v1.missing.{GROUP}",
            "--for=condition=Available=False",
            f"--timeout={TIMEOUT}s",
        )
        yield world


def finalize(stage: Stage, namespace: str) -> None:
    """Lets a namespace go, as the namespace controller does, which is not here."""
    stage.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")
    found = stage.kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "json")
    if found.strip():
        gone = json.loads(found) | {"spec": {"finalizers": []}}
        stage.kubectl("replace", "--raw", f"/api/v1/namespaces/{namespace}/finalize", "-f", "-", given=gone)


def looked(path: Path) -> objects.Found:
    """All that is asked of the API's objects, by the user of a kubeconfig."""
    cluster = Cluster.connect(kubeconfigs.resolve(kubeconfigs.Overrides(kubeconfig=str(path)), {}))
    return objects.put_together(ask_all(objects.questions(cluster, TIMEOUT), deadline=TIMEOUT))


def judged(found: objects.Found, later: timedelta, server: Cluster) -> set[tuple[str, str]]:
    """What is found of the objects here, as rule and object, if they stay so for some time; no notes."""
    now = server.server_time
    assert now
    there = facts(objects=found.objects, server_time=now + later, resolvers=())
    return {
        (one.rule, each)
        for check in CHECKS
        for one in check(there)
        for each in one.objects
        if "health" in each and (str(one.severity) != "note" or one.rule == "csr-pending")
    }


def test_everything_that_is_wrong_is_found_and_nothing_else(ill, stage):
    found = looked(stage.kubeconfig)
    assert [gap for gap in found.gaps if gap.permission] == []
    assert judged(found, timedelta(hours=2), ill.cluster) == ALL


def test_what_is_a_moment_old_is_not_wrong_yet(ill, stage):
    young = judged(looked(stage.kubeconfig), timedelta(seconds=-600), ill.cluster)
    assert young == {AGGREGATED}  # no update takes a Service away


def test_definitions_without_a_conversion_are_not_read(ill, stage):
    hooks = looked(stage.kubeconfig).objects.hooks
    assert {one.holder for one in hooks if one.is_conversion} == {f"crd/{WIDGETS}"}
    table = ill.cluster.table(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", include_object="Metadata"
    )
    may = {one["metadata"]["name"]: objects.read.may_convert(one["metadata"]) for one in table.objects}
    assert (may[WIDGETS], may[GADGETS]) == (True, False)


def test_each_right_that_is_taken_away_costs_its_own_findings(ill, stage):
    tried = permissions.try_out(
        stage,
        "health",
        looked,
        lambda right: str(right) in LOST and right.name in ("", AUTHORITIES),
    )
    assert [gap for gap in tried.with_all.gaps if gap.permission] == []
    later = timedelta(hours=2)
    cost = {str(right): ALL - judged(found, later, ill.cluster) for right, found in tried.without.items()}
    assert cost == LOST
    named = {
        str(right): {gap.permission for gap in found.gaps if gap.permission}
        for right, found in tried.without.items()
    }
    assert named == {right: {right} for right in LOST}
