"""DNS pods that are asked for a name, in a domain that is known or not."""

import struct

import pytest

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.health.asking import dns
from kubectl_admin.health.asking.exchange import Patience
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.asking.resolvers import ask
from kubectl_admin.health.facts import NoReply, Why
from tests.fakes.clock import Clock
from tests.unit.health import made

NXDOMAIN = 3


class Port:
    """A DNS server's port; its answers have this code, and no address."""

    what = "port 53"

    def __init__(self, code):
        self._code = code
        self._answer = b""

    def finish_within(self, seconds):
        """It never hangs."""

    def limit(self, size):
        """It says little."""

    def send(self, data):
        number, asked = data[2:4], data[14:]
        flags = struct.pack("!H", dns.RESPONSE | self._code)
        message = number + flags + struct.pack("!HHHH", 1, 0, 0, 0) + asked
        self._answer = struct.pack("!H", len(message)) + message

    def recv(self):
        answer, self._answer = self._answer, b""
        return answer


class Cluster:
    """Forwards to such a server."""

    def __init__(self, code):
        self.ports = (Port(code),)
        self.wanted = None
        self.error = None

    def forward_ports(self, _namespace, _pod, ports, **_):
        self.wanted = ports
        if self.error:
            raise self.error
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def asked(domain, code):
    patience = Patience(Deadline.after(60.0, Clock()), 3.0, 1)
    return ask(Cluster(code), Listed(domain=domain), made.pod("coredns", "w1"), patience)


@pytest.mark.parametrize("code", [0, NXDOMAIN])
def test_who_knows_nothing_of_a_domain_that_was_guessed_may_be_right(code):
    found = asked("", code)
    assert found.question == "kubernetes.default.svc.cluster.local"
    assert isinstance(found.answer, NoReply)
    assert (found.answer.why, "is not known" in found.answer.said) == (Why.NO_WAY, True)


def test_who_knows_nothing_of_the_clusters_own_domain_is_at_fault():
    found = asked("example.org", NXDOMAIN)
    assert isinstance(found.answer, NoReply)
    assert (found.answer.why, "NXDOMAIN" in found.answer.said) == (Why.GARBLED, True)
    assert asked("example.org", 0).answer == ()


def test_a_kubelet_that_says_nothing_is_no_dns_server_that_is_silent():
    cluster, patience = Cluster(0), Patience(Deadline.after(60.0, Clock()), 3.0, 1)
    cluster.error = Unreachable("Unable to connect to the server: dial 10.0.0.1:6443: i/o timeout")
    found = ask(cluster, Listed(domain="example.org"), made.pod("coredns", "w1"), patience)
    assert found.answer.why is Why.FORWARD
    assert "has not answered the API server" in found.answer.said


@pytest.mark.parametrize(
    ("ports", "asked"), [({}, 53), ({"dns-tcp": 1053, "metrics": 9153}, 1053), ({"metrics": 9153}, 53)]
)
def test_a_dns_pod_is_asked_at_the_port_that_it_names(ports, asked):
    cluster, patience = Cluster(0), Patience(Deadline.after(60.0, Clock()), 3.0, 0)
    ask(cluster, Listed(domain="example.org"), made.pod("coredns", "w1", ports=ports), patience)
    assert cluster.wanted == [asked]
