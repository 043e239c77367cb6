"""Bytes under a passphrase are as age has them: its own library opens them, and they are opened from it."""

import pyrage
import pytest

from kubectl_admin.backup.seal import passphrase
from kubectl_admin.backup.seal.passphrase import (
    NotSealedError,
    WorkError,
    WrongPassphraseError,
    is_under_passphrase,
    opened,
    sealed,
)

QUICK = 4


def never():
    raise AssertionError("asked")


@pytest.mark.parametrize("data", [b"x", b"AGE-SECRET-KEY-1\n", bytes(65536)])
def test_the_library_opens_what_is_sealed_here(data):
    assert pyrage.passphrase.decrypt(sealed(data, "grüße", QUICK), "grüße") == data


def test_what_the_library_has_sealed_is_opened_here():
    stored = pyrage.passphrase.encrypt(b"data", "grüße")
    assert opened(stored, lambda: "grüße") == b"data"
    assert is_under_passphrase(stored)


def test_the_work_does_not_depend_on_the_machine():
    assert b" 18\n" in sealed(b"x", "p")[:100]


def test_another_passphrase_opens_nothing():
    with pytest.raises(WrongPassphraseError):
        opened(sealed(b"x", "one", QUICK), lambda: "two")


def test_too_much_work_is_refused_before_a_passphrase_is_asked_for():
    stored = sealed(b"x", "p", QUICK)
    for work in (b"21", b"22", b"30", b"99"):
        with pytest.raises(WorkError):
            opened(stored.replace(b" 4\n", b" %s\n" % work), never)


def test_each_changed_byte_is_seen():
    stored = sealed(b"secret", "p", QUICK)
    for at in range(len(stored)):
        bad = bytearray(stored)
        bad[at] ^= 1
        if b" 5\n" in bad:
            continue  # the work: the key is another then, seen below
        with pytest.raises((NotSealedError, WrongPassphraseError, WorkError)):
            opened(bytes(bad), lambda: "p")
    with pytest.raises(WrongPassphraseError):
        opened(stored.replace(b" 4\n", b" 5\n"), lambda: "p")


def test_another_text_of_the_same_bytes_is_seen():
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stored = sealed(b"secret", "p", QUICK)
    last = stored.index(b"\n", stored.index(b"\n---") + 1) - 1  # of the MAC
    other = letters[letters.index(stored[last]) ^ 1]
    with pytest.raises(NotSealedError):
        opened(stored[:last] + bytes([other]) + stored[last + 1 :], lambda: "p")


def test_each_cut_is_seen():
    stored = sealed(b"secret", "p", QUICK)
    for end in range(len(stored)):
        with pytest.raises(NotSealedError):
            opened(stored[:end], lambda: "p")


def test_more_than_a_chunk_is_not_taken():
    with pytest.raises(NotSealedError):
        opened(sealed(bytes(passphrase.CHUNK * 2), "p", QUICK), never)
