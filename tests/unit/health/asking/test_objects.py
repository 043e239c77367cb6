import pytest

from kubectl_admin.cluster.access import Right
from kubectl_admin.health.asking import objects
from kubectl_admin.health.object_facts import DNS, Backend
from kubectl_admin.pool import ask_all
from tests.fakes.api_server import Says, StandIn, status

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NOTHING = {"items": []}
EMPTY = {
    f"{ADMISSION}/validatingwebhookconfigurations": NOTHING,
    f"{ADMISSION}/mutatingwebhookconfigurations": NOTHING,
    CRDS: {"kind": "Table", "columnDefinitions": [], "rows": []},
    "/apis/apiregistration.k8s.io/v1/apiservices": NOTHING,
    "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication": {
        "metadata": {"name": "extension-apiserver-authentication"}
    },
    SLICES.format("default"): NOTHING,
    SLICES.format("kube-system"): {
        "items": [{"metadata": {"name": "dns"}, "endpoints": [{"addresses": ["10.0.0.1"]}]}]
    },
    "/apis/apps/v1/deployments": NOTHING,
    "/apis/apps/v1/daemonsets": NOTHING,
    "/apis/apps/v1/statefulsets": NOTHING,
    "/apis/policy/v1/poddisruptionbudgets": NOTHING,
    "/api/v1/namespaces": {"items": [{"metadata": {"name": "kube-system", "labels": {"a": "b"}}}]},
    "/apis/certificates.k8s.io/v1/certificatesigningrequests": NOTHING,
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases": NOTHING,
}
WEBHOOK = {
    "metadata": {"name": "policy"},
    "webhooks": [{"name": "a", "clientConfig": {"service": {"namespace": "guard", "name": "guard"}}}],
}


def looked(answers, *, workers=16, seconds=60):
    """What comes of all questions, and the paths that were asked."""
    server = StandIn()
    for path, body in (EMPTY | answers).items():
        server.on("GET", path, body if isinstance(body, Says) else Says(body=body))
    with server.serving():
        questions = objects.questions(server.connect(), seconds)
        found = objects.put_together(ask_all(questions, deadline=60, workers=workers))
    return found, [asked.path for asked in server.asked]


def forbidden(resource, group=""):
    """An API server's refusal."""
    message = f'User "ops" cannot list resource "{resource}" in API group "{group}" at the cluster scope'
    return status(403, "Forbidden", message)


def test_a_cluster_without_anything_is_asked_once_a_question():
    found, asked = looked({})
    assert found.gaps == ()
    assert sorted(asked) == sorted(EMPTY)
    assert found.objects.backends == {DNS: Backend(None, ("10.0.0.1",))}
    assert found.objects.system_labels == {"a": "b"}
    assert (found.objects.identities, found.objects.instances, found.objects.pods) == ((), (), None)


@pytest.mark.parametrize("workers", [1, 16])
def test_a_service_is_asked_for_once_by_whichever_webhooks_name_it(workers):
    answers = {
        f"{ADMISSION}/validatingwebhookconfigurations": {"items": [WEBHOOK]},
        f"{ADMISSION}/mutatingwebhookconfigurations": {"items": [WEBHOOK]},
        SLICES.format("guard"): {
            "items": [{"metadata": {"name": "g"}, "endpoints": [{"addresses": ["10.0.0.2"]}]}]
        },
    }
    found, asked = looked(answers, workers=workers)
    assert found.objects.backends["guard", "guard"] == Backend(None, ("10.0.0.2",))
    assert asked.count(SLICES.format("guard")) == 1
    assert len(found.objects.hooks) == 2


@pytest.mark.parametrize(
    ("service", "backend"),
    [
        (status(404, "NotFound", "no such service"), Backend(False)),
        ({"metadata": {"name": "guard"}, "spec": {"type": "ClusterIP"}}, Backend(True)),
        (
            {
                "metadata": {"name": "guard"},
                "spec": {"type": "ExternalName", "externalName": "g.example.com"},
            },
            Backend(True, elsewhere="g.example.com"),
        ),
    ],
)
def test_a_service_itself_is_asked_for_where_nothing_is_behind_it(service, backend):
    answers = {
        f"{ADMISSION}/validatingwebhookconfigurations": {"items": [WEBHOOK]},
        SLICES.format("guard"): NOTHING,
        "/api/v1/namespaces/guard/services/guard": service,
    }
    found, _ = looked(answers)
    assert found.objects.backends["guard", "guard"] == backend


def test_of_a_service_that_can_not_be_seen_nothing_is_said():
    answers = {
        f"{ADMISSION}/validatingwebhookconfigurations": {"items": [WEBHOOK]},
        SLICES.format("guard"): NOTHING,
        "/api/v1/namespaces/guard/services/guard": forbidden("services"),
    }
    found, _ = looked(answers)
    assert ("guard", "guard") not in found.objects.backends
    assert [(gap.what, gap.permission) for gap in found.gaps] == [("services", "get services")]
    assert len(found.objects.hooks) == 1


def test_a_listing_that_is_refused_is_a_gap_and_costs_no_other():
    found, _ = looked({"/apis/policy/v1/poddisruptionbudgets": forbidden("poddisruptionbudgets", "policy")})
    (gap,) = found.gaps
    assert gap.why == 'user "ops" may not list poddisruptionbudgets.policy'
    assert gap.permission == "list poddisruptionbudgets.policy"
    assert found.objects.system_labels == {"a": "b"}


def test_a_kind_that_the_cluster_does_not_know_is_no_gap():
    found, _ = looked({CRDS: status(404, "NotFound", "the server could not find the requested resource")})
    assert found.gaps == ()


def test_a_listing_that_fails_is_a_gap_without_a_permission():
    found, _ = looked({CRDS: status(500, "InternalError", "etcd is down")})
    assert [(gap.what, gap.permission) for gap in found.gaps] == [("customresourcedefinitions", "")]


def test_nothing_further_is_asked_once_the_time_is_over():
    answers = {f"{ADMISSION}/validatingwebhookconfigurations": {"items": [WEBHOOK]}}
    found, asked = looked(answers, seconds=-1)
    assert SLICES.format("guard") not in asked
    (gap,) = found.gaps
    assert gap.what == "endpointslices"
    assert gap.why == "no time was left to ask for all that listings have named"


def test_the_pods_of_a_critical_workload_are_listed_where_it_is_short():
    def deployment(name, namespace="a", ready=0, critical=True):
        of_pods = {"priorityClassName": "system-cluster-critical"} if critical else {}
        spec = {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"spec": of_pods},
        }
        status = {"replicas": 1, "updatedReplicas": 1, "readyReplicas": ready, "availableReplicas": ready}
        return {"metadata": {"name": name, "namespace": namespace}, "spec": spec, "status": status}

    every = [
        deployment("short"),
        deployment("well", "b", ready=1),
        deployment("other", "c", critical=False),
        deployment("coredns", "kube-system"),  # its pods are listed by whoever asks for all of kube-system
    ]
    answers = {
        "/apis/apps/v1/deployments": {"items": every},
        "/api/v1/namespaces/a/pods": {"items": [{"metadata": {"name": "short-1", "namespace": "a"}}]},
    }
    found, asked = looked(answers)
    assert [path for path in asked if path.endswith("/pods")] == ["/api/v1/namespaces/a/pods"]
    assert [one.name for one in found.objects.workloads] == ["short", "well", "coredns"]
    assert [one.name for one in found.objects.pods or ()] == ["short-1"]


def test_every_question_is_named_by_a_right_that_it_takes():
    with StandIn().serving() as server:
        rights = [str(one) for one in objects.questions(server.connect(), 1.0) if isinstance(one, Right)]
    assert len(set(rights)) == len(rights) == len(EMPTY) - 1  # the slices of two Services take one right
