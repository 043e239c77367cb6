"""Which files of a manifest directory are kubeadm's four."""

import pytest
import yaml

from kubectl_admin.control_plane.pod import PARTS
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.manifests import manifests_of
from tests.unit.etcd.restore.control_planes import DIRECTORY, control_plane, manifest, texts

PODS = control_plane(1)
VIP = {
    "metadata": {"name": "kube-vip", "namespace": "kube-system"},
    "spec": {"containers": [{"name": "kube-vip", "image": "vip:1", "args": ["manager"]}]},
}


def found(**more: str):
    """kubeadm's four and further files."""
    return manifests_of(
        DIRECTORY, texts(PODS, 1) | {f"{DIRECTORY}/{name}": text for name, text in more.items()}
    )


def test_the_four_are_found_whatever_their_files_are_called():
    renamed = {path.replace("kube-", "10-"): text for path, text in texts(PODS, 1).items()}
    there = manifests_of(f"{DIRECTORY}/", renamed)
    assert {part: there.only(part).name for part in PARTS} == {
        "etcd": "etcd.yaml",
        "kube-apiserver": "10-apiserver.yaml",
        "kube-controller-manager": "10-controller-manager.yaml",
        "kube-scheduler": "10-scheduler.yaml",
    }


def test_other_static_pods_are_named_and_left_alone():
    there = found(**{"vip.yaml": yaml.safe_dump(VIP)})
    assert there.others == ("vip.yaml",)
    assert there.only("etcd").name == "etcd.yaml"


def test_files_that_a_kubelet_does_not_read_count_for_nothing():
    there = found(**{".etcd.yaml.bak": manifest(PODS[1, "etcd"]), "old/etcd.yaml": manifest(PODS[1, "etcd"])})
    assert there.only("etcd").name == "etcd.yaml"


@pytest.mark.parametrize("name", ["etcd.yaml.orig", "copy"])
def test_two_files_of_one_part_are_refused_by_their_names(name):
    with pytest.raises(AdminError, match=rf"one manifest of etcd, and it has 2 \(.*{name}"):
        found(**{name: manifest(PODS[1, "etcd"])}).only("etcd")


def test_a_second_etcd_is_found_by_its_program_alone():
    second = {
        "metadata": {"name": "db", "namespace": "db"},
        "spec": {"containers": [{"name": "db", "command": ["/usr/local/bin/etcd", "--data-dir=/x"]}]},
    }
    with pytest.raises(AdminError, match="it has 2"):
        found(**{"db.yaml": yaml.safe_dump(second)}).only("etcd")


def test_json_is_read_as_a_kubelet_reads_it():
    second = '{"metadata": {"labels": {"component": "etcd"}, "namespace": "kube-system"}}'
    with pytest.raises(AdminError, match="it has 2"):
        found(**{"x.json": second}).only("etcd")


@pytest.mark.parametrize(
    "text",
    ["{", "a: b\n---\nc: d\n", manifest(PODS[1, "etcd"]) + "---\n" + manifest(PODS[1, "kube-scheduler"]), ""],
    ids=["no YAML", "two documents", "two pods", "nothing"],
)
def test_a_file_of_which_nobody_knows_what_it_starts_stops_all(text):
    with pytest.raises(AdminError, match=r"odd\.yaml can't be read"):
        found(**{"odd.yaml": text}).only("etcd")


def test_a_file_that_could_not_be_read_stops_all():
    there = manifests_of(DIRECTORY, texts(PODS, 1), (f"{DIRECTORY}/secret.yaml", "/elsewhere/x"))
    with pytest.raises(AdminError, match=r"secret\.yaml can't be read"):
        there.only("kube-apiserver")


def test_a_part_without_a_file_is_named():
    with pytest.raises(AdminError, match=r"one manifest of etcd, and it has 0 \(none\)"):
        manifests_of(DIRECTORY, {}).only("etcd")
