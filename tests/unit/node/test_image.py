"""Which image a debug pod is made of: none that somebody can bring to a node by giving it a name."""

import pytest

from kubectl_admin.node import image

DIGEST = "registry.k8s.io/pause@sha256:" + "0" * 64
PAUSE = "registry.k8s.io/pause:3.10.2"
MIRROR = {"kubernetes.io/config.mirror": "0123456789abcdef"}
KUBE_PROXY = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "kube-proxy", "controller": True}


def node(*images: list[str] | None) -> dict:
    return {"status": {"images": [{"names": names, "sizeBytes": 1} for names in images]}}


def pod(*containers: tuple[str, str, str], annotations: dict | None = MIRROR, owners: tuple = ()) -> dict:
    """A pod of containers: name, image, state."""
    return {
        "metadata": {"name": "p", "annotations": annotations, "ownerReferences": list(owners)},
        "spec": {"containers": [{"name": name, "image": of} for name, of, _ in containers]},
        "status": {
            "containerStatuses": [{"name": name, "state": {state: {}}} for name, _, state in containers]
        },
    }


@pytest.mark.parametrize("name", [PAUSE, "registry.k8s.io/pause:3", "k8s.gcr.io/pause:3.5"])
def test_the_sandbox_image_of_kubernetes_own_registry_comes_first(name):
    """The others on the node are a tenant's: larger ones, which kubelets list first."""
    others = [["docker.io/mallory/pause:1"], ["<none>@<none>", "<none>:<none>"], [DIGEST]]
    assert image.sandbox(node(*others, [DIGEST, name])) == name


@pytest.mark.parametrize(
    "name",
    [
        "pause:3.9",
        "docker.io/library/pause:3.9",
        "docker.io/mallory/pause:1",
        "docker.io/mallory/registry.k8s.io/pause:1",
        "registry.example:5000/pause",
        "registry.example:5000/pause:3.10",
        "registry.k8s.io.evil.example/pause:3.10",
        "evil.example/registry.k8s.io/pause:3.10",
        "registry.k8s.io:5000/pause:3.10",
        "registry.k8s.io/pause-evil:3.10",
        "registry.k8s.io/pauses:3.10",
        "registry.k8s.io/pause/evil:3.10",
        "registry.k8s.io/evil/pause:3.10",
        "REGISTRY.K8S.IO/pause:3.10",
        " registry.k8s.io/pause:3.10",
        "registry.k8s.io/pause",
        "registry.k8s.io/pause:",
        "registry.k8s.io/pause: 3",
        "registry.k8s.io/pause:3\n",
        "registry.k8s.io/pause:-3",
        "registry.k8s.io/pause:3/evil",
        "registry.k8s.io/pause:3@sha256:" + "0" * 64,
        DIGEST,
        "sha256:" + "0" * 64,
        "<none>@<none>",
        "<none>:<none>",
        "",
    ],
)
def test_what_only_looks_like_it_does_not(name):
    assert image.sandbox(node([name])) is None


def test_a_mirrors_sandbox_image_counts_for_the_cluster_that_is_made_from_it():
    name = "registry.example:5000/k8s/pause:3.10"
    assert image.sandbox(node([name])) is None
    assert (
        image.sandbox(node(["docker.io/mallory/pause:1"], [name]), ["registry.example:5000/k8s/pause"])
        == name
    )


@pytest.mark.parametrize(
    ("written", "repository"),
    [
        ("kind: ClusterConfiguration\nimageRepository: registry.k8s.io\n", "registry.k8s.io/pause"),
        ("imageRepository: registry.example:5000/k8s/\nx: y", "registry.example:5000/k8s/pause"),
        ('imageRepository: "registry.example"', "registry.example/pause"),
        ("dns:\n  imageRepository: coredns.example\n", None),
        ("etcd:\n  local:\n    imageRepository: etcd.example\n", None),
        ("imageRepository:\n", None),
        ('imageRepository: ""', None),
        ("", None),
    ],
)
def test_the_mirror_is_what_kubeadms_configuration_names(written, repository):
    assert image.mirrored({"data": {"ClusterConfiguration": written}}) == repository


@pytest.mark.parametrize(
    "config", [{}, {"data": None}, {"data": {}}, {"data": {"ClusterConfiguration": None}}]
)
def test_without_kubeadms_configuration_there_is_none(config):
    assert image.mirrored(config) is None


def test_static_pods_and_kube_proxy_run_what_is_trusted():
    app = pod(("app", "docker.io/mallory/app:1", "running"), annotations=None)
    static = pod(("etcd", "registry.example/etcd:3", "running"))
    proxy = pod(("p", "registry.example/kube-proxy:1", "running"), annotations={}, owners=(KUBE_PROXY,))
    assert image.of_system([app, static]) == "registry.example/etcd:3"
    assert image.of_system([app, proxy]) == "registry.example/kube-proxy:1"
    assert image.of_system([app]) is None


@pytest.mark.parametrize(
    "owner",
    [
        KUBE_PROXY | {"name": "kube-proxy-evil"},
        KUBE_PROXY | {"kind": "ReplicaSet"},
        KUBE_PROXY | {"kind": "Node", "apiVersion": "v1"},
        KUBE_PROXY | {"controller": False},
        {},
    ],
)
def test_who_only_looks_like_kube_proxy_is_not(owner):
    assert image.of_system([pod(("a", "x:1", "running"), annotations=None, owners=(owner,))]) is None


def test_a_container_that_does_not_run_may_never_have_had_its_image():
    pods = [
        pod(
            ("a", "registry.example/never-pulled:1", "waiting"),
            ("b", "registry.example/ended:1", "terminated"),
        ),
        {
            "metadata": {"annotations": MIRROR},
            "spec": {"containers": [{"name": "c", "image": "registry.example/pending:1"}]},
        },
        {
            "metadata": {"annotations": MIRROR},
            "spec": {"containers": [{"name": "d", "image": "registry.example/d:1"}]},
            "status": {"containerStatuses": None},
        },
        pod(("e", "registry.example/e:1", "waiting"), ("f", "registry.example/f:1", "running")),
    ]
    assert image.of_system(pods) == "registry.example/f:1"


@pytest.mark.parametrize(
    "about",
    [{}, {"status": None}, {"status": {}}, {"status": {"images": None}}, node(None), node([]), node([""])],
)
def test_a_node_that_lists_nothing_is_no_puzzle(about):
    assert image.sandbox(about) is None
