"""Options about a backup are checked before anything is asked."""

import pytest

from kubectl_admin.backup.chosen import chosen, passphrase_of
from kubectl_admin.backup.facts import Kind
from kubectl_admin.errors import UsageError
from tests.unit.backup.samples import RECIPIENT

SECRET = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"


def choose(*given, keys=(), passphrase=None, plain=False, only=None):
    return chosen(given, keys, passphrase, plain=plain, only=only)


@pytest.fixture
def ours():
    """Two public keys."""
    pyrage = pytest.importorskip("pyrage")
    return [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2)]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({}, "nobody is given to encrypt it to"),
        ({"only": "etcd"}, "nobody is given"),
        ({"keys": [RECIPIENT]}, "nobody is given"),
        ({"plain": True, "keys": [RECIPIENT]}, "--plain encrypts nothing"),
        ({"plain": True, "passphrase": "x"}, "--plain encrypts nothing"),
        ({"only": "etcd", "keys": [RECIPIENT]}, "--keys-recipient is for the nodes' files"),
    ],
)
def test_options_that_do_not_go_together(options, error):
    with pytest.raises(UsageError, match=error):
        choose(**options)


def test_a_secret_key_is_refused_and_never_shown(tmp_path):
    with pytest.raises(UsageError) as refused:
        choose(SECRET)
    (tmp_path / "key.txt").write_text(f"{SECRET}\n")
    with pytest.raises(UsageError) as in_file:
        choose(str(tmp_path / "key.txt"))
    assert SECRET not in f"{refused.value.what}{refused.value.hint}{in_file.value.what}{in_file.value.hint}"


def test_a_key_whose_checksum_is_wrong_is_refused(ours):
    with pytest.raises(UsageError):
        choose(ours[0][:-1] + ("q" if ours[0][-1] != "q" else "p"))


def test_each_piece_has_its_recipients(ours):
    wanted = choose(ours[0], keys=[ours[1]])
    assert wanted.of(Kind.ETCD) == wanted.of(Kind.OBJECTS) == (ours[0],)
    assert wanted.of(Kind.FILES) == (ours[1],)
    assert choose(ours[0]).of(Kind.FILES) == (ours[0],)
    assert choose(plain=True).of(Kind.ETCD) == ()
    only = choose(keys=[ours[1]], only="files")
    assert only.of(Kind.FILES) == only.of(Kind.OBJECTS) == (ours[1],)
    assert only.kinds == {Kind.FILES, Kind.OBJECTS}


def test_recipients_of_a_file(tmp_path, ours):
    (tmp_path / "r.txt").write_text("# ours\n" + "\n".join([*ours, ours[0]]))
    assert choose(str(tmp_path / "r.txt"), ours[0]).recipients == tuple(ours)


def test_a_passphrase_is_a_file_s_first_line(tmp_path):
    (tmp_path / "words").write_text("correct horse\r\nrest\n")
    assert passphrase_of(str(tmp_path / "words"), asked=False) == "correct horse"
    assert passphrase_of(None, asked=False) is None
    (tmp_path / "words").write_text("\nx")
    with pytest.raises(UsageError, match="empty"):
        passphrase_of(str(tmp_path / "words"), asked=False)
    with pytest.raises(UsageError, match="asks for one"):
        passphrase_of(str(tmp_path / "words"), asked=True)
    for file in (tmp_path / "none", tmp_path, "a\0b"):
        with pytest.raises(UsageError, match="can't be read"):
            passphrase_of(str(file), asked=False)


def test_a_passphrase_encrypts_to_a_key_of_its_own():
    pytest.importorskip("pyrage")
    wanted = choose(passphrase="correct horse")
    assert wanted.key
    assert wanted.recipients == (wanted.key.recipient,)
