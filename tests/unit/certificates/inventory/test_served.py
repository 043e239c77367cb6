"""What a port shows, over a forwarded port that a real TLS server answers behind."""

import ssl

import pytest

from kubectl_admin.certificates.inventory import disk, served
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.cluster.portforward import PortError
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import CLOSE, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.certificates.samples import key_pem, pem

PATH = "/api/v1/namespaces/kube-system/pods/kube-proxy-x/portforward"
PORT = (6443).to_bytes(2, "little")


@pytest.fixture
def server():
    with StandIn().serving() as stand_in:
        yield stand_in


@pytest.fixture
def context(tmp_path):
    """What the server behind the port shows."""
    path = tmp_path / "pair.pem"
    path.write_bytes(pem("kube-apiserver", serial=0xABC) + key_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def secured(context):
    """A node that forwards a port to a server with TLS."""

    def talk(wire):
        wire.accept("v4.channel.k8s.io")
        wire.send(0, PORT)
        wire.send(1, PORT)
        arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(arrived, leaving, server_side=True)
        for _channel, data in wire.messages():
            arrived.write(data)
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                wire.send(0, leaving.read())
                wire.frame(CLOSE, b"")
                return
            if said := leaving.read():
                wire.send(0, said)

    return talk


def test_the_certificate_that_a_port_shows(server, context):
    server.on("GET", PATH, secured(context))
    found = served.certificate(server.connect(), "kube-proxy-x", 6443)
    assert (found.common_name, found.serial_text) == ("kube-apiserver", "0ABC")
    assert server.asked[0].query == [("ports", "6443")]


def test_an_api_server_that_hangs_up_on_the_kubelet_is_asked_again(server, context):
    server.clock = Clock()
    lost = status(500, "InternalError", "error dialing backend: use of closed network connection")
    server.on("GET", PATH, lost, lost, secured(context))
    assert served.certificate(server.connect(), "kube-proxy-x", 6443).common_name == "kube-apiserver"
    server.on("GET", PATH, lost)
    with pytest.raises(ApiError, match="error dialing backend"):
        served.certificate(server.connect(), "kube-proxy-x", 6443)


def test_a_server_that_asks_for_a_client_certificate_is_seen_before(server, context):
    """As etcd is, with TLS 1.3."""
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=pem("etcd-ca", authority=True).decode())
    server.on("GET", PATH, secured(context))
    assert served.certificate(server.connect(), "kube-proxy-x", 6443).common_name == "kube-apiserver"


def test_a_server_that_takes_nobody_without_a_certificate_in_tls_1_2_is_an_error(server, context):
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=pem("etcd-ca", authority=True).decode())
    server.on("GET", PATH, secured(context))
    with pytest.raises(AdminError, match="does not speak TLS"):
        served.certificate(server.connect(), "kube-proxy-x", 6443)


def test_what_does_not_speak_tls(server):
    def talk(wire):
        wire.accept("v4.channel.k8s.io")
        next(wire.messages())
        wire.send(0, PORT + b"HTTP/1.1 400 Bad Request\r\n\r\n")
        wire.frame(CLOSE, b"")

    server.on("GET", PATH, talk)
    with pytest.raises(AdminError, match="does not speak TLS"):
        served.certificate(server.connect(), "kube-proxy-x", 6443)


def test_where_nothing_listens(server):
    def talk(wire):
        wire.accept("v4.channel.k8s.io")
        wire.send(0, PORT)
        wire.send(1, PORT + b"dial tcp4 127.0.0.1:6443: connect: connection refused")
        wire.frame(CLOSE, b"")

    server.on("GET", PATH, talk)
    with pytest.raises(PortError, match="nothing listens there"):
        served.certificate(server.connect(), "kube-proxy-x", 6443)


def test_what_a_host_sees():
    address = "10.0.0.11:2380"
    shown = f"@ served - - - {address}\n".encode()

    def script(*words):
        assert words == (disk.SCRIPT, "-", "served", "-", address)
        return shown + pem("etcd-peer") + pem("etcd-ca")

    assert served.through_host(script, address).common_name == "etcd-peer"
    with pytest.raises(AdminError, match=r"10\.0\.0\.11:2380: no certificate is shown there"):
        served.through_host(lambda *_: shown + b"? no certificate is shown there\n", address)
    with pytest.raises(AdminError, match="the node's answer does not mention it"):
        served.through_host(lambda *_: b"", address)
