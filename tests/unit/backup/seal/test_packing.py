"""What is packed comes out again; what a stranger has packed has limits."""

import subprocess
import sys
import textwrap

import pytest

from kubectl_admin.backup.seal.packing import FRAMES, Packed, PackingError, Unpacked, zstd
from tests.program import ROOT

DATA = bytes(range(256)) * 20_000


def packed(data=DATA, step=100_000):
    out = bytearray()
    packing = Packed(out.extend)
    for offset in range(0, len(data), step):
        packing.write(data[offset : offset + step])
    packing.close()
    return bytes(out)


def unpacked(stored, limit, step=1 << 20):
    out = bytearray()
    unpacking = Unpacked(out.extend, limit)
    for offset in range(0, len(stored), step):
        unpacking.write(stored[offset : offset + step])
    unpacking.close()
    return bytes(out)


@pytest.mark.parametrize("data", [DATA, b"", b"x"], ids=["much", "nothing", "a byte"])
@pytest.mark.parametrize("step", [1 << 20, 7])
def test_what_is_packed_comes_out_again(data, step):
    assert unpacked(packed(data), len(data), step) == data


def test_the_tool_of_everybody_unpacks_it():
    ended = subprocess.run(["zstd", "-dc"], input=packed(), capture_output=True, check=True)
    assert ended.stdout == DATA


def test_frames_behind_each_other_are_one_stream():
    assert unpacked(packed(b"one") + packed(b"") + packed(b"two"), 6) == b"onetwo"


def test_a_cut_is_seen_at_every_byte():
    stored = packed(b"content " * 9)
    for end in range(len(stored)):
        with pytest.raises(PackingError):
            unpacked(stored[:end], 72)


def test_a_changed_byte_is_seen():
    stored = packed(b"content" * 9)
    for at in range(len(stored)):
        bad = bytearray(stored)
        bad[at] ^= 1
        try:
            assert unpacked(bytes(bad), 63) == b"content" * 9  # a bit of the frame that says nothing
        except PackingError:
            continue


def test_no_more_comes_out_than_was_announced():
    out = bytearray()
    unpacking = Unpacked(out.extend, 1000)
    with pytest.raises(PackingError, match="holds more than the 1000 bytes that it announces"):
        unpacking.write(zstd.compress(bytes(1 << 30)))
    assert len(out) <= 1000


def test_a_window_of_two_gib_is_refused():
    # A frame's head: magic, no size of content, a window of 2 GiB (RFC 8878, 3.1.1.1.2).
    head = b"\x28\xb5\x2f\xfd" + bytes([0, (31 - 10) << 3])
    with pytest.raises(PackingError, match="is not packed as kubectl admin packs"):
        unpacked(head + b"\x01\x00\x00", 1)


def test_a_flood_of_frames_ends():
    stored = zstd.compress(b"") * (FRAMES + 1)
    with pytest.raises(PackingError, match="too many parts"):
        unpacked(stored, 0)


def test_memory_stays_small_whatever_is_unpacked():
    code = """
        import resource
        from kubectl_admin.backup.seal.packing import Unpacked, zstd
        option = zstd.CompressionParameter
        packing = zstd.ZstdCompressor(options={option.window_log: 23})
        bomb = b"".join(packing.compress(bytes(1 << 20)) for _ in range(300)) + packing.flush()
        room = 100 << 20
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
        unpacking = Unpacked(lambda data: None, 300 << 20)
        unpacking.write(bomb)
        unpacking.close()
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, cwd=ROOT, timeout=300)
