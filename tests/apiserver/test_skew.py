"""`kubectl admin skew` against a real API server: what it lists, and what it says where it may not look."""

import json
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster import kubeconfig as kubeconfigs
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden
from tests.program import Ended, environ, run

pytestmark = pytest.mark.lab


def connected(kubeconfig: Path, **flags: Any) -> Cluster:
    """A connection as the administrator, or whom the flags make of him."""
    overrides = kubeconfigs.Overrides(kubeconfig=str(kubeconfig), **flags)
    return Cluster.connect(kubeconfigs.resolve(overrides, {}))


def skew(kubeconfig: Path, *arguments: str) -> Ended:
    """A run of the program, with this kubeconfig."""
    return run("skew", *arguments, env=environ(KUBECONFIG=str(kubeconfig)))


def test_the_servers_table_has_the_columns_that_are_read(kubeconfig):
    table = connected(kubeconfig).table("/api/v1/nodes")
    names = ("Name", "Status", "Roles", "Version", "OS-Image", "Kernel-Version", "Container-Runtime")
    assert set(names) <= set(table.columns)
    assert len(list(table.named(*names))) == 10
    assert all("<unknown>" not in row for row in table.named(*names))


def test_who_may_not_list_is_told_so(kubeconfig):
    with pytest.raises(Forbidden) as caught:
        connected(kubeconfig, as_user="nobody").table("/api/v1/nodes")
    assert (caught.value.user, caught.value.verb, caught.value.resource) == ("nobody", "list", "nodes")


def test_every_api_server_is_asked_itself(kubeconfig):
    document = json.loads(skew(kubeconfig, "-o", "json").out)
    servers = {
        node["name"]: node["components"]["kube-apiserver"]["running"]["version"]
        for node in document["items"]
        if "kube-apiserver" in node["components"]
    }
    assert servers == dict.fromkeys(("cp-1", "cp-2", "cp-3"), "1.36.3")


def test_what_does_not_answer_is_said_and_judged_by_its_image(kubeconfig):
    """No kubelet runs here, so nothing on a loopback can be reached."""
    document = json.loads(skew(kubeconfig, "-o", "json").out)
    silent = {finding["subject"] for finding in document["findings"] if finding["rule"] == "no-answer"}
    assert silent == {"kube-controller-manager", "kube-scheduler", "etcd"}
    etcd = document["items"][0]["components"]["etcd"]
    assert (etcd["running"], etcd["claimed"]["source"]) == (None, "the image tag")


def test_a_user_without_rights_is_told_each_one_that_is_missing(kubeconfig):
    answer = skew(kubeconfig, "--as", "nobody", "-o", "json")
    assert answer.err == ""
    missing = {f["subject"] for f in json.loads(answer.out)["findings"] if f["rule"] == "not-seen"}
    assert missing == {"nodes", "static pods", "kube-proxy", "CoreDNS", "kubeadm-config"}


def test_contexts_side_by_side_with_one_that_is_not_there(kubeconfig, tmp_path):
    text = kubeconfig.read_text()
    away = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "away", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "away", "context": {"cluster": "away", "user": ""}}],
    }
    (tmp_path / "away").write_text(json.dumps(away))
    (tmp_path / "here").write_text(text)
    (tmp_path / "here").chmod(0o600)
    both = Path(f"{tmp_path / 'here'}:{tmp_path / 'away'}")
    answer = skew(both, "--contexts", "*", "--no-headers")
    rows = [line.split() for line in answer.out.splitlines()[:2]]
    assert {row[0] for row in rows} >= {"away"}
    assert "unreachable!" in answer.out
    assert "1.36.3" in answer.out
