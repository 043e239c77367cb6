"""What is read of a snapshot file before it is opened."""

from datetime import UTC, datetime

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.past import encrypted
from kubectl_admin.etcd.past.gather import SERVICES, of_file, ranges
from tests.unit.etcd.diff.history import CLUSTER, History
from tests.unit.etcd.restore.test_snapshot import KUBEADM, config_map, lease
from tests.unit.etcd.stored.encoded import kept

RANGES = b"/registry/servicecidrs/kubernetes"


def service_cidr(*cidrs):
    meta = {"name": "kubernetes"}
    return kept(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "ServiceCIDR",
            "metadata": meta,
            "spec": {"cidrs": list(cidrs)},
        }
    )


def configured(subnet):
    text = f"kind: ClusterConfiguration\nkubernetesVersion: v1.36.3\nnetworking:\n  serviceSubnet: {subnet}\n"
    return config_map("k", ClusterConfiguration=text)


@pytest.fixture
def facts(tmp_path):
    return lambda history, **options: of_file(history.save(tmp_path / "a.db"), **options)


def test_all_that_an_opening_takes(facts, tmp_path):
    history = History().put(KUBEADM, configured("10.9.0.0/16"))
    history.put(b"/registry/leases/kube-system/kube-scheduler", lease("2026-11-30T12:00:05.000000Z"))
    history.put(b"/registry/leases/kube-system/kube-controller-manager", lease("2026-11-30T12:00:04.000000Z"))
    past = facts(history)
    assert past.path == tmp_path / "a.db"
    assert (past.etcd, past.kubernetes, past.cluster) == ("3.6.0", "v1.36.3", str(CLUSTER))
    assert past.moment == datetime(2026, 11, 30, 12, 0, 5, tzinfo=UTC)
    assert past.services == ("10.9.0.0/16",)
    assert past.size == (tmp_path / "a.db").stat().st_size
    assert past.prefix == "/registry"


def test_the_ranges_are_those_of_the_api_server(facts):
    history = History().put(KUBEADM, configured("10.9.0.0/16"))
    assert facts(history.put(RANGES, service_cidr("10.8.0.0/16", "fd00::/112"))).services == (
        "10.8.0.0/16",
        "fd00::/112",
    )


def test_without_any_note_the_usual_ones_are_taken(facts):
    past = facts(History())
    assert (past.services, past.kubernetes, past.moment) == (SERVICES, "", None)


def test_a_file_that_is_damaged_is_refused(tmp_path):
    path = History().save(tmp_path / "a.db")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(AdminError) as raised:
        of_file(path)
    assert raised.value.what.startswith(f"{path} can't be opened, since it is damaged or no snapshot: ")
    assert raised.value.hint == f"see all that is wrong with it: kubectl admin etcd-verify {path}"


def test_a_file_that_is_no_snapshot_is_refused(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"no" * 5000)
    with pytest.raises(AdminError, match="can't be opened"):
        of_file(path)
    with pytest.raises(UsageError):
        of_file(tmp_path / "none.db")


def elsewhere(*keys):
    history = History(None)
    for key in keys:
        history.put(key.encode(), b"x")
    return history


@pytest.mark.parametrize(
    ("keys", "there"),
    [
        (["/other/namespaces/default", "/other/pods/a/b", "/third/x"], "keys are below /other"),
        (["/a/b/namespaces/kube-system", "/a/b/pods/a/b"], "keys are below /a/b"),
        (["/third/x", "/fourth/x/y", "/registry/pods/a/b", "compact_rev_key"], None),
        (["compact_rev_key"], "it has no keys"),
        ([], "it has no keys"),
    ],
)
def test_a_prefix_below_which_there_is_no_cluster_is_refused(facts, keys, there):
    with pytest.raises(AdminError) as raised:
        facts(elsewhere(*keys))
    assert raised.value.what.endswith("can't be opened, since no namespace is stored below /registry")
    there = there or "keys are below /fourth, /registry, /third"
    assert raised.value.hint == f"name the --etcd-prefix of the cluster's API servers: {there}"


def test_a_prefix_that_is_the_begin_of_the_right_one_is_refused(facts):
    with pytest.raises(AdminError, match=r"no namespace is stored below /$") as raised:
        facts(History(), prefix="/")
    assert "keys are below /registry" in raised.value.hint


def test_another_prefix_below_which_there_is_a_cluster_is_taken(facts):
    assert facts(elsewhere("/a/b/namespaces/shop"), prefix="/a/b").prefix == "/a/b"


def sealed(key, provider="aescbc:v1:one"):
    return key.encode(), f"k8s:enc:{provider}:\x01\x02".encode()


def test_one_object_stands_for_each_key_and_resource(facts):
    history = History()
    for key in (
        sealed("/registry/secrets/a/first"),
        sealed("/registry/secrets/a/second"),
        sealed("/registry/secrets/b/third", "kms:v2:two"),
        sealed("/registry/configmaps/a/fourth"),
        sealed("/registry/example.com/widgets/a/fifth"),
        (b"/registry/secrets/a/open", b"k8s\x00"),
    ):
        history.put(*key)
    assert [
        (one.by, one.group, one.resource, one.namespace, one.name) for one in facts(history).encrypted
    ] == [
        ("aescbc:v1:one", "", "secrets", "a", "first"),
        ("kms:v2:two", "", "secrets", "b", "third"),
        ("aescbc:v1:one", "", "configmaps", "a", "fourth"),
        ("aescbc:v1:one", "", "", "", ""),
    ]


def test_keys_that_were_made_up_have_an_end(facts, monkeypatch):
    monkeypatch.setattr(encrypted, "MOST", 3)
    history = History()
    for number in range(5):
        history.put(*sealed("/registry/secrets/a/" + str(number), f"aescbc:v1:k{number}"))
    assert len(facts(history).encrypted) == 3


def test_a_word_is_found_wherever_it_is_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(encrypted, "BLOCK", 10)
    path = tmp_path / "a"
    for before in range(25):
        path.write_bytes(b"x" * before + b"k8s:enc:" + b"y")
        assert encrypted.mentions(path, b"k8s:enc:")
    path.write_bytes(b"k8s:enc" * 9)
    assert not encrypted.mentions(path, b"k8s:enc:")


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        (["10.96.0.0/12"], ("10.96.0.0/12",)),
        (["10.96.0.0/16", "fd00:10::/108"], ("10.96.0.0/16", "fd00:10::/108")),
        (["10.96.0.0/11"], ()),
        (["10.96.0.0/29"], ("10.96.0.0/29",)),
        (["10.96.0.0/30"], ()),
        (["fd00::/63"], ()),
        (["10.96.0.0/16", "10.97.0.0/16"], ()),
        (["10.96.0.1/16"], ()),
        (["--evil"], ()),
        ([None], ()),
        ([], ()),
    ],
)
def test_only_ranges_that_an_api_server_takes_are_taken(named, taken):
    assert ranges(named) == taken
