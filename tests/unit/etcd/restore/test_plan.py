"""The plan of a restore, as its text and from what a cluster shows."""

from dataclasses import replace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.plan import BUMP, Times, bump_of, node_plans
from tests.unit.etcd.restore.control_planes import control_plane, found, on_disk, pod

ID = "0123456789"
PLAN = """\
id 0123456789
node cp-2
nodes cp-1 cp-2 cp-3
data /var/lib/etcd
endpoint https://127.0.0.1:2379
cacert /etc/kubernetes/pki/etcd/ca.crt
cert /etc/kubernetes/pki/etcd/server.crt
key /etc/kubernetes/pki/etcd/server.key
peers cp-1=https://192.0.2.1:2379 cp-3=https://192.0.2.3:2379
members cp-1=https://192.0.2.1:2380 cp-2=https://192.0.2.2:2380 cp-3=https://192.0.2.3:2380
manifests /etc/kubernetes/manifests
parked /etc/kubernetes/kubectl-admin-restore
decide 180
grace 20
armed 600
all no
pod kube-apiserver kube-apiserver.yaml
pod etcd etcd.yaml
pod kube-controller-manager kube-controller-manager.yaml
pod kube-scheduler kube-scheduler.yaml
health kube-apiserver https://192.0.2.2:6443/readyz
health etcd http://127.0.0.1:2381/readyz
health kube-controller-manager https://127.0.0.1:10257/healthz
health kube-scheduler https://127.0.0.1:10259/readyz
"""


def plans(pods, **options):
    return node_plans(ID, found(pods), on_disk(pods), **options)


def test_the_plan_of_a_node_of_three():
    made = plans(control_plane(1, 2, 3))
    assert list(made) == ["cp-1", "cp-2", "cp-3"]
    assert made["cp-2"].text() == PLAN
    assert (made["cp-2"].name, made["cp-2"].token) == ("cp-2", "kubectl-admin-0123456789")
    assert made["cp-2"].aside == "/var/lib/etcd/.kubectl-admin-0123456789-new"


def test_one_control_plane_has_no_peers():
    assert "\npeers\n" in plans(control_plane(1))["cp-1"].text()


def test_times_and_all_or_nothing_are_told():
    text = plans(control_plane(1), times=Times(300, 5, 60), all_or_nothing=True)["cp-1"].text()
    assert "decide 300\ngrace 5\narmed 60\nall yes\n" in text


@pytest.mark.parametrize("value", ["/var/lib/et cd", "/x\nid 0", "", "/é", "/$x", "/'x"])
def test_a_value_that_would_be_read_as_another_is_refused(value):
    plan = replace(plans(control_plane(1))["cp-1"], data=value)
    with pytest.raises(AdminError, match=r"node cp-1: data .* can't be handed to the node"):
        plan.text()


@pytest.mark.parametrize(
    ("live", "snapshot", "bump"),
    [(5000, 2000, BUMP + 3000), (2000, 2000, BUMP), (2000, 5000, BUMP), (None, 5000, BUMP)],
)
def test_restored_revisions_are_beyond_all_that_a_watcher_has_seen(live, snapshot, bump):
    assert bump_of(live, snapshot) == bump


def etcd_with(number: int, *words: str):
    """The pod of a member with further flags."""
    made = pod("etcd", number)
    made["spec"]["containers"][0]["command"] += words
    return made


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data-dir=/srv/etcd"], "data directory /srv/etcd is nowhere on the host"),
        (["--wal-dir=/wal"], "--wal-dir"),
        (["--config-file=/etc/etcd.yaml"], "configuration file"),
        (["--initial-advertise-peer-urls=https://a:2380,https://b:2380"], "one peer URL with TLS"),
        (["--initial-advertise-peer-urls=http://192.0.2.1:2380"], "one peer URL with TLS"),
        (["--listen-client-urls=http://127.0.0.1:2379"], "no TLS"),
    ],
)
def test_an_etcd_that_the_worker_could_not_bring_back_is_refused(words, said):
    with pytest.raises(AdminError, match=said):
        plans(control_plane(1) | {(1, "etcd"): etcd_with(1, *words)})


def test_a_data_directory_with_another_path_on_the_host_is_refused():
    pods = control_plane(1)
    pods[1, "etcd"]["spec"]["volumes"][0]["hostPath"]["path"] = "/mnt/etcd"
    with pytest.raises(AdminError, match="data directory /var/lib/etcd is /mnt/etcd on the host"):
        plans(pods)


def test_two_members_of_one_name_are_refused():
    with pytest.raises(AdminError, match="same name"):
        plans(control_plane(1, 2) | {(2, "etcd"): etcd_with(2, "--name=cp-1")})


def test_a_peer_without_tls_is_refused():
    with pytest.raises(AdminError, match="node cp-2: member cp-2 advertises no client URL with TLS"):
        plans(control_plane(1, 2) | {(2, "etcd"): etcd_with(2, "--advertise-client-urls=http://x:2379")})


@pytest.mark.parametrize("part", ["etcd", "kube-scheduler"])
def test_a_part_that_is_not_there_is_refused(part):
    pods = control_plane(1, 2)
    there = on_disk(pods)
    del pods[2, part]
    with pytest.raises(AdminError, match=f"node cp-2 shows no static pod of {part}"):
        node_plans(ID, found(pods), there)


@pytest.mark.parametrize("changed", ["x/etcd:2", "--quota-backend-bytes=1"])
def test_a_manifest_that_is_not_what_is_running_is_refused(changed):
    pods = control_plane(1)
    there = on_disk(pods)
    container = pods[1, "etcd"]["spec"]["containers"][0]
    container["image"] = changed
    container["command"] = [*container["command"], changed]
    with pytest.raises(AdminError, match=r"node cp-1: .*/etcd\.yaml is not what etcd was started with"):
        node_plans(ID, found(pods), there)
