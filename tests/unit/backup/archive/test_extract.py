"""What an archive holds is written below one directory, and nowhere else; or nothing is."""

import os
import stat
from dataclasses import replace

import pyrage
import pytest

from kubectl_admin.backup import ustar
from kubectl_admin.backup.archive.extract import extract
from kubectl_admin.backup.archive.read import Reading
from kubectl_admin.backup.archive.source import opened
from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.ustar import Entry, Type
from kubectl_admin.errors import AdminError, UsageError
from tests.unit.backup.archive.archives import CONTENT, heads, written

OURS, OTHER = (pyrage.x25519.Identity.generate() for _ in range(2))
CA = "etc/kubernetes/pki/ca.crt"


def tar(*entries):
    """A tar of these entries; a pair is a file and its content."""
    parts = []
    for one in entries:
        entry, content = one if isinstance(one, tuple) else (one, b"")
        parts += [ustar.header(replace(entry, size=len(content))), content]
        parts.append(bytes(ustar.padded(len(content)) - len(content)))
    return b"".join([*parts, ustar.END])


def file(name, content=b"content", **changes):
    return Entry(name, **changes), content


GOOD = tar(
    Entry("etc/kubernetes/pki", type=Type.DIRECTORY, mode=0o777),
    file(CA, b"ca", mode=0o6777, uid=4711),
    file("etc/kubernetes/pki/ca.key", b"key"),
    file("var/lib/kubelet/config.yaml", b""),
    Entry("var/lib/kubelet/pki/kubelet-client-current.pem", type=Type.LINK, target="/etc/shadow"),
)


def taken(path, directory, wanted="", files=GOOD, identities=(OURS,)):
    written(path, heads((str(OURS.to_public()),)), {**CONTENT, Kind.FILES: files})
    return again(path, directory, wanted, identities)


def again(path, directory, wanted="", identities=(OURS,)):
    with opened(path) as source:
        return extract(Reading(source, "a.tar"), identities, wanted, directory)


def there(directory):
    return sorted(str(each.relative_to(directory)) for each in directory.rglob("*") if not each.is_dir())


def test_all_of_it(tmp_path):
    target = tmp_path / "out"
    done = taken(tmp_path / "a.tar", target)
    assert there(target) == sorted(path for path, _ in done.files)
    assert (target / "files-cp-1" / CA).read_bytes() == b"ca"
    assert (target / "etcd.db").read_bytes() == CONTENT[Kind.ETCD]
    assert [link.name for link in done.links] == ["files-cp-1/var/lib/kubelet/pki/kubelet-client-current.pem"]
    for each in [target, *target.rglob("*")]:
        assert stat.S_IMODE(each.stat().st_mode) == (0o700 if each.is_dir() else 0o600)
        assert each.stat().st_uid == os.geteuid()


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (f"files-cp-1/{CA}", [f"files-cp-1/{CA}"]),
        ("files-cp-1/etc/kubernetes/", [f"files-cp-1/{CA}", "files-cp-1/etc/kubernetes/pki/ca.key"]),
        ("etcd.db", ["etcd.db"]),
    ],
)
def test_a_part_of_it(tmp_path, wanted, found):
    done = taken(tmp_path / "a.tar", tmp_path / "out", wanted)
    assert there(tmp_path / "out") == found == [path for path, _ in done.files]


@pytest.mark.parametrize("wanted", ["files-cp-2", "files-cp-1/etc/none", "../etc", "manifest.json"])
def test_what_is_not_in_it(tmp_path, wanted):
    with pytest.raises(UsageError, match=r"a\.tar holds no «"):
        taken(tmp_path / "a.tar", tmp_path / "out", wanted)
    assert there(tmp_path / "out") == [] if (tmp_path / "out").exists() else True


@pytest.mark.parametrize(
    "files",
    [
        tar(file("a"), file("../../escaped")),
        tar(file("a"), file("/tmp/escaped")),
        tar(file("a"), file("b/../../escaped")),
        tar(Entry("link", type=Type.LINK, target=".."), file("link/escaped")),
        tar(file("a"), file("a/below")),
        tar(file("a"), file("a")),
        tar(file("a"))[:-512],
        tar(file("a")) + b"\0" * 512,
        tar(file("a"))[:1024],
        tar(file("a")).replace(b"ustar\x0000", b"ustar  \0", 1),
        b"",
        b"\xff" * 2048,
    ],
)
def test_what_is_not_safe_writes_nothing(tmp_path, files):
    with pytest.raises(AdminError, match=r"^a\.tar: "):
        taken(tmp_path / "a.tar", tmp_path / "out", files=files)
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["a.tar", "out"]


@pytest.mark.parametrize("kind", [b"1", b"3", b"4", b"6", b"x", b"L", b"S"])
def test_nothing_but_files_is_made(tmp_path, kind):
    block = bytearray(tar(file("a"), file("device", b"")))
    header = bytearray(ustar.header(Entry("device")))
    header[156:157] = kind
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    bad = bytes(block).replace(ustar.header(Entry("device")), bytes(header))
    with pytest.raises(AdminError, match=r"a\.tar: files-cp-1\.tar\.zst\.age: an entry is"):
        taken(tmp_path / "a.tar", tmp_path / "out", files=bad)
    assert there(tmp_path / "out") == []


def test_a_damaged_piece_writes_nothing(tmp_path):
    taken(tmp_path / "a.tar", tmp_path / "out")
    data = bytearray((tmp_path / "a.tar").read_bytes())
    data[-2000] ^= 1
    (tmp_path / "a.tar").write_bytes(data)
    with pytest.raises(AdminError, match="is not what was written"):
        again(tmp_path / "a.tar", tmp_path / "other")
    assert there(tmp_path / "other") == []


def test_another_key_writes_nothing(tmp_path):
    with pytest.raises(AdminError, match="none of these keys opens"):
        taken(tmp_path / "a.tar", tmp_path / "out", identities=(OTHER,))
    assert there(tmp_path / "out") == []


def test_nothing_that_is_there_is_replaced(tmp_path):
    taken(tmp_path / "a.tar", tmp_path / "out", f"files-cp-1/{CA}")
    (tmp_path / "out" / "files-cp-1" / CA).write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"ca\.crt already exists"):
        again(tmp_path / "a.tar", tmp_path / "out")
    assert there(tmp_path / "out") == [f"files-cp-1/{CA}"]
    assert (tmp_path / "out" / "files-cp-1" / CA).read_bytes() == b"mine"


@pytest.mark.parametrize("link", ["files-cp-1", "files-cp-1/etc", f"files-cp-1/{CA}", "etcd.db"])
def test_no_link_that_is_there_is_followed(tmp_path, link):
    outside = tmp_path / "outside"
    outside.mkdir()
    place = tmp_path / "out" / link
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    with pytest.raises((UsageError, AdminError)):
        taken(tmp_path / "a.tar", tmp_path / "out")
    assert there(outside) == []


def test_the_directory_is_not_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="can't be used as a directory"):
        taken(tmp_path / "a.tar", tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can't be used as a directory"):
        again(tmp_path / "a.tar", tmp_path / "file")
    with pytest.raises(UsageError, match="can't be used as a directory"):
        again(tmp_path / "a.tar", tmp_path / "no" / "such")
