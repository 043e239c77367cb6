"""The kind of a file that is not a database of etcd, in words for the person who named it by mistake."""

import re

# Offset of a mark, the mark, the kind of the file, and what to do about it.
MARKS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x8b", "compressed with gzip", "unpack it first: gunzip"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with Zstandard", "unpack it first: unzstd"),
    (0, b"\xfd7zXZ\x00", "compressed with xz", "unpack it first: unxz"),
    (0, b"BZh", "compressed with bzip2", "unpack it first: bunzip2"),
    (0, b"\x04\x22\x4d\x18", "compressed with LZ4", "unpack it first: unlz4"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it first: unzip"),
    (257, b"ustar", "a tar archive", "unpack it first: tar -xf"),
    (0, b"age-encryption.org/", "encrypted with age", "decrypt it first: age --decrypt"),
    (0, b"-----BEGIN AGE ENCRYPTED", "encrypted with age", "decrypt it first: age --decrypt"),
    (0, b"-----BEGIN PGP MESSAGE", "encrypted with OpenPGP", "decrypt it first: gpg --decrypt"),
    (0, b"-----BEGIN ", "a PEM file: a key or a certificate", ""),
    (0, b"Salted__", "encrypted with openssl enc", "decrypt it first: openssl enc -d"),
    (0, b"SQLite format 3\x00", "an SQLite database", ""),
    (0, b"\x7fELF", "a program (ELF)", ""),
    (0, b"\x04\x00\x00\x00\x00\x00\x00\x84", "a write-ahead log of etcd (member/wal)", ""),
    (0, b"%PDF-", "a PDF", ""),
)
WORDS = (
    ("<?xml", "XML, as object stores answer for an error"),
    ("<!doctype html", "a web page"),
    ("<html", "a web page"),
    ("{", "JSON"),
)
KUBECONFIG = re.compile(r"""^kind:\s*(["']?)Config\1\s*$""", re.MULTILINE)
SHOWN = 60
DEFAULT_HINT = "name a file that «etcdctl snapshot save» has written"


def described(start: bytes, size: int) -> tuple[str, str]:
    """The kind of the file, as a clause behind «it is», and what to do.

    start: its first KiB or so. size: its length in bytes.
    """
    for found in (_zeros(start, size), _marked(start), _text_kind(start)):
        if found:
            return found
    begins = f"it begins with {start[:8].hex()}"
    if size % 512 == 32:
        what = f"data of an unknown kind, with the length of a snapshot; {begins}"
        return what, "it is encrypted, or its beginning was overwritten"
    return f"data of an unknown kind; {begins}", DEFAULT_HINT


def _zeros(start: bytes, size: int) -> tuple[str, str] | None:
    hint = "writing it failed: check the free space of the disk, then take the snapshot again"
    if not size:
        return "empty", hint
    if not start.strip(b"\0"):
        return f"{size:,} bytes that begin with nothing but zeros", hint
    return None


def _marked(start: bytes) -> tuple[str, str] | None:
    for at, mark, what, hint in MARKS:
        if start[at : at + len(mark)] == mark:
            return what, hint or DEFAULT_HINT
    return None


def _text_kind(start: bytes) -> tuple[str, str] | None:
    if not (text := _text(start).lstrip()):
        return None
    for word, what in WORDS:
        if text.lower().startswith(word):
            return what, DEFAULT_HINT
    if KUBECONFIG.search(text):
        return "a kubeconfig", DEFAULT_HINT
    if "apiVersion:" in text:
        return "a manifest in YAML", DEFAULT_HINT
    return f"text that begins with «{text.splitlines()[0][:SHOWN]}»", DEFAULT_HINT


def _text(start: bytes) -> str:
    """The bytes as text; "" if they are not text."""
    try:
        text = start.decode()
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3:  # the last character may be cut
            return ""
        text = start[: error.start].decode()
    return text if text.translate({9: None, 10: None, 13: None}).isprintable() else ""
