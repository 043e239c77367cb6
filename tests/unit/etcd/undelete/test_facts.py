"""Resources and keys."""

import pytest

from kubectl_admin.etcd.undelete.facts import Key
from tests.unit.etcd.undelete.things import BY_KIND


def test_paths():
    pods, roles, deployments = BY_KIND["Pod"], BY_KIND["ClusterRole"], BY_KIND["Deployment"]
    assert pods.path() == "/api/v1/pods"
    assert pods.path("shop", "a") == "/api/v1/namespaces/shop/pods/a"
    assert deployments.path("shop") == "/apis/apps/v1/namespaces/shop/deployments"
    assert roles.path("shop", "system:node") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("../x", "..%2Fx"),
        ("a?b#c", "a%3Fb%23c"),
        ("%2e", "%252e"),
        ("ä", "%C3%A4"),
    ],
)
def test_no_name_leads_elsewhere(name, part):
    assert BY_KIND["Pod"].path(name, name) == f"/api/v1/namespaces/{part}/pods/{part}"


def test_titles():
    assert Key("apps", "deployments", "shop", "web").title == "deployments.apps/web in shop"
    assert Key("", "nodes", "", "w1").title == "nodes/w1"
    assert BY_KIND["Deployment"].api_version == "apps/v1"
    assert BY_KIND["Pod"].api_version == "v1"
