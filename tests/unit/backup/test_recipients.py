"""Recipients as people write them, and secret keys that are given in their place."""

import pytest

from kubectl_admin.backup.recipients import LIMIT, MANY, Recipient, Way, recipient, recipients
from kubectl_admin.errors import UsageError
from tests.unit.backup.samples import RECIPIENT

SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"
SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def refused(text):
    with pytest.raises(UsageError) as error:
        recipient(text)
    said = f"{error.value.what} {error.value.hint}"
    assert said.isprintable()
    return said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RECIPIENT, Recipient(Way.X25519, RECIPIENT)),
        (f"  {RECIPIENT}\n", Recipient(Way.X25519, RECIPIENT)),
        ("age1tag1qqqqqqqqqqq", Recipient(Way.TAG, "age1tag1qqqqqqqqqqq")),
        ("age1tagpq1qqqqqqqqqqq", Recipient(Way.TAGPQ, "age1tagpq1qqqqqqqqqqq")),
        (SSH, Recipient(Way.SSH, SSH)),
        (f"{SSH} me@example with words", Recipient(Way.SSH, SSH)),
        ("ssh-rsa AAAAB3Nza==", Recipient(Way.SSH, "ssh-rsa AAAAB3Nza==")),
    ],
)
def test_recipients(text, expected):
    assert recipient(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age1",
        "age",
        "age1QL3Z7HJY54PW3",
        "age1bbbbbbbbbb",
        "x" * 5000,
        "\x1b[2J",
        "ssh-ed25519",
        "ssh-ed25519 ???",
        "/home/me/key.txt",
    ],
)
def test_what_is_no_recipient(text):
    assert "is not a recipient" in refused(text)


@pytest.mark.parametrize("text", ["age1yubikey1qqqqqqqqqqq", "age1pq1qqqqqqqqqqq", "age1se1qqqqqqqqqqq"])
def test_recipients_of_other_programs(text):
    assert "needs a program of its own" in refused(text)


@pytest.mark.parametrize(
    "text", ["ecdsa-sha2-nistp256 AAAA", "sk-ssh-ed25519@openssh.com AAAA", "ssh-dss AAAA"]
)
def test_other_keys_of_ssh(text):
    assert "can't be encrypted to" in refused(text)


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.lower(),
        f" {SECRET}",
        "AGE-PLUGIN-YUBIKEY-1QQQQQQQQ",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk",
    ],
)
def test_a_secret_key_is_refused_and_not_shown(text):
    said = refused(text)
    assert "secret key" in said
    assert "1GFPYY" not in said.upper()
    assert "b3BlbnNzaC1rZXk" not in said


def test_a_file_of_recipients():
    text = f"# of the team\n\n{RECIPIENT}\r\n{SSH} me\n  {RECIPIENT}  \n"
    assert recipients(text, "team.txt") == (Recipient(Way.X25519, RECIPIENT), Recipient(Way.SSH, SSH))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no recipient"),
        ("# nothing\n", "holds no recipient"),
        (f"{RECIPIENT}\nnobody\n", "line 2: 'nobody' is not a recipient"),
        (f"# created: today\n# public key: {RECIPIENT}\n{SECRET}\n", "line 3: a secret key"),
        (f"{RECIPIENT}\n# {SECRET}\n", "line 2: a secret key"),
        ("#" * (LIMIT + 1), "too long"),
        ("".join(f"ssh-rsa AAAA{number}\n" for number in range(MANY + 1)), "more than 100"),
    ],
)
def test_a_file_that_is_refused(text, why):
    with pytest.raises(UsageError) as error:
        recipients(text, "team.txt")
    assert error.value.what.startswith("team.txt")
    assert why in error.value.what
    assert SECRET not in error.value.what
