"""A piece passes through encryption whole, or an error is raised: whichever write it was that failed."""

import io
import os
import threading

import pyrage
import pytest

from kubectl_admin.backup.seal.pipe import NoKeyError, Sealed, SealError, opened, with_tags
from kubectl_admin.errors import AdminError

OURS, OTHER = (pyrage.x25519.Identity.generate() for _ in range(2))
TO = [OURS.to_public()]
DATA = os.urandom(300_000)
SIZES = [0, 1, 65535, 65536, 65537, 131072, 300_000]


class Failing:
    """A sink whose write number N fails, or says that it has taken what it has not."""

    def __init__(self, number=0):
        self.number, self.count, self.taken = number, 0, bytearray()

    def __call__(self, data):
        self.count += 1
        if self.count == self.number:
            raise OSError(28, "No space left on device")
        self.taken += data


def sealed(data=DATA, sink=None, step=70_000):
    sink = sink or Failing()
    with Sealed(sink, TO) as sealing:
        for offset in range(0, len(data), step):
            sealing.write(data[offset : offset + step])
    return bytes(sink.taken)


def unsealed(stored, identities=(OURS,), sink=None):
    sink = sink or Failing()
    opened(io.BytesIO(stored).read, sink, identities)
    return bytes(sink.taken)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_is_opened(size):
    stored = sealed(DATA[:size])
    assert unsealed(stored) == DATA[:size]
    assert pyrage.decrypt(stored, [OURS]) == DATA[:size]
    assert stored.endswith(stored[-with_tags(size) :])


@pytest.mark.parametrize("size", SIZES)
def test_a_write_that_fails_is_raised_whichever_it_is(size):
    whole = Failing()
    sealed(DATA[:size], whole)
    assert whole.count >= 1
    for number in range(1, whole.count + 1):
        with pytest.raises(OSError, match="No space left"):
            sealed(DATA[:size], Failing(number))


def test_a_write_that_fails_while_it_is_opened_is_raised_whichever_it_is():
    stored = sealed()
    whole = Failing()
    unsealed(stored, sink=whole)
    for number in range(1, whole.count + 1):
        with pytest.raises(OSError, match="No space left"):
            unsealed(stored, sink=Failing(number))


def test_a_read_that_fails_is_raised_as_it_is():
    stored = sealed()
    for last in range(30):
        reader, count = io.BytesIO(stored), [0]

        def read(length, reader=reader, count=count, last=last):
            count[0] += 1
            if count[0] > last:
                raise AdminError("the store has gone")
            return reader.read(length)

        with pytest.raises(AdminError, match="the store has gone"):
            opened(read, Failing(), [OURS])


def test_whoever_writes_and_fails_has_its_own_error():
    before = threading.active_count()
    sink = Failing()

    def fail():
        with Sealed(sink, TO) as sealing:
            sealing.write(DATA)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert threading.active_count() == before
    with pytest.raises((SealError, NoKeyError)):
        unsealed(bytes(sink.taken))


def test_an_interruption_ends_the_thread():
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Sealed(Failing(), TO):
        raise KeyboardInterrupt
    assert threading.active_count() == before


def test_a_sink_that_fails_stops_whoever_writes():
    with pytest.raises(OSError, match="No space left"):
        sealed(DATA * 1000, Failing(1))


def test_no_more_waits_than_there_is_room_for():
    let = threading.Event()
    written = []

    def sink(_data):
        let.wait(60)

    def write(sealing):
        for _ in range(100):
            sealing.write(bytes(1 << 20))
            written.append(1)

    with Sealed(sink, TO) as sealing:
        writer = threading.Thread(target=write, args=(sealing,))
        writer.start()
        while len(written) < 4:
            pass
        held = len(written)
        let.set()
        writer.join()
    assert held < 10
    assert len(written) == 100


def test_another_key():
    with pytest.raises(NoKeyError):
        unsealed(sealed(), [OTHER])
    with pytest.raises(NoKeyError):
        unsealed(sealed(), [])


def test_each_cut_and_each_change_is_seen():
    stored = sealed(DATA[:140_000])
    for end in [*range(0, 400, 13), *range(400, len(stored), 9_973), len(stored) - 1]:
        with pytest.raises((SealError, NoKeyError)):
            unsealed(stored[:end])
        bad = bytearray(stored)
        bad[end] ^= 1
        with pytest.raises((SealError, NoKeyError)):
            unsealed(bytes(bad))
    with pytest.raises(SealError):
        unsealed(stored + b"x")


def test_the_header_of_a_hundred_recipients_is_measured():
    many = [pyrage.x25519.Identity.generate().to_public() for _ in range(99)]
    sink = Failing()
    with Sealed(sink, [*many, *TO]) as sealing:
        sealing.write(DATA)
    assert unsealed(bytes(sink.taken)) == DATA


def test_a_header_without_an_end_is_not_kept_in_memory():
    stanza = b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n"
    source = io.BytesIO(b"age-encryption.org/v1\n" + stanza * 100_000)
    with pytest.raises(SealError):
        opened(source.read, Failing(), [OURS])
    assert source.tell() < 1 << 20


def test_an_armoured_file_is_none_of_ours():
    stored = pyrage.encrypt(b"data", TO, armored=True)
    with pytest.raises(SealError):
        unsealed(stored)
