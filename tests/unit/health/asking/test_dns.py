"""One question to a DNS server, and whatever may come instead of an answer."""

import struct

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.dns import AAAA, A, addresses_in, ask, encode_name

NAME = "kubernetes.default.svc.cluster.local"
ASKED = encode_name(NAME) + struct.pack("!HH", A, 1)
ADDRESS = b"\x0a\x60\x00\x01"


def record(data=ADDRESS, name=b"\xc0\x0c", kind=A, klass=1):
    return name + struct.pack("!HHIH", kind, klass, 30, len(data)) + data


def message(*records, number=7, flags=0x8180, asked=ASKED, answers=None):
    count = len(records) if answers is None else answers
    return struct.pack("!HHHHHH", number, flags, 1, count, 0, 0) + asked + b"".join(records)


class Server:
    """A server at the other end of a stream; said: what it answers to the bytes of a question, in pieces."""

    def __init__(self, said):
        self._said = said
        self._pieces = None
        self.heard = b""

    def send(self, data):
        self.heard += data

    def recv(self):
        if self._pieces is None:
            self._pieces = iter(self._said(self.heard))
        return next(self._pieces, b"")


def test_the_addresses_of_a_name():
    def answer(question):
        length, number = struct.unpack("!HH", question[:4])
        assert length == len(question) - 2
        said = message(record(), record(b"\x0a\x60\x00\x02"), number=number)
        framed = struct.pack("!H", len(said)) + said
        return framed[:1], framed[1:9], framed[9:] + b"what follows"

    server = Server(answer)
    assert ask(server, NAME, A, "port 53") == ("10.96.0.1", "10.96.0.2")
    assert server.heard[14:] == ASKED


def test_other_records_are_passed_over():
    alias = record(encode_name("other.example"), kind=5)
    assert addresses_in(message(alias, record(), record(klass=3)), 7, ASKED, A) == ("10.96.0.1",)
    assert addresses_in(message(), 7, ASKED, A) == ()


def test_an_address_of_ip_6():
    asked = encode_name(NAME) + struct.pack("!HH", AAAA, 1)
    said = message(record(bytes(15) + b"\x01", kind=AAAA), asked=asked)
    assert addresses_in(said, 7, asked, AAAA) == ("::1",)


def test_the_case_of_letters_means_nothing():
    assert addresses_in(message(record(), asked=ASKED.upper()), 7, ASKED, A) == ("10.96.0.1",)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (message(record(), number=8), "not to this question"),
        (message(record(), flags=0x0100), "not to this question"),
        (message(record(), asked=encode_name("evil.example") + b"\0\1\0\1"), "not to this question"),
        (message(flags=0x8183), "NXDOMAIN"),
        (message(flags=0x8182), "SERVFAIL"),
        (message(flags=0x818F), "error 15"),
        (message(record(), flags=0x8380), "cut off"),
        (message(record(b"\x0a\x60"), answers=1), "wrong length"),
        (message(record()[:-2], answers=1), "ends after the message"),
        (message(record(), answers=2), "not an answer of DNS"),
        (message(record(name=b"\xbf" + b"x" * 63 + b"\0")), "a name is not one"),
        (message(record(name=b"\x3f" + b"x" * 20)), "not an answer of DNS"),
        (b"", "not an answer of DNS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not to this question"),
    ],
)
def test_what_is_no_answer(said, why):
    def answer(question):
        # The number that the question has, where the message has the right one.
        number = question[2:4] if said[:2] == b"\0\7" else said[:2]
        whole = number + said[2:]
        return (struct.pack("!H", len(whole)) + whole,)

    with pytest.raises(AdminError, match=why) as caught:
        ask(Server(answer), NAME, A, "port 53")
    assert caught.value.what.startswith("port 53: ")


@pytest.mark.parametrize("pieces", [(), (b"\0",), (b"\0\x20", b"short")])
def test_an_answer_without_an_end(pieces):
    with pytest.raises(AdminError, match="has no end"):
        ask(Server(lambda _: pieces), NAME, A, "port 53")


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64, "ü.example", ".".join(["x" * 60] * 5)])
def test_a_name_that_can_not_be_asked(name):
    with pytest.raises(AdminError, match="can't be asked"):
        encode_name(name)
