"""Headers that every tar reads, and that are read only as they were written."""

import io
import os
import subprocess
import tarfile

import pytest

from kubectl_admin.backup import ustar
from kubectl_admin.backup.ustar import (
    BLOCK,
    END,
    Entry,
    Type,
    Unfit,
    Unreadable,
    archive_size,
    header,
    padded,
)

LONG = "var/lib/kubelet/pki/" + "d" * 60 + "/" + "n" * 90
SAMPLES = [
    Entry("manifest.json", 4096, changed=1_780_000_000),
    Entry("etc/kubernetes/pki/ca.key", 1704, 0o600, 0, 0, 1_780_000_000),
    Entry("empty", 0, 0o644, 1000, 1000),
    Entry("a" * 100, 1),
    Entry(LONG, 7),
    Entry("d" * 155 + "/" + "n" * 100, 7),
    Entry("ünï", 3),
    Entry(os.fsdecode(b"latin-\xfc"), 3),
    Entry("etc/kubernetes", mode=0o755, type=Type.DIRECTORY),
    Entry("p" * 99, mode=0o700, type=Type.DIRECTORY),
    Entry("var/lib/kubelet/pki/kubelet-client-current.pem", mode=0o777, type=Type.LINK, target="x" * 100),
    Entry("big", 8**11 - 1),
    Entry("bigger", 8**11),
    Entry("biggest", (1 << 62) - 1),
]


def names(entry):
    return entry.name[:20]


@pytest.mark.parametrize("entry", SAMPLES, ids=names)
def test_an_entry_is_read_as_it_was_written(entry):
    block = header(entry)
    assert len(block) == BLOCK
    assert ustar.read(block) == entry


@pytest.mark.parametrize("entry", SAMPLES, ids=names)
def test_python_reads_the_same(entry):
    found = tarfile.TarInfo.frombuf(header(entry), "utf-8", "surrogateescape")
    assert found.name.rstrip("/") == entry.name
    assert (found.size, found.mode, found.uid, found.mtime) == (
        entry.size,
        entry.mode,
        entry.uid,
        entry.changed,
    )
    assert (found.isfile(), found.isdir(), found.issym()) == tuple(
        entry.type is each for each in (Type.FILE, Type.DIRECTORY, Type.LINK)
    )
    assert found.linkname == entry.target


def made(*entries):
    """An archive of such entries, whose files are all of «x»."""
    parts = [header(one) + (b"x" * one.size).ljust(padded(one.size), b"\0") for one in entries]
    return b"".join([*parts, END])


def test_tar_unpacks_it(tmp_path):
    entries = [one for one in SAMPLES if one.size < 10_000 and one.type is Type.FILE]
    archive = tmp_path / "a.tar"
    archive.write_bytes(made(*entries))
    subprocess.run(["tar", "-xf", archive, "-C", tmp_path], check=True, timeout=20)
    for one in entries:
        assert (tmp_path / one.name).read_bytes() == b"x" * one.size
    assert archive.stat().st_size == archive_size([one.size for one in entries])


def test_sizes():
    assert [padded(size) for size in (0, 1, 512, 513)] == [0, 512, 512, 1024]
    assert archive_size([]) == len(END) == 1024
    assert archive_size([0, 1, 513]) == 3 * 512 + 512 + 1024 + 1024


@pytest.mark.parametrize(
    "entry",
    [
        Entry(""),
        Entry("/"),
        Entry("a\0b"),
        Entry("a" * 101),
        Entry("d" * 156 + "/n"),
        Entry("d/" + "n" * 101),
        Entry("/" + "n" * 100),
        Entry("\ud800"),
        Entry("a", -1),
        Entry("a", 1 << 62),
        Entry("a", uid=-1),
        Entry("a", uid=8**7),
        Entry("a", changed=-1),
        Entry("a", type=Type.LINK, target="x" * 101),
        Entry("a", type=Type.LINK, target="a\0b"),
    ],
    ids=repr,
)
def test_what_has_no_room(entry):
    with pytest.raises(Unfit):
        header(entry)


def test_the_end():
    assert ustar.read(bytes(BLOCK)) is None


def damaged(place, data, *, right=True):
    """A header with other bytes. right: with the checksum that belongs to them."""
    block = bytearray(header(Entry("etc/passwd", 10)))
    block[place : place + len(data)] = data
    if right:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_other_bytes_with_their_checksum_are_read():
    assert ustar.read(damaged(0, b"x")) == Entry("xtc/passwd", 10)


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (header(Entry("a"))[:-1], "cut off"),
        (b"", "cut off"),
        (damaged(0, b"x", right=False), "checksum"),
        (b"\xff" * BLOCK, "a number"),
        (damaged(156, b"1"), "a hard link"),
        (damaged(156, b"3"), "a character device"),
        (damaged(156, b"4"), "a block device"),
        (damaged(156, b"6"), "a named pipe"),
        (damaged(156, b"x"), "an extended header"),
        (damaged(156, b"L"), "a long name of GNU tar"),
        (damaged(156, b"S"), "a sparse file"),
        (damaged(156, b"\0"), "before 1988"),
        (damaged(156, b"Z"), "an unknown type"),
        (damaged(156, b"5"), "no file has a size"),
        (damaged(156, b"2"), "no file has a size"),
        (damaged(157, b"target"), "no link has a target"),
        (damaged(257, b"ustar  \0"), "not of the kind ustar"),
        (damaged(257, bytes(8)), "not of the kind ustar"),
        (damaged(124, b"-0000000001\0"), "a number"),
        (damaged(124, b"            "), "a number"),
        (damaged(124, b"00000000089\0"), "a number"),
        (damaged(124, b"0000\x00000007"), "a number"),
        (damaged(124, b"\x80" + bytes(10) + b"\x05"), "a size"),
        (damaged(124, b"\x80" + b"\xff" * 11), "a size"),
        (damaged(124, b"\xff" + b"\xff" * 11), "a number"),
        (damaged(0, b"etc\0passwd"), "behind its end"),
    ],
)
def test_a_block_that_is_no_header(block, why):
    with pytest.raises(Unreadable, match=why):
        ustar.read(block)


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_of_others_archives_only_the_kind_ustar_is_read(kind):
    told = io.BytesIO()
    with tarfile.open(fileobj=told, mode="w", format=kind) as archive:
        archive.addfile(tarfile.TarInfo("a/b"))
    block = told.getvalue()[:BLOCK]
    if kind == tarfile.GNU_FORMAT:
        with pytest.raises(Unreadable):
            ustar.read(block)
    else:
        assert ustar.read(block).name == "a/b"
