"""The verb against an API server behind which no component can be reached."""

import json

import pytest

from kubectl_admin.cluster.access import REVIEWS
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.health.gather import How
from kubectl_admin.health.look import look
from kubectl_admin.health.run import Options, early_identity, outcome_of, saved
from kubectl_admin.part_file import PartFile
from tests.fakes.api_server import Says, StandIn
from tests.fakes.served_api import serving
from tests.program import run
from tests.unit.health.made import facts

SYSTEM = "/api/v1/namespaces/kube-system"
W1 = {
    "metadata": {"name": "w1", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}
LISTS = (
    f"{SYSTEM}/pods",
    f"{SYSTEM}/services/kube-dns",
    f"{SYSTEM}/configmaps/kube-proxy",
    f"{SYSTEM}/configmaps/kubelet-config",
    f"{SYSTEM}/configmaps/extension-apiserver-authentication",
    "/api/v1/namespaces",
    "/api/v1/namespaces/default/services/kubernetes",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/apiregistration.k8s.io/v1/apiservices",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/namespaces/kube-system/daemonsets",
    "/apis/apps/v1/statefulsets",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases",
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases",
    "/apis/discovery.k8s.io/v1/endpointslices",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
    "/apis/policy/v1/poddisruptionbudgets",
    "/readyz",
    "/version",
)
ANSWERS = {path: {} for path in LISTS} | {"/api/v1/nodes": {"kind": "NodeList", "items": [W1]}}


@pytest.fixture
def health(tmp_path):
    """Runs the verb; the server's kube-system has this UID."""
    with serving(ANSWERS | {SYSTEM: {"metadata": {"name": "kube-system", "uid": "u-1"}}}) as server:
        kubeconfig = server.kubeconfig(tmp_path)
        yield lambda *args: run("health", *args, "--kubeconfig", kubeconfig)


def record(cluster):
    """A record of a cluster that had another node."""
    other = {"ready": True, "unschedulable": False, "kubeletVersion": "1.36.3", "components": {}}
    nothing = {"nodes": {"w0": other}, "findings": [], "budgets": {}, "leaders": {}}
    about = {"context": "x", "at": "2026-11-30T03:00:00+00:00", "cluster": cluster}
    return json.dumps({"apiVersion": "kubectl-admin/v1", "kind": "HealthRecord", **about, **nothing})


def test_a_user_who_may_list_nothing_is_told_all_that_is_missing(tmp_path):
    said = 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope'
    refused = ("/api/v1/nodes", f"{SYSTEM}/pods")
    with serving({path: said for path, said in ANSWERS.items() if path not in refused}) as server:
        refusal = {"kind": "Status", "code": 403, "reason": "Forbidden", "message": said}
        for path in refused:
            server.stand_in.on("GET", path, Says(403, refusal))
        review = {"kind": "SelfSubjectAccessReview", "status": {"allowed": False}}
        server.stand_in.on("POST", REVIEWS, Says(201, review))
        ended = run("health", "--kubeconfig", server.kubeconfig(tmp_path))
    assert ended.code == 1
    assert ended.err.startswith('error: user "jane" may not list nodes; ')
    assert "docs/permissions.md" in ended.err


def test_where_no_component_answers_nobody_knows_how_it_is(health):
    ended = health()
    assert ended.code == 1
    assert ended.err.startswith("error: no component of the cluster has answered\n")
    assert "w1    Ready   -          -     ?        -      -        -\n" in ended.out
    assert "0 of 1 components well, 1 not seen; 0 of 1 nodes reached in" in ended.out


def test_nothing_is_kept_of_a_look_that_saw_nothing(health, tmp_path):
    assert health("--save", str(tmp_path / "record")).code == 1
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("record")]


def test_what_has_changed_since_a_record(health, tmp_path):
    (tmp_path / "record").write_text(record("u-1"))
    ended = health("--diff", str(tmp_path / "record"), "-o", "json")
    changes = json.loads(ended.out)["changes"]
    nodes = [(one["kind"], one["object"]) for one in changes if one["what"] == "node"]
    assert nodes == [("gone", "node/w0"), ("new", "node/w1")]


def test_a_record_of_another_cluster_is_refused_before_anything_is_asked(health, tmp_path):
    (tmp_path / "record").write_text(record("u-2"))
    ended = health("--diff", str(tmp_path / "record"))
    assert (ended.code, ended.out) == (1, "")
    assert "record is of another cluster" in ended.err


def test_a_wait_ends_with_what_is_missing(health):
    ended = health("--wait", "1", "--timeout", "5", "-o", "json")
    assert ended.code == 3
    assert ended.err.startswith("not well yet: ")
    assert "no component has answered" in ended.err
    assert json.loads(ended.out)["findings"][0]["rule"] == "not-well-yet"


def away():
    """A connection to an API server that is not there."""
    with StandIn().serving() as gone:
        return gone.connect()


def test_the_identity_of_a_cluster_is_waited_for():
    how = How(timeout=5.0)
    assert early_identity(away(), Options(how, wait=60.0)) == ""
    with pytest.raises(Unreachable):
        early_identity(away(), Options(how))


def test_a_wait_that_is_to_be_saved_waits_for_the_api_server(tmp_path):
    with serving(ANSWERS) as server:
        kubeconfig = server.kubeconfig(tmp_path)
    ended = run("health", "--wait", "1", "--save", str(tmp_path / "record"), "--kubeconfig", kubeconfig)
    assert (ended.code, ended.out[:22]) == (3, "violation: the cluster")


def test_a_look_that_can_not_be_saved_is_not_lost(tmp_path):
    seen = look(facts(), ())
    with PartFile(tmp_path / "record") as part:
        (tmp_path / "record").write_text("of somebody else")
        outcome = saved(outcome_of(seen, Options(How())), seen, "u-1", part)
    assert outcome.look is seen
    with pytest.raises(AdminError, match="already"):
        outcome.require_whole()
