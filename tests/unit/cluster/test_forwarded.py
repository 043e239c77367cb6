"""Many ports over one WebSocket: each for itself, whatever the node and the others do."""

import threading
from collections.abc import Callable

import pytest

from kubectl_admin.cluster.errors import BrokenStream, Forbidden
from kubectl_admin.cluster.forwarded import PORTS, Forwarded, Outgoing, Port, SilentError
from kubectl_admin.cluster.portforward import PortError, answer_to
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import BINARY, CLOSE, StandIn, Wire, framed, status

PATH = "/api/v1/namespaces/kube-system/pods/etcd-cp/portforward"
V4 = "v4.channel.k8s.io"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REFUSED = b"failed to connect to localhost:10257: dial tcp4 127.0.0.1:10257: connect: connection refused"
FOREVER = 60.0  # seconds; no test waits for so long


def node(*ports: int, talk: Callable[[Wire], None]) -> Callable[[Wire], None]:
    """A node that forwards these ports, and then talks."""

    def accept(wire: Wire) -> None:
        wire.accept(V4)
        for place, port in enumerate(ports):
            wire.send(2 * place, port.to_bytes(2, "little"))
            wire.send(2 * place + 1, port.to_bytes(2, "little"))
        talk(wire)

    return accept


def opened(server: StandIn, *ports: int, timeout: float = FOREVER) -> Forwarded:
    return server.connect().forward_ports("kube-system", "etcd-cp", ports, timeout=timeout)


def ask(port: Port, path: str = "/health", limit: int = 1000) -> bytes:
    return answer_to(port, path, limit, port.what).body


def answer_all(wire: Wire) -> None:
    """Answers every question on its own channel, until the client hangs up."""
    for channel, _ in wire.messages():
        wire.send(channel, OK)


def test_each_port_has_its_answer_and_the_same_port_may_be_named_twice(server: StandIn) -> None:
    server.on("GET", PATH, node(2381, 10257, 2381, talk=answer_all))
    with opened(server, 2381, 10257, 2381) as forwarded:
        assert [ask(port) for port in reversed(forwarded.ports)] == [b"ok"] * 3
        assert [port.what for port in forwarded.ports] == [
            "port 2381 of pod kube-system/etcd-cp",
            "port 10257 of pod kube-system/etcd-cp",
            "port 2381 of pod kube-system/etcd-cp",
        ]
    assert server.asked[0].query == [("ports", "2381"), ("ports", "10257"), ("ports", "2381")]


def test_what_comes_together_with_the_consent_is_heard_at_once(server: StandIn) -> None:
    port = (10257).to_bytes(2, "little")
    messages = (b"\0" + port, b"\1" + port, b"\0hello")

    def talk(wire: Wire) -> None:
        wire.accept(V4, behind=b"".join(framed(BINARY, message) for message in messages))
        answer_all(wire)

    server.on("GET", PATH, talk)
    with opened(server, 10257) as forwarded:
        forwarded.ports[0].finish_within(FOREVER)
        assert forwarded.ports[0].recv() == b"hello"
        assert ask(forwarded.ports[0]) == b"ok"


def test_a_port_that_says_nothing_holds_up_no_other(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        for channel, _ in wire.messages():
            if channel:
                wire.send(channel, OK)

    server.on("GET", PATH, node(10257, 2381, talk=talk))
    with opened(server, 10257, 2381) as forwarded:
        silent, well = forwarded.ports
        silent.send(b"GET / HTTP/1.1\r\n\r\n")
        assert ask(well) == b"ok"
        silent.finish_within(0.0)
        with pytest.raises(SilentError, match=r"^port 10257 of pod .*: nothing answers within 0s$"):
            ask(silent)


def test_where_nothing_listens_the_others_answer(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.send(1, REFUSED)
        answer_all(wire)

    server.on("GET", PATH, node(10257, 2381, talk=talk))
    with opened(server, 10257, 2381) as forwarded:
        closed, well = forwarded.ports
        for _ in range(2):  # it stays so
            with pytest.raises(PortError, match="nothing listens there") as caught:
                ask(closed)
            assert caught.value.said == REFUSED.decode()
        assert ask(well) == b"ok"


def test_several_questions_one_after_another_on_one_port(server: StandIn) -> None:
    asked: list[bytes] = []

    def talk(wire: Wire) -> None:
        for channel, data in wire.messages():
            asked.append(data)
            wire.send(channel, OK)

    server.on("GET", PATH, node(6443, talk=talk))
    with opened(server, 6443) as forwarded:
        (port,) = forwarded.ports
        for path in ("/readyz", "/readyz/etcd"):
            again = answer_to(
                port, path, 100, port.what, further=[("Authorization", "Bearer ü")], close=False
            )
            assert again.body == b"ok"
    assert asked[1].startswith(b"GET /readyz/etcd HTTP/1.1\r\n")
    assert b"Connection: close" not in asked[1]
    assert "Authorization: Bearer ü".encode() in asked[1]


def test_much_is_sent_in_pieces_without_waiting(server: StandIn) -> None:
    came: list[bytes] = []

    def talk(wire: Wire) -> None:
        for _, data in wire.messages():
            came.append(data)
            if sum(map(len, came)) == 100_000:
                wire.send(0, b"thanks")

    server.on("GET", PATH, node(53, talk=talk))
    with opened(server, 53) as forwarded:
        (port,) = forwarded.ports
        port.send(b"x" * 100_000)
        assert port.recv() == b"thanks"
    assert len(came) == 4


def test_a_lost_connection_is_told_to_every_port(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.send(0, b"half")

    server.on("GET", PATH, node(1, 2, talk=talk))
    with opened(server, 1, 2) as forwarded:
        first, second = forwarded.ports
        assert first.recv() == b"half"
        errors = []
        for port in (first, second):
            with pytest.raises(BrokenStream) as caught:
                port.recv()
            errors.append(caught.value)
    assert errors[0] is not errors[1]


def test_a_connection_that_is_closed_is_the_end_of_every_port(server: StandIn) -> None:
    server.on("GET", PATH, node(1, 2, talk=lambda wire: wire.frame(CLOSE, b"")))
    with opened(server, 1, 2) as forwarded:
        assert [port.recv() for port in forwarded.ports] == [b"", b""]


def test_all_is_over_after_the_time_limit(server: StandIn) -> None:
    server.on("GET", PATH, node(1, talk=lambda wire: list(wire.messages())))
    with (
        opened(server, 1, timeout=2) as forwarded,
        pytest.raises(BrokenStream, match="not done within 2s"),
    ):
        forwarded.ports[0].recv()


def test_who_hangs_up_is_gone_and_ports_end(server: StandIn) -> None:
    gone = threading.Event()

    def talk(wire: Wire) -> None:
        wire.send(0, b"hello")
        list(wire.messages())
        gone.set()

    server.on("GET", PATH, node(1, talk=talk))
    with opened(server, 1) as forwarded:
        assert forwarded.ports[0].recv() == b"hello"
    assert gone.wait(10)
    with pytest.raises(BrokenStream):
        forwarded.ports[0].recv()
    forwarded.ports[0].send(b"into the void")
    forwarded.close()


def test_more_than_is_wanted_is_not_kept(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        for channel, _ in wire.messages():
            wire.send(channel, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000)
            wire.send(channel, b"y" * 1000)
            wire.frame(CLOSE, b"")

    server.on("GET", PATH, node(1, talk=talk))
    with opened(server, 1) as forwarded:
        (port,) = forwarded.ports
        port.limit(1500)
        with pytest.raises(AdminError, match=r"^port 1 of pod .*: more than 1500 bytes have come$"):
            ask(port, limit=1 << 20)


def test_channels_of_no_port_are_passed_over(server: StandIn) -> None:
    def talk(wire: Wire) -> None:
        wire.send(2, b"who?")
        wire.send(255, b"who?")
        answer_all(wire)

    server.on("GET", PATH, node(1, talk=talk))
    with opened(server, 1) as forwarded:
        assert ask(forwarded.ports[0]) == b"ok"


def test_no_permission(server: StandIn) -> None:
    server.on("GET", PATH, lambda wire: wire.refuse(status(403, "Forbidden", "pods is forbidden")))
    with pytest.raises(Forbidden):
        opened(server, 1)


@pytest.mark.parametrize("ports", [(), (1,) * (PORTS + 1)])
def test_not_more_ports_than_channels_have_numbers(server: StandIn, ports: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ports in one connection"):
        opened(server, *ports)


def test_what_comes_behind_an_error_is_not_kept():
    outgoing = Outgoing()
    port = Port("port 1", 0, outgoing)
    port.hear(b"before")
    port.hear(PortError("port 1", "refused"))
    heard = port.heard
    port.hear(PortError("port 1", "refused again"))
    port.hear(b"late")
    assert port.heard == heard
    assert port.recv() == b"before"
    with pytest.raises(PortError, match=r"refused$"):
        port.recv()
    outgoing.close()
