"""A manifest is read as it was written, and from anybody it is read or refused in a sentence."""

import json
from dataclasses import replace

import pytest

from kubectl_admin.backup import manifest as module
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.manifest import LARGEST, LIMIT, ROUND, as_text, document, read, room_for, write
from kubectl_admin.errors import AdminError
from tests.unit.backup.samples import ETCD, FILES, manifest

WHOLE = document(manifest())


def text(**changes):
    """A manifest as it is stored, with other fields; a field of None is left out."""
    changed = {name: value for name, value in {**WHOLE, **changes}.items() if value is not ...}
    return as_text(changed)


def piece(**changes):
    first, *others = WHOLE["pieces"]
    return [{**first, **changes}, *others]


def refused(said):
    with pytest.raises(AdminError) as error:
        read(said, "backup.tar")
    assert error.value.what.startswith("backup.tar: its manifest ")
    assert "\n" not in error.value.what
    assert error.value.what.isprintable()
    return error.value.what


def test_a_manifest_is_read_as_it_was_written():
    made = manifest()
    room = room_for(made)
    stored = write(made, room)
    assert len(stored) == room
    assert room % ROUND == 0
    assert stored.isascii()
    assert read(stored, "backup.tar") == made


def test_the_least_that_a_manifest_says():
    least = manifest(verified=None, nodes=(), pieces=(), database=None, keys=(), volumes=(), lost=())
    assert read(write(least, room_for(least)), "x") == least


def test_room_is_kept_before_the_sizes_are_known():
    before = manifest(
        verified=None,
        pieces=tuple(replace(one, size=0, sha256="", unpacked=0) for one in (ETCD, FILES)),
        database=replace(manifest().database, revision=0, keys=0),
    )
    room = room_for(before)
    after = manifest(
        pieces=tuple(replace(one, size=LARGEST, unpacked=LARGEST) for one in (ETCD, FILES)),
        database=replace(manifest().database, revision=LARGEST, keys=LARGEST),
    )
    assert read(write(after, room), "x") == after


def test_more_than_there_is_room_for_is_an_error_and_never_cut():
    with pytest.raises(AdminError, match="were kept for it"):
        write(manifest(), 100)


def test_a_manifest_that_could_not_be_read_is_not_made(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 1000)
    with pytest.raises(AdminError, match="is the longest"):
        room_for(manifest())


def test_fields_of_later_versions_are_passed_over():
    assert read(text(signature={"by": "x"}), "x") == manifest()
    assert read(text(pieces=piece(colour="blue")), "x") == manifest()


def test_a_later_format_says_so():
    said = refused(text(format=2))
    assert "format 2" in said


def test_an_unknown_field_may_be_as_deep_as_it_likes():
    for depth in (100, 400, 700, 900):
        deep = json.dumps(WHOLE).encode()[:-1] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"
        assert "can't be read" in refused(deep)


def test_a_manifest_that_reads_well_and_is_another_is_refused():
    taken = text().replace(b"2026-11-30T12:00:00Z", b"2026-11-30T12:00:01Z", 1)
    for said in (taken, json.dumps(WHOLE).encode()):
        assert refused(said).endswith("can't be read: it is not as it was written: its own sha256 is another")


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0" * 512,
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"[" * 200_000,
        b'{"format": ' + b"9" * 6000 + b"}",
        json.dumps(WHOLE).encode("utf-16"),
        b"\xff\xfe",
        b"\xef\xbb\xbf" + json.dumps(WHOLE).encode(),
        json.dumps(WHOLE).encode()[:-1],
        json.dumps(WHOLE).encode() + b"{}",
    ],
)
def test_what_is_no_manifest(said):
    refused(said)


def test_one_that_is_too_long_is_not_even_looked_at():
    assert "longer" in refused(b" " * (LIMIT + 1))


def test_a_field_that_is_there_twice_is_refused_wherever_it_is():
    stored = json.dumps(WHOLE)
    assert "twice" in refused(stored.replace('"server"', '"uid": "other", "server"', 1).encode())
    assert "twice" in refused(stored.replace('"format"', '"format": 1, "format"', 1).encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "EtcdSnapshot"},
        {"kind": ...},
        {"format": ...},
        {"format": "1"},
        {"format": True},
        {"format": -1},
        {"format": 1.0},
        {"taken": ...},
        {"taken": "yesterday"},
        {"taken": "2026-13-01T00:00:00Z"},
        {"taken": "2026-11-30T12:00:00+01:00"},
        {"taken": "2026-11-30T12:00:00Z\n"},
        {"taken": "٢٠٢٦-11-30T12:00:00Z"},
        {"taken": 1780000000},
        {"verified": False},
        {"verified": ""},
        {"cluster": ...},
        {"cluster": []},
        {"cluster": {"name": "x", "uid": ""}},
        {"cluster": {"name": "x"}},
        {"cluster": {"name": "x", "uid": "a b"}},
        {"cluster": {"name": "x", "uid": 1}},
        {"tool": "x" * 2000},
        {"tool": "\ud800"},
        {"nodes": {}},
        {"nodes": [1]},
        {"nodes": [{"name": ""}]},
        {"nodes": [{"name": "a", "controlPlane": "yes"}]},
        {"nodes": [{"name": "a", "versions": {"x": 1}}]},
        {"nodes": [{"name": "a", "versions": ["x"]}]},
        {"nodes": [{"name": "cp-1"}, {"name": "cp-1"}]},
        {"keys": [1]},
        {"keys": "x"},
        {"volumes": [{}]},
        {"lost": [{"what": None}]},
        {"database": None},
        {"database": {"node": "cp-2", "revision": -1, "keys": 1}},
        {"database": {"node": "cp-2", "revision": float("nan"), "keys": 1}},
        {"database": {"node": "cp-2", "revision": float("inf"), "keys": 1}},
        {"pieces": []},
        {"pieces": piece(name="../etcd.db")},
        {"pieces": piece(name="/etc/passwd")},
        {"pieces": piece(name="a/b")},
        {"pieces": piece(name=".hidden")},
        {"pieces": piece(name="a\nb")},
        {"pieces": piece(name="a\n")},
        {"pieces": piece(name="x" * 101)},
        {"pieces": piece(name="manifest.json")},
        {"pieces": piece(name=FILES.name)},
        {"pieces": piece(kind="disk")},
        {"pieces": piece(kind=["etcd"])},
        {"pieces": piece(kind="files", node="cp-1")},
        {"pieces": piece(node="stranger")},
        {"pieces": piece(size=-1)},
        {"pieces": piece(size=LARGEST + 1)},
        {"pieces": piece(size="10")},
        {"pieces": piece(size=10.5)},
        {"pieces": piece(unpacked=None)},
        {"pieces": piece(sha256="A" * 64)},
        {"pieces": piece(sha256="a" * 63)},
        {"pieces": piece(sha256="a" * 64 + "\n")},
        {"pieces": piece(recipients="age1")},
        {"pieces": [WHOLE["pieces"][0], {**WHOLE["pieces"][0], "name": "second"}]},
    ],
)
def test_what_a_manifest_must_not_say(changes):
    refused(text(**changes))


def test_nothing_of_a_hostile_manifest_moves_the_cursor():
    said = refused(text(nodes=[{"name": "a", "versions": {"\x1b[2J\nkubelet": 1}}]))
    assert "\x1b" not in said


def test_a_key_alone_is_nothing_that_an_archive_holds():
    assert manifest().kinds == {Kind.ETCD, Kind.FILES}
    assert manifest(pieces=(replace(ETCD, kind=Kind.KEY),)).kinds == frozenset()
