"""Keys are read from the files that people have, and no secret is ever part of an error."""

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kubectl_admin.backup.facts import Kind
from kubectl_admin.backup.seal import passphrase
from kubectl_admin.backup.seal.keys import identities, of_archive, public, under_passphrase
from kubectl_admin.errors import AdminError, UsageError
from tests.unit.backup.samples import RECIPIENT

OURS = pyrage.x25519.Identity.generate()
TEXT = str(OURS)
# As ssh-keygen wrote it once, for this test.
SSH_UNDER_PASSPHRASE = b"""\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCXZn9D+X
+ebJr8xlt8Pxh7AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILltOZ+P9TlXYc0G
CNV6dSXgMfdIAuuz2cLkl6/s56gcAAAAkJ+IuPJu/7VHQpMEY9GDbojGNy8AKAHK7x/8HB
+jKv0pm6+Q/8bHE0KgXIte2UrHL03vZ5exhzgJzuhc5RfW4Jm/NpzCLA8pEiuXgEVq2IAd
2+opOqhp/thqVt9JrrdRo7NkRFUFWp2y2brtuDyh16xf80Xk3vcyA+jY7Ck29/MFg4YEB4
sJokTg7C8eyAsWBg==
-----END OPENSSH PRIVATE KEY-----
"""


def never(_title):
    raise AssertionError("asked")


def opens(found, to):
    return pyrage.decrypt(pyrage.encrypt(b"data", public([to])), found) == b"data"


def ssh_key(kind):
    key = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    public_key = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    ), public_key.decode() + " me@here"


def test_a_file_of_age_has_keys_and_comments():
    data = f"# created: today\n# public key: x\n{TEXT}\n\n".encode()
    assert opens(identities(data, "key.txt", never), str(OURS.to_public()))


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_a_key_of_ssh(kind):
    data, to = ssh_key(kind)
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


def test_a_key_of_ssh_under_a_passphrase_says_what_to_do():
    with pytest.raises(UsageError, match="without a passphrase") as caught:
        identities(SSH_UNDER_PASSPHRASE, "id", never)
    assert "ssh-keygen -p" in caught.value.hint


def test_a_recipient_with_a_wrong_letter():
    with pytest.raises(UsageError, match="is not a recipient: a part of it is missing or wrong"):
        public([RECIPIENT[:-1] + "q"])


def test_the_key_of_an_archive_opens_by_its_passphrase_alone():
    key = under_passphrase("correct horse", work=4)
    assert (key.head.kind, key.head.name, key.head.unpacked) == (Kind.KEY, "key.age", 75)
    assert opens(of_archive(key.stored, "a.tar", lambda _title: "correct horse"), key.recipient)
    with pytest.raises(AdminError, match=r"a\.tar: the passphrase is not the one of its key\.age"):
        of_archive(key.stored, "a.tar", lambda _title: "correct")
