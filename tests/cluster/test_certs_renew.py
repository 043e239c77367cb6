"""`kubectl admin certs renew` and `certs rollback` on a real cluster; openssl says what is served."""

import json
from collections.abc import Iterator

import pytest

from tests import permissions
from tests.cluster import ended
from tests.cluster.labs import admin, stage_of
from tests.lab.nodes.lab import Lab

pytestmark = pytest.mark.lab

NODE = "cp-2"
BACKUPS = "/var/lib/kubectl-admin/certificates"
SERVED = "openssl s_client -connect 127.0.0.1:6443 < /dev/null 2> /dev/null | openssl x509 -noout -serial"


@pytest.fixture
def clean(lab: Lab) -> Lab:
    """The lab, on which no backup stays."""
    yield lab
    for node in lab.control_planes:
        lab.exec(node.name, ["rm", "-rf", BACKUPS])


def served(lab: Lab, node: str) -> str:
    """The serial number that a node's API server shows."""
    said = lab.exec(node, ["sh", "-c", SERVED], timeout=180).stdout
    return said.strip().removeprefix("serial=")


def started(lab: Lab, node: str) -> list[str]:
    """The processes that read their certificates again by themselves; none of them is restarted here."""
    script = "for name in kube-apiserver etcd; do pgrep -x $name; done"
    return lab.exec(node, ["sh", "-c", script]).stdout.split()


@pytest.fixture
def operator(lab: Lab) -> Iterator[str]:
    """The kubeconfig of one who has the rights of docs/permissions.md, but for that to say why no pod starts.

    What is missing is told beforehand: tests/apiserver/test_rights_beforehand.py.
    """
    with permissions.holder(stage_of(lab), "certs renew", ["list events in namespace kube-system"]) as path:
        yield str(path)


def changed(lab: Lab, operator: str, *arguments: str) -> tuple[str, str]:
    """The serial numbers of the API server's certificate before and after a run."""
    words = ("certs", *arguments, "--node", NODE, "--yes", "-o", "json")
    done = admin(lab, *words, timeout=300, KUBECONFIG=operator)
    assert done.code == 0, done.err
    (node,) = json.loads(done.out)["items"]
    (certificate,) = node["certificates"]
    assert node["node"] == NODE
    # Who began in the second in which its file was written, as in a young lab, may have read an older one.
    assert set(node["restarted"]) <= {"kube-controller-manager", "kube-scheduler"}
    assert (certificate["name"], certificate["served"]) == ("apiserver", True)
    return certificate["before"]["serial"], certificate["after"]["serial"]


def test_one_certificate_is_renewed_seen_served_and_brought_back(clean, operator):
    first, elsewhere, processes = served(clean, NODE), served(clean, "cp-1"), started(clean, NODE)
    assert changed(clean, operator, "renew", "apiserver")[0] == first
    renewed = served(clean, NODE)
    assert renewed != first
    (backup,) = clean.exec(NODE, ["ls", "-A", BACKUPS]).stdout.split()
    assert changed(clean, operator, "rollback") == (renewed, first)
    assert served(clean, NODE) == first
    assert served(clean, "cp-1") == elsewhere
    assert started(clean, NODE) == processes
    kept = clean.exec(NODE, ["ls", "-A", BACKUPS]).stdout.split()
    assert (kept[0], len(kept)) == (backup, 2)
    assert "nothing is left" in admin(clean, "cleanup", NODE, "--dry-run").out


def up(lab: Lab) -> dict[str, bool]:
    """Which nodes' members of etcd answer."""
    members = json.loads(admin(lab, "etcd-status", "-o", "json").out)["items"]
    return {member["node"]: member["up"] for member in members}


def test_a_member_of_etcd_whose_certificate_has_ended_comes_back_first(clean):
    """It answers nobody, so another one could not be spared; a renewal was refused for that."""
    ended.put(clean, NODE, "/etc/kubernetes/pki/etcd/server.crt", "etcd/ca")
    assert up(clean) == {"cp-1": True, NODE: False, "cp-3": True}
    renewed = admin(clean, "certs", "renew", "etcd-server", "--yes", "-o", "json", timeout=300)
    assert renewed.code == 0, renewed.err
    items = json.loads(renewed.out)["items"]
    assert [item["node"] for item in items] == [NODE, "cp-1", "cp-3"]
    assert all(one["served"] for item in items for one in item["certificates"])
    assert set(up(clean).values()) == {True}
