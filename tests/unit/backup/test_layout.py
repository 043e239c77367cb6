"""An archive is known by its beginning: what is in it, where, and how long it must be."""

import io
import tarfile
from dataclasses import replace

import pytest

from kubectl_admin.backup import manifest as manifests
from kubectl_admin.backup.layout import archive, entry, needed, places, refuse_other
from kubectl_admin.backup.ustar import BLOCK, END, Entry, Type, archive_size, header, padded
from kubectl_admin.errors import AdminError
from tests.unit.backup.samples import ETCD, FILES, manifest

SMALL = manifest(pieces=(replace(ETCD, size=1000), replace(FILES, size=512)))


def whole(made=SMALL):
    """An archive whose pieces are all of «x»."""
    room = manifests.room_for(made)
    parts = [header(entry(manifests.NAME, room, made)), manifests.write(made, room)]
    for piece in made.pieces:
        parts += [
            header(entry(piece.name, piece.size, made)),
            (b"x" * piece.size).ljust(padded(piece.size), b"\0"),
        ]
    return b"".join([*parts, END])


def refused(act, *arguments):
    with pytest.raises(AdminError) as error:
        act(*arguments)
    assert error.value.what.startswith("a.tar")
    return error.value.what


def test_by_its_beginning():
    stored = whole()
    wanted = needed(stored[:BLOCK], "a.tar")
    found = archive("a.tar", len(stored), stored[:wanted])
    assert found.manifest == SMALL
    assert found.whole == found.size == len(stored)
    assert found.is_verified
    assert archive("a.tar", len(stored), stored) == found


def test_each_piece_is_where_it_should_be():
    stored = whole()
    found, size = places(manifests.room_for(SMALL), SMALL.pieces)
    assert size == len(stored) == archive_size([manifests.room_for(SMALL), 1000, 512])
    for place in found:
        refuse_other(stored[place.header : place.header + BLOCK], place, "a.tar")
        assert stored[place.content : place.content + place.piece.size] == b"x" * place.piece.size


def test_python_finds_the_same():
    with tarfile.open(fileobj=io.BytesIO(whole())) as tar:
        found = [(one.name, one.size, one.mtime) for one in tar.getmembers()]
    taken = SMALL.taken.timestamp()
    assert found == [
        (manifests.NAME, manifests.room_for(SMALL), taken),
        (ETCD.name, 1000, taken),
        (FILES.name, 512, taken),
    ]


@pytest.mark.parametrize("size", [0, 512, 100_000])
def test_one_that_is_not_as_long_as_it_was_is_not_verified(size):
    stored = whole()
    assert not archive("a.tar", size, stored).is_verified
    assert not archive("a.tar", len(stored) + 1, stored).is_verified


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"x" * 100,
        bytes(BLOCK),
        b"\xff" * BLOCK,
        header(Entry("etcd.db", 10)),
        header(Entry("./manifest.json", 10)),
        header(Entry("manifest.json", type=Type.DIRECTORY)),
        header(Entry("manifest.json", type=Type.LINK, target="/etc/passwd")),
        header(Entry("manifest.json", manifests.LIMIT + 1)),
        header(Entry("manifest.json", 1 << 50)),
    ],
)
def test_what_is_no_backup(beginning):
    assert "is not a backup" in refused(needed, beginning, "a.tar")
    assert "is not a backup" in refused(archive, "a.tar", 10_000, beginning)


def test_a_manifest_that_is_cut_off():
    stored = whole()
    assert "cut off" in refused(archive, "a.tar", 1000, stored[:1000])


def test_a_manifest_that_is_none():
    beginning = header(Entry("manifest.json", 10)) + b"{}        " + bytes(502)
    assert "can't be read" in refused(archive, "a.tar", 10_000, beginning)


@pytest.mark.parametrize(
    "block",
    [
        bytes(BLOCK),
        b"\xff" * BLOCK,
        b"",
        header(Entry(FILES.name, 1000)),
        header(Entry(ETCD.name, 999)),
        header(Entry(ETCD.name, type=Type.DIRECTORY)),
        header(Entry(ETCD.name, type=Type.LINK, target="x")),
    ],
)
def test_another_header_in_a_pieces_place(block):
    place = places(0, SMALL.pieces)[0][0]
    refused(refuse_other, block, place, "a.tar")
