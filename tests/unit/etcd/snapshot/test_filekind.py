"""What is said of a file that is no database."""

import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from kubectl_admin.etcd.snapshot.filekind import described
from kubectl_admin.etcd.snapshot.verify import verify


def tar():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("snapshot.db"))
    return stream.getvalue()


def zipped():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("snapshot.db", b"x")
    return stream.getvalue()


KUBECONFIG = b"apiVersion: v1\nclusters: []\ncontexts: []\nkind: Config\n"


@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        (b"", "empty", "take the snapshot again"),
        (bytes(20000), "20,000 bytes that begin with nothing but zeros", "take the snapshot again"),
        (gzip.compress(b"x"), "compressed with gzip", "gunzip"),
        (b"\x28\xb5\x2f\xfd....", "compressed with Zstandard", "unzstd"),
        (lzma.compress(b"x"), "compressed with xz", "unxz"),
        (tar(), "a tar archive", "tar -xf"),
        (zipped(), "a zip archive", "unzip"),
        (b"age-encryption.org/v1\n-> X25519 ...", "encrypted with age", "age --decrypt"),
        (b"-----BEGIN CERTIFICATE-----\n", "a PEM file: a key or a certificate", "etcdctl snapshot save"),
        (b"SQLite format 3\0....", "an SQLite database", "etcdctl snapshot save"),
        (b"\x7fELF\x02\x01\x01", "a program (ELF)", "etcdctl snapshot save"),
        (KUBECONFIG, "a kubeconfig", "etcdctl snapshot save"),
        (b"apiVersion: v1\nkind: Pod\n", "a manifest in YAML", "etcdctl snapshot save"),
        (b"apiVersion: v1\nkind: ConfigMap\n", "a manifest in YAML", "etcdctl snapshot save"),
        (b"apiVersion: v1\ndata:\n  c: |\n    kind: Config\n", "a manifest in YAML", "etcdctl"),
        (b'apiVersion: v1\nkind: "Config"\n', "a kubeconfig", "etcdctl snapshot save"),
        (b'\n{"kind": "Pod"}', "JSON", "etcdctl snapshot save"),
        (b"<?xml version='1.0'?><Error>", "XML, as object stores answer for an error", "etcdctl"),
        (b"<!DOCTYPE HTML><p>", "a web page", "etcdctl"),
        (b"Error: context deadline exceeded\nmore\n", "text that begins with «Error: context", "etcdctl"),
        ("schön\n".encode() * 1000, "text that begins with «schön»", "etcdctl"),
        (b"\x01\x02\xff\xfe" * 50, "data of an unknown kind; it begins with 0102fffe0102fffe", "etcdctl"),
        (b"\x81" * 544, "data of an unknown kind, with the length of a snapshot; it begins", "encrypted"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_it_is_and_what_to_do(tmp_path, data, what, hint):
    file = tmp_path / "file"
    file.write_bytes(data)
    (finding,) = verify(file).findings
    assert finding.rule == "not-a-snapshot"
    assert finding.evidence.startswith(f"it is {what}")
    assert hint in finding.fix


def test_a_character_that_is_cut_in_two_is_still_text():
    start = ("x" * 4095 + "ö").encode()[:4096]
    assert described(start, 10_000)[0].startswith("text that begins with «xxx")
