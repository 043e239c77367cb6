"""`kubectl admin etcd-undelete` on a snapshot that lies, and on objects that need others."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.cluster.kubeconfig import Overrides, resolve
from tests.apiserver import undelete_scene as scene
from tests.apiserver.conftest import NAME
from tests.apiserver.stored import saved
from tests.apiserver.test_etcd_open import programs
from tests.lab import cache
from tests.lab.api import api_only, etcd_process
from tests.lab.api.sketch import Sketch
from tests.lab.versions import RELEASES
from tests.permissions import Stage
from tests.program import Ended, environ, run

pytestmark = pytest.mark.lab

LIES, PODS = "und-lies", "und-pods"
RED = "\x1b[31mred"
Undelete = Callable[..., Ended]


@pytest.fixture(scope="module")
def cluster(kubeconfig: Path) -> Cluster:
    return Cluster.connect(resolve(Overrides(kubeconfig=str(kubeconfig)), {}))


def etcdctl(*words: str) -> None:
    """Asks the lab's etcd, past its API server."""
    folder = api_only.folder_of(NAME)
    address = Sketch(network=api_only.block(folder)).address(0)
    program = cache.root() / f"bin/etcd-{RELEASES[0].etcd}/etcdctl"
    flags = [
        f"--{flag}={folder}/pki/{name}"
        for flag, name in (("cacert", "ca.crt"), ("cert", "etcd-client.crt"), ("key", "etcd-client.key"))
    ]
    etcd_process.run([program, f"--endpoints=https://{address}:2379", *flags, *words])


def lie(space: str, stored: str, **metadata: Any) -> tuple[str, str]:
    """A ConfigMap as it is stored under this name, with other metadata of its own."""
    about = {"name": stored, "namespace": space, "uid": f"uid-of-{stored}", **metadata}
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about, "data": {"a": "lie"}}
    return f"/registry/configmaps/{space}/{stored}", json.dumps(item)


@pytest.fixture(scope="module")
def snapshot(stage: Stage, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A snapshot in which objects say of themselves what is not so, and one with a pod of nobody."""
    stage.kubectl("create", "namespace", LIES)
    lies = [
        lie(LIES, "elsewhere", namespace="kube-system", name="und-planted"),
        lie(LIES, "twin", name="true"),
        lie(LIES, "colour", name=RED),
    ]
    try:
        cluster.post(f"/api/v1/namespaces/{LIES}/secrets", scene.one(LIES, "Secret", "sound"))
        for key, value in lies:
            etcdctl("put", key, value)
        stage.kubectl("create", "namespace", PODS)
        for account in ("default", "web"):
            cluster.post(
                f"/api/v1/namespaces/{PODS}/serviceaccounts", scene.one(PODS, "ServiceAccount", account)
            )
        spec = {**scene.POD, "serviceAccountName": "web"}
        cluster.post(f"/api/v1/namespaces/{PODS}/pods", scene.one(PODS, "Pod", "alone", spec=spec))
        file = saved(NAME, tmp_path_factory.mktemp("hostile") / "snapshot.db")
        for key, _ in lies:
            etcdctl("del", key)
        yield file
    finally:
        for space in (LIES, PODS):
            scene.empty(cluster, space)


@pytest.fixture(scope="module")
def undelete(snapshot: Path, kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Undelete:
    directory = programs(tmp_path_factory.mktemp("programs") / "bin")

    def run_it(*words: str) -> Ended:
        local = ("--local", "--bin", str(directory), str(snapshot))
        return run("etcd-undelete", *local, *words, env=environ(KUBECONFIG=str(kubeconfig)))

    return run_it


def test_an_object_that_lies_comes_back_nowhere(undelete: Undelete, cluster: Cluster) -> None:
    cluster.delete(f"/api/v1/namespaces/{LIES}/secrets/sound")
    ended = undelete("-n", LIES, "--yes", "--keep-going")
    assert ended.code == 3, ended
    assert "\x1b" not in ended.out + ended.err
    assert "configmaps/und-planted in kube-system" in " ".join(ended.out.split())
    assert ("Secret", "sound") in scene.read(cluster, LIES)
    with pytest.raises(NotFound):
        cluster.get("/api/v1/namespaces/kube-system/configmaps/und-planted")


def test_a_pod_of_nobody_comes_back_with_its_account_and_namespace(
    undelete: Undelete, cluster: Cluster
) -> None:
    scene.empty(cluster, PODS)
    ended = undelete("-n", PODS, "--yes")
    assert ended.code == 0, ended
    assert ("Pod", "alone") in scene.read(cluster, PODS)


def test_a_namespace_that_the_snapshot_does_not_have_is_no_success(undelete: Undelete) -> None:
    ended = undelete("-n", "und-none", "--yes")
    assert (ended.code, "nothing of what was asked for" in ended.out) == (3, True)
