"""A snapshot judged on a host that has no API to be asked, and the settings that come of it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.restore.local import look
from kubectl_admin.etcd.restore.local.look import ByHand, Own, for_script
from kubectl_admin.etcd.restore.local.settings import OWN, STEP
from kubectl_admin.etcd.restore.look.facts import Forced
from kubectl_admin.etcd.restore.look.look import Options
from kubectl_admin.etcd.restore.on_nodes.plan import Times
from kubectl_admin.etcd.snapshot.contents import Member
from kubectl_admin.etcd.snapshot.facts import Verdict
from kubectl_admin.etcd.snapshot.rules import NO_HASH
from kubectl_admin.finding import Severity
from tests.unit.etcd.diff.history import CLUSTER, History, stored
from tests.unit.etcd.restore import samples
from tests.unit.etcd.restore.test_snapshot import named

NOW = 1_796_000_000.0
HOST = {"node": "cp-1", "data": "/var/lib/etcd", "etcd": "3.6.8", "kubernetes": "v1.36.3", "quorum": "no"}
ALL = Options(times=Times(decide=3600))
MEMBERS = tuple(
    Member(f"{each}", f"cp-{each}", (f"https://10.0.0.{each}:2380",), (f"https://10.0.0.{each}:2379",), False)
    for each in (1, 2, 3)
)


def own(revision: int = 900, members: tuple[Member, ...] = MEMBERS, uid: str = str(CLUSTER)) -> Own:
    facts = samples.file(samples.snapshot(revision=revision, members=members))
    return Own(replace(facts, cluster=replace(facts.cluster, text=uid)))


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path: Path = named().save(tmp_path / "a.db")
    return path


def rules(found: look.Looked) -> dict[str, Severity]:
    return {one.rule: one.severity for one in found.findings}


def test_members_and_bump_are_those_of_the_nodes_own_data(snapshot):
    found = look.look(HOST, own(3 * STEP + 500), snapshot, ALL, ByHand())
    assert found.settings is not None
    assert [peer.name for peer in found.settings.members] == ["cp-1", "cp-2", "cp-3"]
    assert found.settings.bump == 5 * STEP
    again = look.look(HOST | {"node": "cp-2"}, own(3 * STEP + 700), snapshot, ALL, ByHand())
    assert again.settings == found.settings  # another node decides the same
    assert "restore-local-unknown" in rules(found)
    assert rules(found)["restore-authority"] is Severity.WARNING  # /etc/kubernetes is not here


def test_a_live_revision_counts_where_etcd_tells_it(snapshot):
    found = look.look(HOST | {"live": str(9 * STEP)}, own(5), snapshot, ALL, ByHand())
    assert found.settings is not None
    assert found.settings.bump >= 10 * STEP


def test_another_cluster_is_a_violation(snapshot):
    found = look.look(HOST, own(uid="0000"), snapshot, ALL, ByHand())
    assert (rules(found)["restore-other-cluster"], found.is_possible) == (Severity.VIOLATION, False)
    forced = replace(ALL, forced=Forced(other_cluster=True))
    found = look.look(HOST, own(uid="0000"), snapshot, forced, ByHand())
    assert rules(found)["restore-other-cluster"] is Severity.WARNING


def test_another_minor_is_a_violation(snapshot):
    found = look.look(HOST | {"etcd": "3.5.20", "kubernetes": "v1.37.1"}, own(), snapshot, ALL, ByHand())
    assert rules(found)["restore-kubernetes-version"] is Severity.VIOLATION
    assert rules(found)["restore-etcd-version"] is Severity.VIOLATION


def test_own_data_that_can_not_be_read_are_said_and_a_number_is_asked_for(snapshot):
    unread = Own(why="it is written to")
    with pytest.raises(AdminError, match="it is written to") as error:
        look.look(HOST, unread, snapshot, ALL, ByHand())
    assert "--bump" in (error.value.hint or "")
    found = look.look(HOST, unread, snapshot, ALL, ByHand(bump=7 * STEP))
    assert found.settings is not None
    assert (found.settings.bump, [peer.name for peer in found.settings.members]) == (7 * STEP, ["m1"])
    assert rules(found)["restore-cluster-unknown"] is Severity.WARNING
    assert [one.evidence for one in found.findings if one.subject == "etcd's data on node cp-1"] == [
        "they can't be read: it is written to"
    ]


def test_encryption_that_is_not_there_to_be_read():
    encryption, why = look.encryption_of("/nonexistent/encryption.yaml")
    assert (encryption, why) == (None, "/nonexistent/encryption.yaml can't be read")


def test_own_data_in_place_of_a_snapshot():
    found = look.look(HOST, own(), None, ALL, ByHand(("cp-1",)))
    assert found.settings is not None
    assert (found.settings.digest, found.settings.bump) == (OWN, 2 * STEP)
    assert [peer.name for peer in found.settings.lost] == ["cp-2", "cp-3"]
    for names in ((), ("cp-1", "cp-2")):
        with pytest.raises(UsageError, match="one survivor is named"):
            look.look(HOST, own(), None, ALL, ByHand(names))
    with pytest.raises(AdminError, match="own data can't be read: torn"):
        look.look(HOST, Own(why="torn"), None, ALL, ByHand(("cp-1",)))


def test_own_data_as_they_are_read(tmp_path):
    path = History().put(b"/registry/namespaces/kube-system", stored(CLUSTER)).save(tmp_path / "db")
    found = look.own_data(path, "/registry")
    assert found.facts
    assert found.facts.cluster.text == str(CLUSTER)
    assert look.own_data(tmp_path / "none", "/registry").why
    (tmp_path / "torn").write_bytes(path.read_bytes()[:5000])
    assert look.own_data(tmp_path / "torn", "/registry").facts is None


def test_a_copy_without_a_sum_is_taken_and_a_damaged_one_is_not():
    no_hash = NO_HASH.violation(subject="a", evidence="b", fix="c")
    look.of_copy(Verdict(Path("a"), samples.snapshot(), (no_hash,)))
    damaged = replace(no_hash, rule="damaged", evidence="page 7")
    with pytest.raises(AdminError, match="page 7"):
        look.of_copy(Verdict(Path("a"), samples.snapshot(), (damaged,)))


def test_a_script_for_the_members_of_a_snapshot(snapshot):
    facts, settings = for_script(snapshot, ALL, ByHand(), NOW)
    assert facts
    assert facts.snapshot
    assert settings.digest == facts.snapshot.sha256
    assert settings.revision + settings.bump == 1_796_000_000_000_000
    assert [(peer.name, peer.peer) for peer in settings.members] == [("m1", "http://localhost:2380")]
    assert (settings.etcd, settings.kubernetes, len(settings.authorities)) == ("3.6", "1.36", 2)
    forced = replace(ALL, forced=Forced(version=True, authority=True))
    _, settings = for_script(snapshot, forced, ByHand(bump=9), NOW)
    assert (settings.etcd, settings.kubernetes, settings.authorities) == ("", "", ())
    assert settings.bump == 9


def test_a_script_for_a_survivor():
    _, settings = for_script(None, ALL, ByHand(("cp-1",)), NOW)
    assert (settings.digest, settings.bump, settings.decide) == (OWN, 2 * STEP, 3600)
    assert [(peer.name, peer.peer) for peer in settings.members] == [("cp-1", "")]
    with pytest.raises(UsageError, match="name a snapshot"):
        for_script(None, ALL, ByHand(), NOW)


def test_a_script_is_not_printed_for_a_file_that_is_cut_off(snapshot):
    snapshot.write_bytes(snapshot.read_bytes()[:-40])
    with pytest.raises(AdminError, match=rf"^{re.escape(str(snapshot))}: the file: .* are missing"):
        for_script(snapshot, ALL, ByHand(), NOW)


def test_a_number_that_leaves_the_restored_data_below_those_of_now_is_refused(snapshot):
    with pytest.raises(AdminError, match="watchers would miss events"):
        look.look(HOST, own(), snapshot, ALL, ByHand(bump=1))
