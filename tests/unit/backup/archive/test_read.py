"""An archive is read as it was written, and each damage has a sentence of its own."""

import os
import re
from dataclasses import replace
from hashlib import sha256

import pyrage
import pytest

from kubectl_admin.backup import layout, manifest, ustar
from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.archive.source import opened
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal import passphrase
from kubectl_admin.backup.seal.packing import zstd
from kubectl_admin.errors import AdminError, UsageError
from tests.unit.backup.archive.archives import CONTENT, begun, heads, written, written_under

OURS, OTHER = (pyrage.x25519.Identity.generate() for _ in range(2))
PUBLIC = str(OURS.to_public())


class Bytes:
    """An archive in memory."""

    def __init__(self, data):
        self.data = data
        self.size = len(data)

    def read_at(self, offset, length):
        return self.data[offset : offset + length]


def reading(data):
    return Reading(Bytes(bytes(data)), "a.tar")


def read_whole(data, identities=(OURS,)):
    """What is in all pieces, by kind, after all looks at it."""
    found = reading(data)
    found.refuse_damaged_frame()
    return {place.piece.kind: unpacked(found, place, identities) for place in found.places}


def unpacked(found, place, identities=(OURS,)):
    out = bytearray()
    found.unpack(place, identities, out.extend)
    return bytes(out)


def refusal(data, identities=(OURS,)):
    with pytest.raises(AdminError) as caught:
        read_whole(data, identities)
    return caught.value


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "a.tar"
    written(path)
    return path.read_bytes()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    path = tmp_path_factory.mktemp("encrypted") / "a.tar"
    written(path, heads((PUBLIC,)))
    return path.read_bytes()


def changed(data, offset, mask=1):
    found = bytearray(data)
    found[offset] ^= mask
    return found


def with_stored(data, number, stored, **changes):
    """The archive with another piece in place of one, and a manifest that agrees."""
    known = reading(data)
    pieces, contents = [], []
    for at, place in enumerate(known.places):
        content = stored if at == number else data[place.content : place.content + place.piece.size]
        piece = replace(place.piece, size=len(content), sha256=sha256(content).hexdigest())
        pieces.append(replace(piece, **changes) if at == number else piece)
        contents.append(content)
    return assembled(replace(known.archive.manifest, pieces=tuple(pieces)), contents)


def assembled(made, contents):
    """An archive of pieces that are stored as they are given."""
    room = manifest.room_for(made)
    parts = [ustar.header(layout.entry(manifest.NAME, room, made)), manifest.write(made, room)]
    for piece, content in zip(made.pieces, contents, strict=True):
        parts += [ustar.header(layout.entry(piece.name, piece.size, made)), content]
        parts.append(bytes(ustar.padded(piece.size) - piece.size))
    return b"".join([*parts, ustar.END])


@pytest.mark.parametrize("made", ["plain", "encrypted"])
def test_what_was_written_is_read(made, request):
    assert read_whole(request.getfixturevalue(made)) == CONTENT


def test_an_archive_under_a_passphrase_opens_by_it(tmp_path):
    written_under(tmp_path / "a.tar", "correct horse")
    found = reading((tmp_path / "a.tar").read_bytes())
    identities = found.own_identities(lambda _title: "correct horse")
    assert unpacked(found, found.places[0], identities) == CONTENT[Kind.FILES]
    with pytest.raises(AdminError, match=r"a\.tar: the passphrase is not the one of its key\.age"):
        found.own_identities(lambda _title: "correct horsf")


def test_an_archive_without_a_key_of_its_own_asks_for_no_passphrase(plain):
    assert reading(plain).own_identities(lambda _title: pytest.fail("asked")) == []


@pytest.mark.parametrize(
    ("stored", "says"),
    [
        (passphrase.sealed(b"x", "p", work=10).replace(b" 10\n", b" 22\n"), "asks for more work"),
        (passphrase.sealed(b"x", "p", work=10).replace(b" 10\n", b" 99\n"), "asks for more work"),
        (b"age-encryption.org/v1\n", "is not as kubectl admin writes it"),
        (passphrase.sealed(b"x" * 65536, "p", work=10), "is too long"),
    ],
    ids=["work 22", "work 99", "cut", "long"],
)
def test_a_key_that_is_not_ours_is_never_worked_for(tmp_path, stored, says):
    key = replace(layout.head(Kind.KEY), unpacked=75)
    content = {**CONTENT, Kind.KEY: stored}
    written(tmp_path / "a.tar", (*heads((PUBLIC,)), key), content)
    found = reading((tmp_path / "a.tar").read_bytes())
    with pytest.raises(AdminError, match=says):
        found.own_identities(lambda _title: pytest.fail("asked"))


def test_another_key_opens_nothing(encrypted):
    error = refusal(encrypted, (OTHER,))
    assert error.what == "a.tar: none of these keys opens files-cp-1.tar.zst.age"
    assert PUBLIC[:24] in error.hint


def test_a_changed_byte_in_a_piece_is_seen_with_a_key_and_without(encrypted):
    found = reading(encrypted)
    for place in found.places:
        for offset in (0, place.piece.size // 2, place.piece.size - 1):
            bad = reading(changed(encrypted, place.content + offset))
            says = f"a.tar: {place.piece.name} is not what was written: its sha256 is another"
            for act in (bad.check, lambda place, bad=bad: unpacked(bad, place)):
                with pytest.raises(AdminError, match=re.escape(says)):
                    act(place)


def test_a_piece_that_was_changed_with_its_hash_is_seen_with_a_key(encrypted):
    place = reading(encrypted).places[1]
    stored = encrypted[place.content : place.content + place.piece.size]
    for bad in (
        changed(stored, len(stored) - 1),
        stored[:-1],
        stored[: len(stored) // 2],
        stored + b"x",
        b"",
    ):
        error = refusal(with_stored(encrypted, 1, bytes(bad)))
        assert error.what == "a.tar: etcd.db.zst.age is not whole as it was encrypted"


def test_an_archive_that_is_cut_anywhere_is_refused(encrypted):
    for end in range(0, len(encrypted), 512):
        assert refusal(encrypted[:end]).what.startswith("a.tar")
    first = reading(encrypted).places[0]
    assert refusal(encrypted[: first.content]).what == (
        f"a.tar: it has {first.content} bytes, and {len(encrypted)} were written"
    )


def test_each_changed_byte_of_a_header_is_seen(encrypted):
    headers = [0, *(place.header for place in reading(encrypted).places)]
    for header in headers:
        for offset in range(512):
            assert refusal(changed(encrypted, header + offset)).what.startswith("a.tar")


def test_each_changed_byte_of_the_manifest_is_seen(encrypted):
    text = encrypted[512 : reading(encrypted).places[0].header]
    for offset in range(0, len(text.rstrip()), 7):
        for mask in (1, 4):
            assert refusal(changed(encrypted, 512 + offset, mask)).what.startswith("a.tar")


def test_what_the_manifest_does_not_name_is_refused(encrypted):
    found = reading(encrypted)
    says = "a.tar: it holds something that its manifest does not name"
    assert refusal(encrypted + b"\0").what == says
    assert refusal(encrypted + bytes(10240)).what == says
    assert refusal(changed(encrypted, len(encrypted) - 1)).what == says
    place = found.places[0]
    assert place.piece.size % 512
    assert refusal(changed(encrypted, place.content + place.piece.size)).what == says


def test_pieces_in_another_order_are_refused(encrypted):
    found = reading(encrypted)
    made = found.archive.manifest
    contents = [encrypted[place.content : place.content + place.piece.size] for place in found.places]
    there = assembled(replace(made, pieces=made.pieces[::-1]), contents[::-1])
    room = manifest.room_for(made)
    text = ustar.header(layout.entry(manifest.NAME, room, made)) + manifest.write(made, room)
    assert refusal(text + there[len(text) :]).what.startswith("a.tar: it does not hold files-cp-1")


def test_a_bomb_ends_at_what_was_announced(plain):
    bomb = zstd.compress(bytes(64 << 20))
    out = bytearray()
    found = reading(with_stored(plain, 1, bomb, unpacked=1 << 20))
    with pytest.raises(AdminError, match="holds more than the 1048576 bytes that it announces"):
        found.unpack(found.places[1], (), out.extend)
    assert len(out) <= 1 << 20


def test_less_than_was_announced_is_refused(plain):
    bad = with_stored(plain, 1, zstd.compress(b"abc"), unpacked=4)
    assert refusal(bad).what == "a.tar: etcd.db.zst holds 3 bytes, and announces 4"


def test_an_error_of_the_sink_is_raised_as_it_is(encrypted):
    def full(_data):
        raise AdminError("the disk is full")

    found = reading(encrypted)
    with pytest.raises(AdminError, match="the disk is full"):
        found.unpack(found.places[1], (OURS,), full)


def test_a_manifest_of_9_mib_is_not_read():
    made = begun(heads())
    head = ustar.header(layout.entry(manifest.NAME, 9 << 20, made))
    with pytest.raises(AdminError, match=r"a\.tar is not a backup: its manifest is too long"):
        reading(head + bytes(100_000))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name, says in (
        ("pipe", "is not a regular file"),
        ("none", "can't be opened: No such file"),
        (".", "is not"),
    ):
        with pytest.raises(UsageError, match=says), opened(tmp_path / name):
            pass


def test_a_file_is_a_source(tmp_path, encrypted):
    (tmp_path / "a.tar").write_bytes(encrypted)
    with opened(tmp_path / "a.tar") as source:
        found = Reading(source, "a.tar")
        found.refuse_damaged_frame()
        assert unpacked(found, found.places[0]) == CONTENT[Kind.FILES]
