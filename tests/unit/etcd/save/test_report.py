"""What is said of a snapshot that was saved."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubectl_admin.etcd.save.on_host import Download
from kubectl_admin.etcd.save.report import report
from kubectl_admin.etcd.save.save import SavedSnapshot
from kubectl_admin.etcd.snapshot.verify import verify
from kubectl_admin.node.fetch import Fetched
from kubectl_admin.node.unpacking import Tool
from kubectl_admin.report import document, terminal
from tests.fakes.program import HARMLESS, NASTY
from tests.unit.etcd.snapshot.bolt_file import MEMBER, BoltFile, contents


@pytest.fixture
def saved(tmp_path) -> SavedSnapshot:
    """A snapshot that was verified as FILE.part and has its name since."""
    part = tmp_path / "snapshot.db.part"
    part.write_bytes(BoltFile().snapshot())
    fetched = Fetched(part.stat().st_size, 3 << 20, 0)
    download = Download(
        "https://127.0.0.1:2379",
        "1f446a79",
        MEMBER.decode(),
        Tool.ZSTD,
        fetched,
        {"prepare": 1.0, "fetch": 2.0, "verify": 0.5},
    )
    return SavedSnapshot(Path("snapshot.db"), "cp-2", download, verify(part), 4.25)


def shown(saved: SavedSnapshot) -> str:
    return terminal.render(report(saved), wide=False, headers=True, colour=False, width=100)


def test_what_a_person_sees(saved):
    text = shown(saved)
    snapshot = saved.verdict.snapshot
    assert snapshot
    assert ".part" not in text
    for line in (
        f"snapshot.db: {snapshot.size:,} bytes from node cp-2 in 4.2s",
        "(saved and fetched in 2s as 3.0MiB of zstd, verified in 0.5s)",
        snapshot.sha256,
        "cluster id 1f446a79",
    ):
        assert line in text
    assert MEMBER.decode() in text
    assert "3.6" in text


def test_cuts_and_what_was_not_packed_are_told(saved):
    fetched = replace(saved.download.fetched, cuts=20)
    text = shown(replace(saved, download=replace(saved.download, tool=Tool.NONE, fetched=fetched)))
    assert "(saved and fetched in 2s uncompressed in 21 streams, verified" in text


def test_what_went_to_a_stream_is_called_so(saved):
    text = shown(replace(saved, file=None))
    assert "stdout: " in text
    assert ".part" not in text
    assert json.loads(document.to_json(report(replace(saved, file=None))))["items"][0]["file"] is None


def test_what_a_program_gets(saved):
    (item,) = json.loads(document.to_json(report(saved)))["items"]
    snapshot = saved.verdict.snapshot
    assert snapshot
    about = item.pop("snapshot")
    assert item == {
        "file": "snapshot.db",
        "sound": True,
        "damaged": 0,
        "damages": [],
        "node": "cp-2",
        "endpoint": "https://127.0.0.1:2379",
        "clusterID": "1f446a79",
        "compression": "zstd",
        "wireBytes": 3 << 20,
        "cuts": 0,
        "seconds": 4.25,
        "phases": {"prepare": 1.0, "fetch": 2.0, "verify": 0.5},
    }
    assert (about["sha256"], about["revision"], about["sizeBytes"]) == (snapshot.sha256, 9, snapshot.size)
    assert [member["name"] for member in about["members"]] == ["m1"]


def test_an_alarm_that_travels_with_it_is_a_finding(saved, tmp_path):
    file = tmp_path / "alarmed.db"
    file.write_bytes(BoltFile({**contents(), b"alarm": {b"\x08\x01\x10\x01": b""}}).snapshot())
    alarmed = report(replace(saved, verdict=verify(file)))
    assert [finding.severity for finding in alarmed.findings] == ["warning"]
    assert not alarmed.violated


def test_names_of_the_cluster_do_nothing_to_the_terminal(saved):
    text = shown(replace(saved, node=NASTY.replace("\n", "")))
    assert HARMLESS.replace(r"\n", "") in text
    assert "\x1b" not in text
