"""What a host has answered and objects say, read."""

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node.packages import Manager, Packages
from kubectl_admin.upgrade import gather
from kubectl_admin.upgrade.facts import Mark
from kubectl_admin.versions.version import Version

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
free-kilobytes 1024 /etc/kubernetes
free-kilobytes 512 /var/cache
"""


def test_a_hosts_answer():
    disk = gather.on_disk(ANSWER, NONE, {"C": "true"})
    assert (disk.kubeadm, disk.kubelet) == (Version(1, 37, 2), Version(1, 36, 3))
    assert dict(disk.flags) == {
        "config": "/var/lib/kubelet/config.yaml",
        "feature-gates": "A=true,B=false",
        "v": "2",
    }
    assert (disk.systemd, disk.cgroup, disk.etcd) == (True, 2, 2 << 20)
    assert dict(disk.free) == {"/etc/kubernetes": 1 << 20, "/var/cache": 512 << 10}


@pytest.mark.parametrize(
    "answer", ["", "\n", "kubeadm\nkubelet \x1b[31m\nfree-kilobytes x y\ncgroup 9\netcd-kilobytes -1"]
)
def test_an_answer_without_sense_makes_no_facts(answer):
    disk = gather.on_disk(answer, NONE, {})
    assert (disk.kubeadm, disk.kubelet, disk.etcd, disk.systemd) == (None, None, 0, False)
    assert not any(disk.free.values())


@pytest.mark.parametrize(
    ("text", "gates"),
    [
        (b"featureGates: {A: true, B: false}", {"A": "true", "B": "false"}),
        (b"kind: KubeletConfiguration", {}),
        (b"featureGates: [A]", {}),
        (b"- a", {}),
        (b"{", {}),
        (b"", {}),
        (b"\xff\xfe\x00", {}),
    ],
)
def test_the_kubelets_gates(text, gates):
    assert gather.configured_gates(lambda: text) == gates


def test_a_kubelet_without_a_file_has_none():
    def fail() -> bytes:
        raise AdminError("there is no such file")

    assert gather.configured_gates(fail) == {}


def test_a_mark_is_read_as_it_was_written():
    mark = Mark("1.37.2", "2026-11-25T12:00:00+00:00", uncordon=True)
    node = {"metadata": {"annotations": {gather.ANNOTATION: gather.mark_text(mark)}}}
    assert gather.mark_of(node) == mark


@pytest.mark.parametrize("text", [None, "", "{}", "[]", "3", '{"target": "1"}', "\x1b"])
def test_what_is_no_mark(text):
    assert gather.mark_of({"metadata": {"annotations": {gather.ANNOTATION: text}}}) is None


def test_the_oldest_control_plane_comes_first():
    def node(name: str, created: str) -> dict[str, dict[str, str]]:
        return {"metadata": {"name": name, "creationTimestamp": created}}

    nodes = [
        node("c", "2026-01-02T00:00:00Z"),
        node("b", "2026-01-01T00:00:00Z"),
        node("a", "2026-01-02T00:00:00Z"),
    ]
    assert gather.order(nodes) == ("b", "a", "c")
