"""How a verdict is shown, and what is found in the content of a snapshot."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.etcd.snapshot import judge as snapshot_judge
from kubectl_admin.etcd.snapshot import report as snapshot_report
from kubectl_admin.etcd.snapshot.bolt.damage import Damage
from kubectl_admin.etcd.snapshot.contents import Alarm, Member, Raft
from kubectl_admin.etcd.snapshot.facts import Full, Snapshot, Verdict
from kubectl_admin.etcd.snapshot.reading import Contents
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import document, terminal

ONE = Member("1a", "cp-1", ("https://10.0.0.1:2380",), ("https://10.0.0.1:2379",), learner=False)
TWO = replace(ONE, id="2b", name="cp-2", peer_urls=("https://10.0.0.2:2380",))
CONTENTS = Contents(
    revision=4_271_904,
    compacted=4_270_000,
    consistent_index=5_000_000,
    term=7,
    members=(ONE, TWO),
    removed=(),
    raft=Raft(frozenset({"1a", "2b"}), frozenset()),
    alarms=(),
    storage_version="3.6.0",
    cluster_version="3.6.0",
    auth=False,
)
SNAPSHOT = Snapshot(
    path=Path("/var/backups/backup.db"),
    size=104_857_632,
    sha256="ab" * 32,
    hash_right=True,
    database_size=104_857_600,
    in_use=52_428_800,
    page_size=4096,
    entries=38_112,
    revisions=38_000,
    contents=CONTENTS,
    full=None,
)


def shown(snapshot=SNAPSHOT, **fields):
    verdict = Verdict(Path("/var/backups/backup.db"), snapshot, **{"findings": (), **fields})
    report = snapshot_report.report(verdict)
    return terminal.render(report, wide=False, headers=True, colour=False, width=80)


def found(**changes):
    return [finding.rule for finding in snapshot_judge.of_contents(replace(CONTENTS, **changes))]


def test_a_whole_one_at_a_look():
    lines = shown().splitlines()
    assert lines[0].split() == [
        "FILE",
        "SHA256",
        "PAGES",
        "REVISION",
        "ENTRIES",
        "SIZE",
        "IN-USE",
        "ALARMS",
        "ETCD",
    ]
    assert lines[1].split()[:5] == ["backup.db", "ok", "ok", "4,271,904", "38,112"]
    assert lines[1].split()[-2:] == ["none", "3.6"]
    assert lines[3].split() == ["MEMBER", "ID", "ROLE", "PEER-URLS"]
    assert lines[4].split() == ["cp-1", "1a", "voter", "https://10.0.0.1:2380"]
    assert max(map(len, lines)) <= 80


def test_the_full_look_adds_the_keys_and_the_hash():
    text = shown(replace(SNAPSHOT, full=Full(0xAAAFE8D2, 2002)))
    assert "KEYS" in text
    assert "38,112 entries" in text
    assert "2,002" in text
    assert "hash over them is aaafe8d2" in text
    assert max(map(len, text.splitlines())) <= 80


def test_damaged_places_are_listed():
    places = tuple(Damage(n, n * 4096, "its header is not its own") for n in range(3, 6))
    violation = Finding(Severity.VIOLATION, "damaged", "the database", "", "")
    text = shown(replace(SNAPSHOT, hash_right=False), findings=(violation,), damages=places, damaged=2000)
    assert text.splitlines()[1].split()[1:3] == ["wrong!", "damaged!"]
    assert "- page 3, byte 12288: its header is not its own\n" in text
    assert "- and 1,997 more\n" in text


def test_a_file_of_which_nothing_can_be_said():
    text = shown(None, findings=(snapshot_judge.not_a_snapshot("empty", "look"),))
    assert text.startswith("/var/backups/backup.db: nothing in it can be read\n")
    assert "it is empty" in text


def test_text_of_the_file_does_not_reach_the_terminal_raw():
    evil = replace(ONE, name="\x1b[2J", peer_urls=("http://\u202eevil",))
    text = shown(replace(SNAPSHOT, contents=replace(CONTENTS, members=(evil,), cluster_version="\x1b]0;x\a")))
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ({}, "3.6"),
        ({"storage_version": None, "cluster_version": "3.5.0"}, "3.5"),
        ({"storage_version": None, "cluster_version": None}, "3.5 or older"),
        ({"storage_version": None, "cluster_version": None, "term": None}, "3.4 or older"),
    ],
)
def test_which_etcd_wrote_it(changes, version):
    snapshot = replace(SNAPSHOT, contents=replace(CONTENTS, **changes))
    assert snapshot_report.etcd_version(snapshot) == version


def test_the_document():
    verdict = Verdict(SNAPSHOT.path, replace(SNAPSHOT, full=Full(1, 2)), ())
    (item,) = json.loads(document.to_json(snapshot_report.report(verdict)))["items"]
    assert item["sound"]
    assert item["snapshot"]["appendedHash"] == "right"
    assert item["snapshot"]["liveKeys"] == 2
    assert item["snapshot"]["members"][1]["name"] == "cp-2"
    assert item["snapshot"]["raft"] == {"voters": ["1a", "2b"], "learners": []}
    assert item["damages"] == []


def test_nothing_is_found_in_a_sound_cluster():
    assert found() == []
    assert found(raft=None) == []


def test_alarms():
    assert found(alarms=(Alarm("NOSPACE", "1a"), Alarm("of kind 9", "9"))) == [
        "alarm-nospace",
        "alarm-unknown",
    ]
    (finding,) = snapshot_judge.of_contents(replace(CONTENTS, alarms=(Alarm("NOSPACE", "1a"),)))
    assert "cp-1 (1a)" in finding.evidence


def test_a_member_that_raft_does_not_know():
    """Source: etcd.io/blog/2025/zombie_members_upgrade."""
    raft = Raft(frozenset({"1a"}), frozenset())
    (old,) = snapshot_judge.of_contents(replace(CONTENTS, raft=raft, storage_version=None))
    assert (old.rule, old.severity) == ("zombie-member", Severity.WARNING)
    assert "3.5.26" in old.fix
    (new,) = snapshot_judge.of_contents(replace(CONTENTS, raft=raft))
    assert "member remove" in new.fix
    assert "not in raft?" in shown(replace(SNAPSHOT, contents=replace(CONTENTS, raft=raft)))


def test_a_learner_that_was_promoted_in_raft_alone():
    """Source: etcd-io/etcd issue 19557."""
    members = (ONE, replace(TWO, learner=True))
    assert found(members=members, storage_version=None) == ["unpromoted-learner"]
    raft = Raft(frozenset({"1a"}), frozenset({"2b"}))
    assert found(members=members, raft=raft) == ["learner"]
    assert found(members=members, raft=None) == ["learner"]


def test_a_restored_database_has_raft_of_before():
    """etcdutl snapshot restore writes new members; raft's part is written when etcd starts."""
    assert found(raft=Raft(frozenset({"99"}), frozenset())) == ["restored"]
    assert found(raft=Raft(frozenset({"1a", "99"}), frozenset())) == ["restored"]
