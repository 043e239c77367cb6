"""Objects as a person would have written them."""

from copy import deepcopy

import pytest

from kubectl_admin.etcd.undelete.written import as_written
from tests.unit.etcd.undelete.things import thing

UID = {"controller-uid": "u", "batch.kubernetes.io/controller-uid": "u"}


def test_what_the_system_sets_goes_and_nothing_else():
    system = {
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-02T00:00:00Z",
        "deletionGracePeriodSeconds": 30,
        "selfLink": "/x",
        "managedFields": [{}],
        "finalizers": ["example.com/keep", "orphan", "foregroundDeletion"],
        "labels": {"a": "b"},
        "annotations": {"deployment.kubernetes.io/revision": "3", "mine": "1"},
        "ownerReferences": [{"uid": "x"}],
        "generateName": "web-",
    }
    item = thing("Deployment", "web", metadata=system, spec={"replicas": 1}, status={"replicas": 1})
    before = deepcopy(item)
    assert as_written(item) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "namespace": "shop",
            "finalizers": ["example.com/keep"],
            "labels": {"a": "b"},
            "annotations": {"mine": "1"},
            "ownerReferences": [{"uid": "x"}],
            "generateName": "web-",
        },
        "spec": {"replicas": 1},
    }
    assert item == before


def test_empty_texts_and_finalizers_go():
    item = thing("ConfigMap", "a", metadata={"labels": {}, "annotations": None, "finalizers": ["orphan"]})
    assert as_written(item)["metadata"] == {"name": "a", "namespace": "shop"}


@pytest.mark.parametrize("odd", [{}, {"metadata": None}, {"kind": 3, "apiVersion": ["x"], "metadata": []}])
def test_an_odd_object_does_no_harm(odd):
    assert as_written(odd)["metadata"] == {}


@pytest.mark.parametrize(
    "kind", ["Pod", "Job", "CronJob", "Deployment", "StatefulSet", "Secret", "Namespace", "PersistentVolume"]
)
@pytest.mark.parametrize("spec", [None, [], "x", {}, {"template": 1}, {"template": {"metadata": []}}])
def test_a_spec_of_another_form_does_no_harm(kind, spec):
    as_written(thing(kind, "a", spec=spec, status=[], data=[], volumes={}, template=3))


def test_a_claim_is_not_taken_for_one_that_was_bound_before():
    annotations = {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
        "volume.kubernetes.io/selected-node": "w1",
        "volume.kubernetes.io/storage-provisioner": "x",
    }
    item = thing(
        "PersistentVolumeClaim", "a", metadata={"annotations": annotations}, spec={"volumeName": "v"}
    )
    made = as_written(item)
    assert made["spec"] == {"volumeName": "v"}
    assert "annotations" not in made["metadata"]


@pytest.mark.parametrize(
    ("phase", "kept"), [("Bound", False), ("Available", False), ("Released", True), ("Failed", False)]
)
def test_a_volume_stays_reserved_for_its_claim(phase, kept):
    claim = {"namespace": "shop", "name": "a"}
    uid = {"uid": "u", "resourceVersion": "5"}
    item = thing("PersistentVolume", "v", spec={"claimRef": {**claim, **uid}}, status={"phase": phase})
    assert as_written(item)["spec"]["claimRef"] == ({**claim, **uid} if kept else claim)


def test_a_job_selects_its_pods_anew():
    labels = {**UID, "job-name": "m", "batch.kubernetes.io/job-name": "m", "app": "x"}
    spec = {
        "selector": {"matchLabels": dict(UID)},
        "template": {"metadata": {"creationTimestamp": None, "labels": labels}, "spec": {}},
    }
    made = as_written(thing("Job", "m", metadata={"labels": labels}, spec=spec))
    assert made["spec"] == {"template": {"metadata": {"labels": {"app": "x"}}, "spec": {}}}
    assert made["metadata"]["labels"] == {"app": "x"}


def test_a_job_whose_pods_a_person_selects_keeps_its_selector():
    spec = {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}, "template": {}}
    assert as_written(thing("Job", "m", spec=spec))["spec"] == spec


def test_a_pod_is_scheduled_anew():
    access = {"name": "kube-api-access-x7x2k"}
    spec = {
        "nodeName": "w1",
        "priority": 0,
        "preemptionPolicy": "PreemptLowerPriority",
        "ephemeralContainers": [{"name": "d"}],
        "runtimeClassName": "kata",
        "overhead": {"cpu": "1"},
        "volumes": [access, {"name": "data"}],
        "containers": [
            {"name": "a", "volumeMounts": [access, {"name": "data"}]},
            {"name": "b", "volumeMounts": [access]},
        ],
    }
    assert as_written(thing("Pod", "a", spec=spec))["spec"] == {
        "runtimeClassName": "kata",
        "volumes": [{"name": "data"}],
        "containers": [{"name": "a", "volumeMounts": [{"name": "data"}]}, {"name": "b"}],
    }


def test_templates_lose_what_some_releases_write():
    template = {"metadata": {"creationTimestamp": None, "labels": {"a": "b"}}}
    claims = [{"metadata": {"name": "data", "creationTimestamp": None}, "status": {"phase": "Pending"}}]
    made = as_written(thing("StatefulSet", "db", spec={"template": template, "volumeClaimTemplates": claims}))
    assert made["spec"] == {
        "template": {"metadata": {"labels": {"a": "b"}}},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}}],
    }
    cron = thing("CronJob", "c", spec={"jobTemplate": {**template, "spec": {"template": template}}})
    assert "creationTimestamp" not in str(as_written(cron))


def test_a_namespace_leaves_its_finalizer_to_the_server():
    assert "spec" not in as_written(thing("Namespace", "shop", spec={"finalizers": ["kubernetes"]}))
    kept = as_written(thing("Namespace", "shop", spec={"finalizers": ["kubernetes", "x"]}))
    assert kept["spec"] == {"finalizers": ["x"]}


def test_a_token_is_filled_in_again():
    data = {"token": "x", "ca.crt": "y", "namespace": "z", "own": "w"}
    names = {"kubernetes.io/service-account.name": "bot", "kubernetes.io/service-account.uid": "u"}
    item = thing(
        "Secret", "t", metadata={"annotations": names}, type="kubernetes.io/service-account-token", data=data
    )
    made = as_written(item)
    assert made["data"] == {"own": "w"}
    assert made["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "bot"}
    assert as_written(thing("Secret", "t", type="Opaque", data=data))["data"] == data


def test_an_aggregated_role_is_filled_in_by_its_controller():
    made = as_written(thing("ClusterRole", "a", aggregationRule={"clusterRoleSelectors": []}, rules=[{}]))
    assert "rules" not in made
    assert as_written(thing("ClusterRole", "a", rules=[{}]))["rules"] == [{}]


def test_an_address_of_a_service_is_a_persons():
    spec = {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "ports": [{"nodePort": 30000}]}
    assert as_written(thing("Service", "a", spec=spec))["spec"] == spec
