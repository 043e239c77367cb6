"""Which image a debug pod is made of."""

import pytest

from kubectl_admin.node import image

DIGEST = "registry.k8s.io/pause@sha256:" + "0" * 64
PAUSE = "registry.k8s.io/pause:3.10.2"


def node(*images: list[str] | None) -> dict:
    return {"status": {"images": [{"names": names, "sizeBytes": 1} for names in images]}}


def pod(*containers: tuple[str, str, str]) -> dict:
    """A pod of containers: name, image, state."""
    return {
        "spec": {"containers": [{"name": name, "image": of} for name, of, _ in containers]},
        "status": {
            "containerStatuses": [{"name": name, "state": {state: {}}} for name, _, state in containers]
        },
    }


FIFTY = [
    [f"registry.example/app-{number}@sha256:{number:064x}", f"registry.example/app-{number}:1"]
    for number in range(50)
]


@pytest.mark.parametrize(
    "name",
    [
        PAUSE,
        "pause:3.9",
        "registry.aliyuncs.com/google_containers/pause:3.10",
        "registry.example:5000/k8s/pause:3.10",
        "registry.example:5000/pause",
    ],
)
def test_the_pause_image_of_any_registry_comes_first(name):
    assert image.held(node(["registry.example/huge:1"], [DIGEST, name]), []) == name


@pytest.mark.parametrize(
    "name",
    ["registry.example/pauses:1", "registry.example/pause/app:1", "registry.example/a-pause:1", DIGEST],
)
def test_what_only_looks_like_it_does_not(name):
    assert image.held(node([name]), []) is None


def test_fifty_large_images_leave_the_pause_image_out_and_a_running_container_helps():
    pods = [pod(("app", "registry.example/app-7:1", "running"))]
    assert image.held(node(*FIFTY), pods) == "registry.example/app-7:1"


def test_a_container_that_does_not_run_may_never_have_had_its_image():
    pods = [
        pod(
            ("a", "registry.example/never-pulled:1", "waiting"),
            ("b", "registry.example/ended:1", "terminated"),
        ),
        {"spec": {"containers": [{"name": "c", "image": "registry.example/pending:1"}]}},
        {
            "spec": {"containers": [{"name": "d", "image": "registry.example/d:1"}]},
            "status": {"containerStatuses": None},
        },
        pod(("e", "registry.example/e:1", "waiting"), ("f", "registry.example/f:1", "running")),
    ]
    assert image.held(node(*FIFTY), pods) == "registry.example/f:1"


@pytest.mark.parametrize("about", [{}, {"status": {}}, {"status": {"images": None}}, node(None), node([])])
def test_a_node_that_lists_nothing_is_no_puzzle(about):
    assert image.held(about, []) is None
    assert image.held(about, [pod(("a", PAUSE, "running"))]) == PAUSE
