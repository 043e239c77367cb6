"""The facts of a snapshot file."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from kubectl_admin.etcd.restore.look.authorities import fingerprints
from kubectl_admin.etcd.restore.look.snapshot import of_file
from tests.unit.etcd.diff.history import CLUSTER, SYSTEM, History, stored
from tests.unit.etcd.stored.encoded import kept


def pem(body):
    text = b64encode(body).decode()
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"


def of(body):
    return sha256(body).hexdigest()


def config_map(name, **data):
    return kept({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def lease(moment):
    return kept(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "l"},
            "spec": {"renewTime": moment},
        }
    )


KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority-data: {}
    server: https://10.0.0.1:6443
  name: ""
"""


@pytest.fixture
def facts(tmp_path):
    return lambda history, **options: of_file(history.save(tmp_path / "a.db"), **options)


INFO = b"/registry/configmaps/kube-public/cluster-info"
ROOT_CA = b"/registry/configmaps/kube-system/kube-root-ca.crt"
KUBEADM = b"/registry/configmaps/kube-system/kubeadm-config"


def named():
    """A cluster with all that kubeadm writes of it."""
    encoded = b64encode(pem(b"one").encode()).decode()
    history = History().put(INFO, config_map("c", kubeconfig=KUBECONFIG.format(encoded)))
    history.put(ROOT_CA, config_map("k", **{"ca.crt": pem(b"two")}))
    configuration = "kind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
    return history.put(KUBEADM, config_map("k", ClusterConfiguration=configuration))


def test_what_kubeadm_wrote(facts):
    found = facts(named())
    assert found.verdict.sound
    assert found.cluster.text == str(CLUSTER)
    assert found.kubernetes.text == "v1.36.3"
    assert (found.authorities.fingerprints, found.authorities.why) == ({of(b"one"), of(b"two")}, "")
    given = {"kube-public/cluster-info": {of(b"one")}, "kube-system/kube-root-ca.crt": {of(b"two")}}
    assert found.authorities.given == given
    assert (found.objects, found.newest, found.etcd) == (4, None, "3.6.0")


def test_an_authority_that_one_of_its_config_maps_does_not_name(facts):
    found = facts(named().put(INFO, config_map("c", kubeconfig=KUBECONFIG.format(""))))
    assert set(found.authorities.given) == {"kube-system/kube-root-ca.crt"}
    assert found.authorities.why == "ConfigMap kube-public/cluster-info names no authority"


def test_what_is_not_there(facts):
    found = facts(History(None).put(b"/registry/namespaces/x", stored(None)))
    assert found.cluster.why == ("it has no key /registry/namespaces/kube-system (see --etcd-prefix)")
    assert "kubeadm-config" in found.kubernetes.why
    assert "cluster-info" in found.authorities.why
    assert "kube-root-ca.crt" in found.authorities.why


def test_another_prefix(facts):
    history = History(None).put(b"/other/namespaces/kube-system", stored(CLUSTER))
    assert facts(history, prefix="/other").cluster.text == str(CLUSTER)


def test_what_makes_no_sense(facts):
    history = History(None).put(SYSTEM, stored(None))
    history.put(INFO, config_map("c", kubeconfig="{")).put(ROOT_CA, config_map("k"))
    history.put(KUBEADM, config_map("k", ClusterConfiguration="a: ["))
    found = facts(history)
    assert (found.cluster.text, found.kubernetes.text, found.authorities.fingerprints) == ("", "", set())
    assert all((found.cluster.why, found.kubernetes.why, found.authorities.why))


def test_the_newest_time_of_a_lease(facts):
    history = named()
    for name, moment in [(b"a", "2026-11-30T09:43:36.5Z"), (b"b", "2026-11-30T08:00:00Z")]:
        history.put(b"/registry/leases/kube-node-lease/" + name, lease(moment))
    history.put(b"/registry/leases/kube-node-lease/odd", b"odd")
    assert facts(history).newest == datetime(2026, 11, 30, 9, 43, 36, 500_000, tzinfo=UTC)


def test_values_by_how_they_are_encrypted(facts):
    history = named()
    for number in range(4):
        history.put(b"/registry/secrets/shop/%d" % number, b"k8s:enc:aescbc:v1:key1:%d" % number)
    history.put(b"/registry/secrets/shop/new", b"k8s:enc:aesgcm:v1:key2:x")
    history.put(b"/registry/secrets/shop/clear", kept({"apiVersion": "v1", "kind": "Secret"}))
    history.put(b"/registry/configmaps/shop/c", b"k8s:enc:secretbox:v1:key3:x")
    history.put(b"/other/secrets/shop/c", b"k8s:enc:secretbox:v1:key4:x")
    found = {(each.resource, each.encrypted): each for each in facts(history).sealed}
    assert {key for key in found if key[1]} == {
        ("secrets", "k8s:enc:aescbc:v1:key1:"),
        ("secrets", "k8s:enc:aesgcm:v1:key2:"),
        ("configmaps", "k8s:enc:secretbox:v1:key3:"),
    }
    oldest = found["secrets", "k8s:enc:aescbc:v1:key1:"]
    assert oldest.count == 4
    assert [value.key[-1:] for value in oldest.values] == [b"0", b"3"]  # the oldest and the newest
    assert {key[0] for key in found if not key[1]} == {"secrets", "configmaps", "namespaces"}
    assert "k8s" not in repr(found["secrets", ""].values)


def test_a_long_value_is_tried_only_where_there_is_no_other(facts):
    start = b"k8s:enc:aescbc:v1:key1:"
    history = named().put(b"/registry/secrets/a/short", start)
    history.put(b"/registry/secrets/a/long", start + b"x" * (65 << 10))
    (sealed,) = [each for each in facts(history).sealed if each.encrypted]
    assert [value.key for value in sealed.values] == [b"/registry/secrets/a/short"]


def test_what_is_encrypted_is_read_where_somebody_can(facts):
    history = History(None).put(SYSTEM, b"k8s:enc:aescbc:v1:key1:x")
    asked = []

    def unseal(*value):
        asked.append(value)
        return stored(CLUSTER)

    assert "encrypted" in facts(history).cluster.why
    assert facts(history, unseal=lambda *_: None).cluster.text == ""
    assert facts(history, unseal=unseal).cluster.text == str(CLUSTER)
    assert asked == [("", "namespaces", SYSTEM, b"k8s:enc:aescbc:v1:key1:x")]


def test_a_file_that_is_none(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"hello" * 1000)
    found = of_file(path)
    assert not found.verdict.sound
    assert (found.objects, found.snapshot, found.revision, found.etcd) == (None, None, None, "")


def test_a_cut_file(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(named().data()[:-5000])
    assert (of_file(path).verdict.sound, of_file(path).objects) == (False, None)


def test_fingerprints_are_of_the_bytes_whoever_wrote_them():
    assert fingerprints(pem(b"one") + "text" + pem(b"two").replace("\n", "\r\n")) == {of(b"one"), of(b"two")}
    assert fingerprints("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----") == set()
    assert fingerprints("") == set()
