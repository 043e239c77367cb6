"""The debug pod on a real node where a tenant has brought an image that is made to become it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_admin.node import image, manifest
from kubectl_admin.node.operation import Operation
from tests.cluster import hostile_image
from tests.cluster.hostile_image import MARK
from tests.cluster.labs import admin
from tests.cluster.node_room import opened, pods
from tests.lab.nodes import node as lab_node
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

NODE = "worker-1"
EVIL = "docker.io/mallory/pause:1"
NAMES = [
    EVIL,
    "docker.io/mallory/registry.k8s.io/pause:3.10",
    "registry.k8s.io/pause-evil:3.10",
    "registry.k8s.io.mallory.example/pause:3.10",
]


@pytest.fixture(scope="module", autouse=True)
def _hostile(shared_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The image is on the worker under all of its names."""
    archive = tmp_path_factory.mktemp("hostile") / "image.tar"
    hostile_image.write_archive(archive, NAMES)
    (worker,) = [each for each in shared_lab.nodes if each.name == NODE]
    lab_node.import_images(worker, archive)
    yield
    shared_lab.exec(NODE, ["ctr", "--namespace", "k8s.io", "images", "remove", *NAMES])


@pytest.fixture(autouse=True)
def _unmarked(lab: Lab) -> Iterator[None]:
    lab.exec(NODE, ["rm", "-f", MARK])
    yield
    lab.exec(NODE, ["rm", "-f", MARK])
    assert pods(lab) == []


def is_marked(lab: Lab) -> bool:
    """Whether something of the image has run on the node."""
    return lab.exec(NODE, ["sh", "-c", f"if [ -e {MARK} ]; then echo yes; fi"]).stdout == "yes\n"


def wait_until_marked(lab: Lab) -> None:
    """A container runs as soon as its process is there, and that has done nothing yet."""
    lab.exec(NODE, ["sh", "-c", f"until [ -e {MARK} ]; do sleep 0.1; done"], timeout=180)


def shown(lab: Lab, images: list[list[str]]) -> None:
    """The node lists these images before all others, as its kubelet does within a minute of their arrival."""
    there = json.loads(lab.kubectl("get", f"node/{NODE}", "--output=json"))["status"]["images"]
    status = {"images": [*({"names": names, "sizeBytes": 1 << 40} for names in images), *there]}
    patch = f"--patch={json.dumps({'status': status})}"
    lab.kubectl("patch", f"node/{NODE}", "--subresource=status", "--type=merge", patch)


def test_no_name_that_a_tenant_can_give_makes_an_image_the_debug_pods(lab):
    digest = f"{EVIL.partition(':')[0]}@sha256:{'0' * 64}"
    shown(lab, [[digest, EVIL], *([name] for name in NAMES[1:]), ["<none>@<none>", "<none>:<none>"]])
    with opened(lab, NODE) as there:
        namespace, name = there.pod
        pod = json.loads(lab.kubectl("get", f"pod/{name}", f"--namespace={namespace}", "--output=json"))
        assert there.run(["hostname"]).stdout == f"{NODE}\n".encode()
    (container,) = pod["spec"]["containers"]
    assert container["image"].startswith(f"{image.SANDBOXES[0]}:")
    assert pod["spec"]["priority"] == 0
    assert not is_marked(lab)


def test_nothing_of_an_image_that_is_named_by_mistake_is_run(lab):
    command = ["sh", "-c", "hostname; id -u; pwd; env | sort"]
    done = admin(lab, "node-exec", NODE, "--image", EVIL, "--", *command)
    assert (done.code, done.err) == (0, "")
    *told, home, locale, path, folder = done.out.splitlines()
    assert told == [NODE, "0", "/"]
    assert (home, locale, folder) == ("HOME=/root", "LC_ALL=C.UTF-8", "PWD=/")
    assert "evil" not in path
    assert not is_marked(lab)


def without(pod: dict[str, Any], part: str) -> dict[str, Any]:
    """The same pod, as it would be without one of its walls."""
    (container,) = pod["spec"]["containers"]
    match part:
        case "etc":
            mounts = [each for each in container["volumeMounts"] if each["name"] != "etc"]
            container["volumeMounts"] = mounts
        case "env":
            del container["env"]
        case "command":
            del container["command"]
    return pod


@pytest.mark.parametrize("part", ["etc", "env", "command"])
def test_without_any_of_the_walls_it_would_be_run(lab, tmp_path, part):
    """What this image can do is seen, or the tests above would prove nothing."""
    pod = manifest.debug_pod(
        f"kubectl-admin-0123456789-{part}",
        NODE,
        operation=Operation.begin(),
        attempt="0",
        image=EVIL,
        pull="Never",
        deadline=600,
    )
    (tmp_path / "pod.json").write_text(json.dumps(without(pod, part)))
    name = ["--namespace=kube-system", f"pod/{pod['metadata']['name']}"]
    lab.kubectl("create", "--namespace=kube-system", f"--filename={tmp_path}/pod.json")
    try:
        lab.kubectl("wait", *name, "--for=jsonpath={.status.phase}=Running", "--timeout=180s", timeout=190)
        wait_until_marked(lab)
    finally:
        lab.kubectl("delete", *name, "--grace-period=0", "--force", timeout=190)
