"""A worker whose root is hostile: what it shows as a part of the control plane is asked nothing.

It wears the labels of etcd on a mirror pod of its own, with an etcdctl that answers as it likes.
"""

import json
import time
from collections.abc import Iterator

import pytest

from tests.cluster.labs import PATIENCE, POLL_INTERVAL, admin, ask
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

WORKER, POD = "worker-1", "etcd-worker-1"
HOSTILE = "/opt/hostile"
MANIFEST = "/etc/kubernetes/manifests/etcd.yaml"
# It says that it leads a cluster of its own and is far ahead; who asks is written down.
ETCDCTL = """#!/bin/sh
echo "$@" >> /hostile/asked
echo '[{"Endpoint":"x","Status":{"header":{"cluster_id":666,"member_id":7,"revision":999999},
"version":"3.6.8","leader":8,"raftIndex":999999999,"raftTerm":99,"raftAppliedIndex":999999999,"dbSize":4096}}]'
"""


def manifest(image: str) -> str:
    """A static pod that looks like etcd, on an image that the node has, with the host's programs."""
    folders = ["/usr", "/bin", "/lib", "/lib64"]
    mounts = [{"name": path[1:], "mountPath": path} for path in folders]
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": "etcd",
                "namespace": "kube-system",
                "labels": {"component": "etcd", "tier": "control-plane"},
            },
            "spec": {
                "hostNetwork": True,
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "etcd",
                        "image": image,
                        "imagePullPolicy": "Never",
                        "command": ["/bin/sleep", "infinity"],
                        "env": [{"name": "PATH", "value": "/hostile:/usr/bin:/bin"}],
                        "volumeMounts": [*mounts, {"name": "hostile", "mountPath": "/hostile"}],
                    }
                ],
                "volumes": [
                    *({"name": path[1:], "hostPath": {"path": path}} for path in folders),
                    {"name": "hostile", "hostPath": {"path": HOSTILE}},
                ],
            },
        }
    )


def image_of(lab: Lab) -> str:
    """An image that the worker has. After a boot its kubelet may not know any for half a minute."""
    end = time.monotonic() + PATIENCE
    while True:
        node = ask(lab, f"/api/v1/nodes/{WORKER}")
        names = [name for image in node["status"].get("images", ()) for name in image.get("names") or ()]
        if found := [name for name in names if "/pause:" in name]:
            return found[0]
        assert time.monotonic() < end, names
        time.sleep(POLL_INTERVAL)


@pytest.fixture
def hostile(lab: Lab) -> Iterator[Lab]:
    """The lab whose worker shows such a pod, which runs and would answer."""
    write = 'mkdir -p "$1" "${4%/*}"; printf %s "$2" > "$1/etcdctl"; printf %s "$3" > "$4"; chmod 755 "$1"/*'
    where = [HOSTILE, ETCDCTL, manifest(image_of(lab)), MANIFEST]
    system = "--namespace=kube-system"
    lab.exec(WORKER, ["sh", "-ec", write, "sh", *where])
    try:
        for state in ("create", "condition=Ready"):
            lab.kubectl("wait", f"pod/{POD}", system, f"--for={state}", "--timeout=180s", timeout=190)
        assert "666" in lab.kubectl("exec", POD, system, "--", "etcdctl", "endpoint", "status")
        lab.exec(WORKER, ["rm", f"{HOSTILE}/asked"])
        yield lab
    finally:
        lab.exec(WORKER, ["rm", "-rf", MANIFEST, HOSTILE])
        lab.kubectl("wait", f"pod/{POD}", system, "--for=delete", "--timeout=180s", timeout=190)


def asked(lab: Lab) -> bool:
    """Whether anybody has run the worker's own etcdctl."""
    return lab.exec(WORKER, ["test", "-e", f"{HOSTILE}/asked"], check=False).returncode == 0


def test_a_worker_that_wears_the_labels_of_etcd_is_asked_nothing_and_gives_no_snapshot(hostile, tmp_path):
    told = admin(hostile, "etcd-status", "-o", "json")
    assert (told.code, told.err) == (0, "")
    document = json.loads(told.out)
    assert [item["node"] for item in document["items"]] == ["cp-1", "cp-2", "cp-3"]
    impostor = next(one for one in document["findings"] if one["rule"] == "pod-not-of-control-plane")
    assert (impostor["objects"], impostor["subject"]) == ([f"node/{WORKER}"], f"pod {POD}")

    refused = admin(hostile, "etcd-snapshot", "-o", str(tmp_path / "its.db"), f"--node={WORKER}")
    assert refused.code == 1
    assert f"node {WORKER} does not run an etcd member; pod {POD} looks like one, but" in refused.err

    saved = admin(hostile, "etcd-snapshot", "-o", str(tmp_path / "snapshot.db"), "--json", timeout=300)
    assert saved.code == 0, saved.err
    (item,) = json.loads(saved.out)["items"]
    assert item["node"] in {"cp-1", "cp-2", "cp-3"}
    assert [each.name for each in tmp_path.iterdir()] == ["snapshot.db"]
    assert not asked(hostile)
