"""What a host has answered and objects say, read."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.drain.cordon import ANNOTATION, UPGRADE, Cordon
from kubectl_admin.errors import AdminError
from kubectl_admin.upgrade import gather
from kubectl_admin.upgrade.facts import CoreDNS, Mark, Proxy, Room
from kubectl_admin.upgrade.packages import Manager, Packages
from kubectl_admin.versions.processes import KubeletAnswer
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import facts
from tests.unit.versions.samples import cluster

NONE = Packages(Manager.APT, {}, frozenset(), {})
ANSWER = """kubeadm v1.37.2
kubelet v1.36.3
systemd yes
kubelet-argument /usr/bin/kubelet
kubelet-argument --config=/var/lib/kubelet/config.yaml
kubelet-argument --feature-gates=A=true,B=false
kubelet-argument --v
kubelet-argument 2
cgroup 2
etcd-kilobytes 2048
room 1024 2049 /etc/kubernetes
room 512 1a /var/lib/a directory
apiserver yes
"""


def test_a_hosts_answer():
    disk = gather.on_disk(ANSWER, NONE)
    assert (disk.kubeadm, disk.kubelet) == (Version(1, 37, 2), Version(1, 36, 3))
    assert disk.running == (
        "--config=/var/lib/kubelet/config.yaml",
        "--feature-gates=A=true,B=false",
        "--v",
        "2",
    )
    assert (disk.systemd, disk.cgroup, disk.etcd, disk.apiserver) == (True, 2, 2 << 20, True)
    assert dict(disk.room) == {
        "/etc/kubernetes": Room(1 << 20, "2049"),
        "/var/lib/a directory": Room(512 << 10, "1a"),
    }


def etcd_pod(*command, env=()):
    container = {
        "name": "etcd",
        "command": ["etcd", *command],
        "env": [{"name": name, "value": value} for name, value in env],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {
        "metadata": {"name": "etcd-cp-1", "labels": {"component": "etcd"}},
        "spec": {
            "nodeName": "cp-1",
            "containers": [container],
            "volumes": [{"name": "data", "hostPath": {"path": "/var/lib/etcd"}}],
        },
    }


VARIABLE = ("ETCD_DATA_DIR", "/mnt/etcd")


@pytest.mark.parametrize(
    ("pod", "directory"),
    [
        (etcd_pod("--data-dir=/mnt/etcd"), "/mnt/etcd"),
        (etcd_pod(env=[VARIABLE]), "/mnt/etcd"),
        (etcd_pod("--data-dir=/srv/etcd", env=[VARIABLE]), "/srv/etcd"),
        (etcd_pod(env=[("ETCD_DATA_DIR", "/data/here")]), "/var/lib/etcd/here"),
        (etcd_pod("--config-file=/etc/etcd.yaml"), ""),
        (etcd_pod(env=[("ETCD_CONFIG_FILE", "/etc/etcd.yaml"), VARIABLE]), ""),
    ],
)
def test_where_etcds_data_is_on_the_host(pod, directory):
    assert gather.etcd_data([pod]) == directory


def test_a_node_without_etcd_has_no_data_of_it():
    assert gather.etcd_data([]) == ""


def test_sizes_have_more_digits_than_other_numbers_and_none_has_thousands():
    long = "9" * 5000
    answer = f"room 99999999999 2049 /large\nroom {long} 1a /odd\nrecord kubeadm v1.37.2 apply {long}\n"
    disk = gather.on_disk(answer, NONE)
    assert dict(disk.room) == {"/large": Room(99_999_999_999 << 10, "2049"), "/odd": Room(0, "1a")}
    assert disk.records["kubeadm"].exit_code is None


@pytest.mark.parametrize(
    "answer", ["", "\n", "kubeadm\nkubelet \x1b[31m\nroom x y\ncgroup 9\netcd-kilobytes -1"]
)
def test_an_answer_without_sense_makes_no_facts(answer):
    disk = gather.on_disk(answer, NONE)
    assert disk.cgroup is None
    assert (disk.kubeadm, disk.kubelet, disk.etcd, disk.systemd) == (None, None, 0, False)
    assert not disk.apiserver
    assert not disk.room


class Cluster:
    """kube-system's ConfigMaps and DaemonSets."""

    def __init__(self, *daemonsets, deployments=()):
        self.daemonsets, self.deployments = daemonsets, deployments

    def get(self, path, **_):
        if path.endswith("/configmaps/kubelet-config"):
            return {"data": {"kubelet": "kind: KubeletConfiguration"}}
        if path.endswith("/configmaps/empty"):
            return {}
        if path.endswith("/configmaps/coredns") and self.daemonsets:
            return {"data": {"Corefile": ".:53 {}"}}
        raise NotFound(404, "NotFound", "")

    def list(self, path, query):
        if path.endswith("/deployments"):  # whatever its labels are, kubeadm writes to the one of this name
            assert query == [("fieldSelector", "metadata.name=coredns")]
            return iter(self.deployments)
        return iter(self.daemonsets)


def test_a_config_map():
    cluster = Cluster()
    assert gather.config_map(cluster, "kubelet-config", "kubelet") == "kind: KubeletConfiguration"
    assert gather.config_map(cluster, "kubelet-config", "other") is None
    assert gather.config_map(cluster, "empty", "kubelet") is None
    assert gather.config_map(cluster, "kube-proxy", "config.conf") is None


def daemonset(name, *command):
    return {
        "metadata": {"name": name},
        "spec": {"template": {"spec": {"containers": [{"command": command}]}}},
    }


def test_the_command_of_kubeadms_kube_proxy():
    own = daemonset("kube-proxy", "/usr/local/bin/kube-proxy", "--v=2")
    other = daemonset("kube-proxy-windows", "kube-proxy.exe")
    assert gather.proxy_words(Cluster(other, own)) == ("--v=2",)
    assert gather.proxy_words(Cluster(other)) is None
    assert gather.proxy_words(Cluster(daemonset("kube-proxy"))) == ()


def test_coredns_as_kubeadm_keeps_it():
    assert gather.coredns(Cluster(deployments=[{}])) == CoreDNS(present=True)
    assert gather.coredns(Cluster()) == CoreDNS(present=False)
    assert gather.coredns(Cluster({})) == CoreDNS(present=False, configured=True)


class Silent(Cluster):
    def list(self, _path, _query):
        raise AdminError("no answer")


@pytest.mark.parametrize(
    ("present", "cluster", "word"),
    [
        (False, Cluster(daemonset("kube-proxy")), "kubeadm has installed kube-proxy"),
        (False, Cluster(), ""),
        (False, Silent(), ": no answer"),
        (True, Cluster(daemonset("kube-proxy")), ""),
        (None, Cluster(daemonset("kube-proxy")), ""),
    ],
)
def test_a_kube_proxy_that_has_come_back_is_told_of(present, cluster, word):
    said = gather.returned_addons(cluster, facts("cp-1", proxy=Proxy(present=present)))
    assert [word in each for each in said] == [True] * bool(word)


@pytest.mark.parametrize(
    ("present", "cluster", "word"),
    [
        (False, Cluster(deployments=[{}]), "kubeadm has installed coredns"),
        (False, Cluster(), ""),
        (False, Silent(), ": no answer"),
        (True, Cluster(deployments=[{}]), ""),
        (None, Cluster(deployments=[{}]), ""),
    ],
)
def test_a_coredns_that_has_come_back_is_told_of(present, cluster, word):
    said = gather.returned_addons(cluster, facts("cp-1", coredns=CoreDNS(present=present)))
    assert [word in each for each in said] == [True] * bool(word)


def test_until_when_this_nodes_runtime_is_supported():
    known = cluster({"cp1": "1.36.3"}, {"w1": "1.36.3"})
    answer = KubeletAnswer(None, None, 2, "1.37.0")
    ends = {node.name: node.runtime_support_ends for node in gather.with_kubelet(known, "w1", answer).nodes}
    assert ends == {"cp1": "", "w1": "1.37.0"}
    assert gather.with_kubelet(known, "w1", None) is known


def test_a_mark_is_read_as_it_was_written():
    mark = Mark("1.37.2", "2026-11-25T12:00:00+00:00", uncordon=True)
    node = {"metadata": {"annotations": {UPGRADE: gather.mark_text(mark)}}}
    assert gather.mark_of(node) == mark


def test_whose_cordon_it_is():
    cordon = Cordon.begin(datetime.now(UTC))
    for own in (True, False):
        node = {"metadata": {"annotations": {ANNOTATION: replace(cordon, cordoned=own).text()}}}
        assert gather.is_drained(node) is own
    assert gather.is_drained({"metadata": {"annotations": {ANNOTATION: "{}"}}}) is False
    assert gather.is_drained({"metadata": {}}) is False


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[]", "3", '{"target": "1"}', "\x1b", "[" * 20_000, "9" * 5000]
)
def test_what_is_no_mark(text):
    assert gather.mark_of({"metadata": {"annotations": {UPGRADE: text}}}) is None


def test_the_oldest_control_plane_comes_first():
    def node(name: str, created: str) -> dict[str, dict[str, str]]:
        return {"metadata": {"name": name, "creationTimestamp": created}}

    nodes = [
        node("c", "2026-01-02T00:00:00Z"),
        node("b", "2026-01-01T00:00:00Z"),
        node("a", "2026-01-02T00:00:00Z"),
    ]
    assert gather.order(nodes) == ("b", "a", "c")
