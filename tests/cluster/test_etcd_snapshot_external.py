"""`kubectl admin etcd-snapshot` where etcd is no part of the cluster: a service of the node."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster import etcd_direct, labs
from tests.cluster.labs import admin
from tests.cluster.node_room import folders, pods
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

NAME = "test-external"
# The pod's own programs, flags and data, as a unit of systemd's.
TAKE_OUT = """
cd /etc/kubernetes/manifests
[ -e etcd.yaml ] || exit 0
pid=$(pidof etcd)
mkdir -p /opt/etcd
cp /proc/$pid/root/usr/local/bin/etcd /proc/$pid/root/usr/local/bin/etcdctl /opt/etcd/
flags=$(tr '\\0' '\\n' < /proc/$pid/cmdline | tail -n +2 | tr '\\n' ' ')
printf '[Service]\\nType=notify\\nExecStart=/opt/etcd/etcd %s\\n' "$flags" > /etc/systemd/system/etcd.service
mv etcd.yaml /root/
while [ -e /proc/$pid ]; do sleep 0.1; done
systemctl daemon-reload
systemctl start etcd
# The kubelet may be about to end an API server that has been without etcd for long. A fresh one is not ended.
# One that is asked to end waits a minute for its watches to be closed.
pid=$(pidof kube-apiserver) || exit 0
kill -KILL $pid || true
while [ -e /proc/$pid ]; do sleep 0.1; done
"""


@pytest.fixture(scope="module")
def external() -> Iterator[Lab]:
    """A cluster of one control plane with its etcd beside it."""
    with labs.standing(NAME, control_planes=1, workers=0) as lab:
        lab.exec("cp-1", ["sh", "-ec", TAKE_OUT], timeout=240)
        labs.wait_until_serving(lab)
        lab.kubectl(
            "-n", "kube-system", "wait", "pod/etcd-cp-1", "--for=delete", "--timeout=120s", timeout=130
        )
        yield lab


def test_it_is_taken_with_the_api_servers_certificates(external, tmp_path):
    missing = admin(external, "etcd-snapshot", "-o", str(tmp_path / "snapshot.db"))
    assert missing.code == 1
    assert missing.err == (
        "error: node cp-1: no etcdctl on PATH\n       name one on that host with --etcdctl\n"
    )
    file = tmp_path / "named.db"
    done = admin(external, "etcd-snapshot", "-o", str(file), "--etcdctl=/opt/etcd/etcdctl", "--json")
    assert done.code == 0, done.err
    (item,) = json.loads(done.out)["items"]
    told = etcd_direct.status(external, file)
    about = item["snapshot"]
    assert (about["revision"], about["databaseBytes"]) == (told["revision"], told["totalSize"])
    assert (item["node"], item["endpoint"]) == ("cp-1", "https://127.0.0.1:2379")
    # Of one member that has always been alone the file itself tells the cluster's id, too.
    assert item["clusterID"] == about["clusterID"]
    external.exec("cp-1", ["ln", "-s", "/opt/etcd/etcdctl", "/usr/local/bin/etcdctl"])
    try:
        assert admin(external, "etcd-snapshot", "-o", str(tmp_path / "on-path.db")).code == 0
    finally:
        external.exec("cp-1", ["rm", "/usr/local/bin/etcdctl"])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["named.db", "on-path.db"]
    assert (pods(external), folders(external, "cp-1")) == ([], [])
