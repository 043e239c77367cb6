"""NaCl's secretbox (XSalsa20 and Poly1305), decrypted; cryptography has the second half alone.

For a few small values: 64 bytes take some 50 microseconds. Nothing is encrypted here.

Sources: cr.yp.to/snuffle/xsalsa-20110204.pdf, cr.yp.to/snuffle/spec.pdf, nacl.cr.yp.to/secretbox.html;
apiserver pkg/storage/value/encrypt/secretbox/secretbox.go (the nonce comes first).
"""

from collections.abc import Sequence
from itertools import count
from struct import Struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.poly1305 import Poly1305

KEY, NONCE, TAG = 32, 24, 16  # bytes
BLOCK = 64  # bytes of the stream that are made at a time
SIGMA = Struct("<4I").unpack(b"expand 32-byte k")
WORD = 0xFFFF_FFFF
WORDS_4, WORDS_8, WORDS_16 = Struct("<4I"), Struct("<8I"), Struct("<16I")
# The places of the four words in each quarter of a round: columns, then rows.
QUARTERS = (
    (0, 4, 8, 12),
    (5, 9, 13, 1),
    (10, 14, 2, 6),
    (15, 3, 7, 11),
    (0, 1, 2, 3),
    (5, 6, 7, 4),
    (10, 11, 8, 9),
    (15, 12, 13, 14),
)
ROUNDS = 20


def opened(key: bytes, data: bytes) -> bytes | None:
    """What the box holds; None where it was made with another key, or changed. data: its nonce first."""
    if len(key) != KEY or len(data) < NONCE + TAG:
        return None
    nonce, tag, sealed = data[:NONCE], data[NONCE : NONCE + TAG], data[NONCE + TAG :]
    inner = _hashed(key, nonce[:16])
    first = _block(inner, nonce[16:], 0)
    try:
        Poly1305.verify_tag(first[:KEY], sealed, tag)
    except InvalidSignature:
        return None
    stream = bytearray(first[KEY:])
    for number in count(1):
        if len(stream) >= len(sealed):
            break
        stream += _block(inner, nonce[16:], number)
    size = len(sealed)
    return (int.from_bytes(sealed) ^ int.from_bytes(stream[:size])).to_bytes(size)


def _hashed(key: bytes, nonce: bytes) -> bytes:
    """HSalsa20: the key for the rest of the nonce."""
    words = _rounds(_state(key, WORDS_4.unpack(nonce)))
    return WORDS_8.pack(*(words[at] for at in (0, 5, 10, 15, 6, 7, 8, 9)))


def _block(key: bytes, nonce: bytes, number: int) -> bytes:
    """A block of Salsa20's stream."""
    state = _state(key, WORDS_4.unpack(nonce + number.to_bytes(8, "little")))
    mixed = zip(_rounds(state), state, strict=True)
    return WORDS_16.pack(*(a + b & WORD for a, b in mixed))


def _state(key: bytes, rest: Sequence[int]) -> list[int]:
    words = WORDS_8.unpack(key)
    return [SIGMA[0], *words[:4], SIGMA[1], *rest, SIGMA[2], *words[4:], SIGMA[3]]


def _rounds(state: Sequence[int]) -> list[int]:
    words = list(state)
    for _ in range(ROUNDS // 2):
        for a, b, c, d in QUARTERS:
            words[b] ^= _turned(words[a] + words[d], 7)
            words[c] ^= _turned(words[b] + words[a], 9)
            words[d] ^= _turned(words[c] + words[b], 13)
            words[a] ^= _turned(words[d] + words[c], 18)
    return words


def _turned(word: int, by: int) -> int:
    word &= WORD
    return (word << by | word >> 32 - by) & WORD
