"""Keys are read from the files that people have, and no secret is ever part of an error."""

import subprocess

import pyrage
import pytest

from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal import passphrase
from kubectl_admin.backup.seal.keys import identities, of_archive, public, under_passphrase
from kubectl_admin.errors import AdminError, UsageError
from tests.unit.backup.samples import RECIPIENT

OURS = pyrage.x25519.Identity.generate()
TEXT = str(OURS)


def never(_title):
    raise AssertionError("asked")


def opens(found, to):
    return pyrage.decrypt(pyrage.encrypt(b"data", public([to])), found) == b"data"


def ssh_key(directory, kind="ed25519", words=""):
    path = directory / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", words, "-C", "me@here", "-f", path], check=True)
    return path.read_bytes(), path.with_suffix(".pub").read_text()


def test_a_file_of_age_has_keys_and_comments():
    data = f"# created: today\n# public key: x\n{TEXT}\n\n".encode()
    assert opens(identities(data, "key.txt", never), str(OURS.to_public()))


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_key_of_ssh(tmp_path, kind):
    data, to = ssh_key(tmp_path, kind)
    assert opens(identities(data, "id", never), to)


def test_a_file_of_age_under_a_passphrase():
    data = passphrase.sealed(f"{TEXT}\n".encode(), "p", work=4)
    asked = []
    found = identities(data, "key.age", lambda title: asked.append(title) or "p")
    assert asked == ["key.age"]
    assert opens(found, str(OURS.to_public()))
    with pytest.raises(UsageError, match=r"the passphrase is not the one of key\.age"):
        identities(data, "key.age", lambda _title: "q")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "holds no secret key"),
        (b"# nothing\n", "holds no secret key"),
        (b"\xff\xfe\0", "line 1 is not a secret key of age"),
        (RECIPIENT.encode(), "line 1 is not a secret key of age"),
        (f"{TEXT}\n{TEXT[:-1]}\n".encode(), "line 2 is not a secret key of age"),
        (b"AGE-PLUGIN-YUBIKEY-1QQQ\n", "is a key of a plugin of age"),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----\n",
            "is not a secret key of SSH",
        ),
        (b"x" * (2 << 20), "is too long"),
        ((TEXT + "\n").encode() * 101, "more than 100"),
    ],
)
def test_what_is_no_identity(data, says):
    with pytest.raises(UsageError, match=says) as caught:
        identities(data, "key.txt", never)
    assert TEXT[16:30] not in caught.value.what + (caught.value.hint or "")


def test_a_key_of_ssh_under_a_passphrase_says_what_to_do(tmp_path):
    data, _ = ssh_key(tmp_path, words="secret words")
    with pytest.raises(UsageError, match="without a passphrase") as caught:
        identities(data, "id", never)
    assert "ssh-keygen -p" in caught.value.hint


def test_a_recipient_with_a_wrong_letter():
    with pytest.raises(UsageError, match="is not a recipient: a part of it is missing or wrong"):
        public([RECIPIENT[:-1] + "q"])


def test_the_key_of_an_archive_opens_by_its_passphrase_alone():
    key = under_passphrase("correct horse")
    assert (key.head.kind, key.head.name, key.head.unpacked) == (Kind.KEY, "key.age", 75)
    assert opens(of_archive(key.stored, "a.tar", lambda _title: "correct horse"), key.recipient)
    with pytest.raises(AdminError, match=r"a\.tar: the passphrase is not the one of its key\.age"):
        of_archive(key.stored, "a.tar", lambda _title: "correct")
