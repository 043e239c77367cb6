"""docs/permissions.md, rule by rule, against a real API server.

What is read from kubelets and running processes is tried on real nodes: tests/cluster/test_permissions.py.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import permissions
from tests.permissions import Stage, Tried
from tests.program import environ, run

pytestmark = pytest.mark.lab

KUBE_PROXY = "daemonset/kube-proxy"
# What skew can no longer tell, and by which source it could, once a right is missing. Static pods take both
# listings: without the nodes nothing tells which pods are of the control plane.
STATIC = {
    *(("kube-apiserver", source) for source in ("claimed", "running")),
    *((part, "claimed") for part in ("kube-controller-manager", "kube-scheduler", "etcd", "kube-proxy")),
}
LOST = {
    "list nodes": {*STATIC, ("kubelet", "claimed")},
    "list pods in namespace kube-system": STATIC,
    "list daemonsets.apps in namespace kube-system": {("kube-proxy", "claimed")},
    "list controllerrevisions.apps in namespace kube-system": {("kube-proxy", "claimed")},
    "list deployments.apps in namespace kube-system": {("coredns", "claimed")},
    "get configmaps in namespace kube-system": {("kubeadm-config", "claimed")},
    "get pods/proxy in namespace kube-system": {("kube-apiserver", "running")},
}


@pytest.fixture(scope="module")
def skew(stage: Stage) -> Iterator[Tried]:
    """skew --probe by everybody, while kube-proxy is being rolled out, so that its revisions are read."""
    status = ["get", KUBE_PROXY, "--namespace=kube-system", "--output=jsonpath={.status.numberAvailable}"]
    available = int(stage.kubectl(*status))
    set_available(stage, available - 1)
    yield permissions.try_out(
        stage,
        "skew",
        lambda path: run("skew", "--probe", "-o", "json", env=environ(KUBECONFIG=str(path))),
        administrator=True,
    )
    set_available(stage, available)


def set_available(stage: Stage, number: int) -> None:
    """How many of its pods the kube-proxy DaemonSet says are available; nobody here corrects it."""
    patch = json.dumps({"status": {"numberAvailable": number}})
    stage.kubectl(
        "patch", KUBE_PROXY, "--namespace=kube-system", "--subresource=status", "--type=merge", "-p", patch
    )


def told(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every version that a report tells: of which node («» for the cluster), part, and by which source."""
    found = {("", "kubeadm-config", "claimed")} if document["kubeadmConfigVersion"] else set()
    parts = {("", part): said for part, said in document["components"].items()}
    for node in document["items"]:
        parts |= {(node["name"], part): said for part, said in node["components"].items()}
    return found | {(*key, source) for key, said in parts.items() for source in said if is_told(said, source)}


def is_told(said: dict[str, Any], source: str) -> bool:
    """Whether a part's version is known by this source."""
    return source in ("running", "claimed") and bool(said[source])


def test_with_the_rights_of_the_page_skew_shows_what_the_administrator_sees(skew):
    assert skew.with_all.code == skew.as_administrator.code
    assert permissions.without_user(skew.with_all) == permissions.without_user(skew.as_administrator)


def test_each_right_that_is_missing_is_named_by_skew(skew):
    permissions.check(skew, unasked=["get /metrics"])


@pytest.mark.parametrize("right", LOST)
def test_without_a_right_skew_still_shows_the_rest(skew, right):
    complete = told(json.loads(skew.with_all.out))
    lacking = next(ended for each, ended in skew.without.items() if str(each) == right)
    rest = told(json.loads(lacking.out))
    assert {(part, source) for _node, part, source in complete - rest} == LOST[right]
    assert rest, "nothing is left"


def test_the_rights_that_are_not_in_that_table_cost_nothing_here(skew):
    """They are to ask kubelets and processes, of which there are none."""
    complete = told(json.loads(skew.with_all.out))
    for right, ended in skew.without.items():
        if str(right) not in LOST:
            assert told(json.loads(ended.out)) == complete, right


def test_a_service_account_with_the_rights_of_the_page_lacks_none(stage, tmp_path):
    """Its token is not shown to servers that can't prove who they are; so controllers are not asked."""
    stage.kubectl("create", "serviceaccount", "viewer", "--namespace=default")
    try:
        user = "system:serviceaccount:default:viewer"
        with permissions.bound(stage, {user: permissions.of_page("skew")}):
            token = stage.kubectl("create", "token", "viewer", "--namespace=default").strip()
            path = tmp_path / "kubeconfig"
            document = json.loads(stage.kubectl("config", "view", "--minify", "--raw", "--output=json"))
            document["users"][0]["user"] = {"token": token}
            path.write_text(json.dumps(document), encoding="utf-8")
            path.chmod(0o600)
            ended = run("skew", "-o", "json", env=environ(KUBECONFIG=str(path)))
    finally:
        stage.kubectl("delete", "serviceaccount", "viewer", "--namespace=default")
    answer = json.loads(ended.out)
    assert [finding["subject"] for finding in answer["findings"] if finding["rule"] == "not-seen"] == []
    assert ("cp-1", "kube-scheduler", "claimed") in told(answer)
