"""An archive is written in one go, and any tar opens it."""

import io
import subprocess
import tarfile
from dataclasses import replace
from hashlib import sha256

import pytest

from kubectl_admin.backup import layout, manifest
from kubectl_admin.backup.archive.write import Writing
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal.packing import zstd
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.part_file import PartFile
from tests.unit.backup import samples
from tests.unit.backup.archive.archives import CONTENT, ETCD, FILES, begun, heads, written

BEGUN = begun((FILES, ETCD))
MADE = replace(BEGUN, verified=samples.NOW)


def written_out(writing):
    for head in BEGUN.pieces:
        with writing.piece(head) as sink:
            sink.write(CONTENT[head.kind])


def test_any_tar_lists_and_reads_it(tmp_path):
    written(tmp_path / "a.tar")
    listed = subprocess.run(["tar", "-tf", tmp_path / "a.tar"], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [manifest.NAME, FILES.name, ETCD.name]
    with tarfile.open(tmp_path / "a.tar") as tar:
        for head in (FILES, ETCD):
            assert zstd.decompress(tar.extractfile(head.name).read()) == CONTENT[head.kind]


def test_the_manifest_tells_each_piece_as_it_is_stored(tmp_path):
    done = written(tmp_path / "a.tar")
    whole = (tmp_path / "a.tar").read_bytes()
    found = layout.archive("a.tar", len(whole), whole)
    assert found.manifest == done
    assert found.is_verified
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        for piece in done.pieces:
            stored = tar.extractfile(piece.name).read()
            assert (piece.size, piece.sha256) == (len(stored), sha256(stored).hexdigest())
            assert piece.unpacked == len(CONTENT[piece.kind])


def test_a_key_is_stored_as_it_is_given(tmp_path):
    key = replace(layout.head(Kind.KEY), unpacked=75)
    done = written(tmp_path / "a.tar", (FILES, ETCD, key), {**CONTENT, Kind.KEY: b"age!"})
    assert (done.pieces[2].size, done.pieces[2].unpacked) == (4, 75)
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.extractfile("key.age").read() == b"age!"


def test_pieces_come_in_the_order_of_the_manifest(tmp_path):
    with PartFile(tmp_path / "a.tar") as draft:
        writing = Writing(draft, BEGUN)
        with pytest.raises(ValueError, match="not the next"), writing.piece(ETCD):
            pass
        with pytest.raises(ValueError, match="was not written"):
            writing.finish(MADE)


def test_a_recipient_that_is_none_is_refused_before_anything_is_written(tmp_path):
    with PartFile(tmp_path / "a.tar") as draft:
        with pytest.raises(UsageError, match="age1ql3z7hjy54pw3hyww5ay… is not a recipient"):
            Writing(draft, begun(heads((samples.RECIPIENT[:-1] + "q",))))
        assert draft.read_at(0, 1) == b""


def test_a_piece_that_is_read_back_otherwise_ends_it(tmp_path):
    with PartFile(tmp_path / "a.tar") as draft:
        writing = Writing(draft, BEGUN)
        written_out(writing)
        draft.write_at(512 + manifest.room_for(BEGUN) + 512, b"rot")
        with pytest.raises(AdminError, match="is not read back as it was written"):
            writing.finish(MADE)


def test_reading_back_is_told(tmp_path):
    seen = []
    with PartFile(tmp_path / "a.tar") as draft:
        writing = Writing(draft, BEGUN)
        written_out(writing)
        writing.finish(MADE, lambda done, total: seen.append((done, total)))
    assert [total for _, total in seen] == [seen[0][1]] * len(seen)
    assert seen == sorted(seen)


def test_a_long_name_of_a_node_is_shortened():
    names = [layout.head(Kind.FILES, "n" * 61 + end).name for end in ("a", "b")]
    assert names[0] != names[1]
    assert all(manifest.PIECE_NAME.fullmatch(name) for name in names)
    assert layout.head(Kind.OBJECTS, recipients=("age1x",)).name == "objects.tar.zst.age"
