"""An archive is verified without a cluster: whole without a key, and good for a restore with one."""

from dataclasses import replace
from datetime import timedelta

import pyrage
import pytest

from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.archive.source import opened
from kubectl_admin.backup.archive.verify import verify
from kubectl_admin.backup.facts import Database, Kind, Lost, SavedNode
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.stored.encryption import Trial
from tests.unit.backup import samples
from tests.unit.backup.archive import control_plane as made
from tests.unit.backup.archive.archives import heads, written

OURS = pyrage.x25519.Identity.generate()
NODES = (SavedNode("cp-1", True),)


@pytest.fixture
def verified(tmp_path):
    """Makes an archive, and verifies it."""

    def act(files=None, history=None, identities=(OURS,), links=(), now=made.NOW, **changes):
        history = history or made.history()
        content = {
            Kind.FILES: made.tar(files if files is not None else made.files(), links),
            Kind.ETCD: history.data(),
        }
        pieces = heads((str(OURS.to_public()),), changes.pop("kinds", (Kind.FILES, Kind.ETCD)))
        database = Database("cp-1", history.revision, 1, "3.6.0") if len(pieces) > 1 else None
        changes = {
            "uid": made.UID,
            "nodes": NODES,
            "database": database,
            "lost": (),
            "volumes": (),
            **changes,
        }
        written(tmp_path / "a.tar", tuple(replace(one, node="cp-1") for one in pieces), content, **changes)
        with opened(tmp_path / "a.tar") as source:
            return verify(Reading(source, "a.tar"), identities, now)

    return act


def found(verified):
    return [(str(one.severity), one.rule, one.subject) for one in verified.judged.findings]


def test_a_good_archive_has_nothing_to_say(verified):
    done = verified()
    assert found(done) == []
    ((tried,),) = [done.judged.tried]
    assert (tried.title, tried.trial) == ("secrets encrypted by aesgcm:v1:key1", Trial.OPENED)


def test_without_a_key_it_is_looked_at_as_it_is_stored(verified):
    done = verified(identities=None)
    assert done.judged is None
    assert done.archive.is_verified


def test_another_key(verified):
    with pytest.raises(AdminError, match="none of these keys opens"):
        verified(identities=(pyrage.x25519.Identity.generate(),))


@pytest.mark.parametrize(
    ("changes", "rule", "says"),
    [
        ({"sa.pub": made.public("other")}, "backup-signing-keys-differ", "are refused on cp-1"),
        ({"/ca.key": made.private("other")}, "backup-foreign-key", "is not that of its certificate"),
        (
            {"apiserver.crt": made.certificate("apiserver", "other")},
            "backup-foreign-certificate",
            "authority ca of the same node has not signed it",
        ),
        (
            {"apiserver.key": made.private("other")},
            "backup-foreign-certificate",
            "the key beside it is another's",
        ),
        ({"apiserver.crt": b"none"}, "backup-foreign-certificate", "no certificate that can be read"),
        (
            {"scheduler.conf": made.kubeconfig("scheduler", "other")},
            "backup-foreign-certificate",
            "has not signed its certificate",
        ),
        ({"/ca.crt": made.certificate("ca", days=-1)}, "backup-authority-expired", "expired"),
        ({"enc.yaml": made.encryption(secret=bytes(32))}, "backup-undecryptable", "do not open them"),
        ({"enc.yaml": made.encryption(name="other")}, "backup-undecryptable", "has no key of that name"),
        ({"enc.yaml": None}, "backup-file", "--encryption-provider-config of kube-apiserver names it"),
        ({"apiserver.crt": None}, "backup-file", "--tls-cert-file of kube-apiserver names it"),
    ],
)
def test_files_that_bring_no_control_plane_back(verified, changes, rule, says):
    done = verified(made.files(**changes))
    worst = [one for one in done.judged.findings if one.severity == "violation"]
    assert rule in {one.rule for one in worst}
    assert any(says in one.evidence for one in worst)


def test_a_leaf_that_has_expired_is_no_fault(verified):
    files = made.files(**{"apiserver.crt": made.certificate("apiserver", "ca", days=-1)})
    assert found(verified(files)) == []


def test_an_authority_that_expires_soon_is_a_warning(verified):
    done = verified(now=made.NOW + timedelta(days=2990))
    assert {one[:2] for one in found(done)} == {("warning", "backup-authority-expired")}


def test_the_authority_in_the_snapshot_is_that_of_the_files(verified):
    done = verified(history=made.history(ca="other"))
    assert [one.evidence for one in done.judged.findings] == [
        "it names another authority than the files of cp-1"
    ] * 2


def test_a_snapshot_of_another_cluster(verified):
    done = verified(uid="0b1f6c1e-4a7d-4b5e-9a53-0f4c2d9d0f11")
    assert found(done) == [("violation", "backup-other-cluster", "the snapshot")]


def test_another_snapshot(verified):
    done = verified(database=Database("cp-1", 4711, 1))
    assert found(done) == [("violation", "backup-other-snapshot", "the snapshot")]


def test_what_a_plugin_of_kms_encrypts_is_said(verified):
    history = made.history().put(made.SECRET, b"k8s:enc:kms:v2:vault:x")
    provider = b'{"kms": {"apiVersion": "v2", "name": "vault", "endpoint": "unix:///run/kms.sock"}}'
    files = made.files()
    path = f"{made.K8S}/enc.yaml"
    files[path] = files[path].replace(b'{"identity": {}}', provider)
    done = verified(files, history)
    ((tried,),) = [done.judged.tried]
    assert tried.trial is Trial.UNKNOWN
    assert {one[:2] for one in found(done)} == {
        ("warning", "backup-undecryptable"),
        ("warning", "backup-not-restorable"),
    }


def test_a_file_that_is_reached_through_a_link(verified):
    files = made.files()
    files["/srv/enc.yaml"] = files.pop(f"{made.K8S}/enc.yaml")
    assert found(verified(files, links=[(f"{made.K8S}/enc.yaml", "/srv/enc.yaml")])) == []


def test_what_can_not_be_brought_back_is_always_said(verified):
    lost = (Lost("/run/kms.sock", "it is a socket", "cp-1"), Lost("all of it", "it is gone"))
    done = verified(lost=lost, volumes=samples.manifest().volumes)
    assert sorted(one[2] for one in found(done)) == [
        "/run/kms.sock",
        "all of it",
        "the data of 1 volume of csi.example",
    ]


def test_a_part_of_a_backup_says_what_it_is_not(verified):
    done = verified(kinds=(Kind.FILES,))
    assert found(done) == [("warning", "backup-no-snapshot", "the archive")]


def test_a_node_whose_files_are_not_there(verified):
    done = verified(nodes=(*NODES, SavedNode("cp-2", True, why="it was down")))
    assert found(done) == [("violation", "backup-node", "node cp-2")]


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"{", b"[" * 5000, b"kind: Pod\n", b'{"kind": "Pod", "spec": 7}']
)
def test_a_manifest_of_anybody_ends_nothing(verified, content):
    verified(made.files(**{"kube-scheduler.yaml": content}))


def test_a_snapshot_that_is_none(verified):
    class Odd:
        revision = 7

        def data(self):
            return b"no snapshot" * 1000

    done = verified(history=Odd())
    assert "violation" in {one[0] for one in found(done)}


def test_nothing_of_a_key_is_shown(verified):
    done = verified(made.files(**{"enc.yaml": made.encryption(secret=bytes(32))}))
    assert "AAAAAA" not in repr(done)
    assert "PRIVATE KEY" not in repr(done)
