"""Why a question has no answer, in the words that real nodes and API servers have used."""

import json

import pytest

from kubectl_admin.cluster.errors import BrokenStream, Forbidden, NothingSent, Unreachable, refusal
from kubectl_admin.cluster.forwarded import SilentError
from kubectl_admin.cluster.portforward import PortError
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking.silence import of_address, of_port, of_proxy, of_way
from kubectl_admin.health.facts import Why
from kubectl_admin.pool import LateError
from tests.fakes.api_server import refusal as status

FORWARDING = (
    "error forwarding port 1 to pod 138d, uid : failed to execute portforward in network namespace"
    ' "host": failed to connect to localhost:1 inside namespace "138d", IPv4: dial tcp4 127.0.0.1:1:'
    " connect: "
)
CONTAINERD = (
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix'
    ' /run/containerd/containerd.sock: connect: no such file or directory"'
)
BY_KUBELET = (
    "Forbidden (user=kube-apiserver-kubelet-client, verb=create, resource=nodes, subresource(s)=[proxy])"
)
BY_SERVER = (
    'pods "x" is forbidden: User "jane" cannot create resource "pods/portforward" in API group "" in the'
    ' namespace "kube-system"'
)


def answered(code, message, reason="InternalError"):
    """The error that an API server's Status is."""
    body = json.dumps(status(code, reason, message)).encode()
    return refusal(code, body, {}, "CONNECT /x")


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            PortError("port 1", FORWARDING + "connection refused IPv6 dial tcp6: no suitable address"),
            Why.REFUSED,
        ),
        (PortError("port 1", FORWARDING + "connection timed out"), Why.SILENT),
        (PortError("port 1", "read tcp4: read: connection reset by peer"), Why.GARBLED),
        (PortError("port 1", 'failed to find sandbox "138d" in store: not found'), Why.FORWARD),
        (SilentError("port 1: nothing answers within 3 s"), Why.SILENT),
        (AdminError("port 1: it does not speak TLS"), Why.GARBLED),
        (BrokenStream("the ports of pod x: the connection was lost"), Why.FORWARD),
        (BrokenStream("the ports of pod x: not done within 9s"), Why.LATE),
        (LateError("no answer within 9 s"), Why.LATE),
    ],
)
def test_a_port_that_does_not_answer(error, why):
    assert of_port(error).why is why


@pytest.mark.parametrize(
    ("error", "why", "said"),
    [
        (
            answered(500, "error dialing backend: dial tcp 10.0.0.12:10250: connect: connection refused"),
            Why.NODE,
            "error dialing backend: dial tcp 10.0.0.12:10250: connect: connection refused",
        ),
        (
            answered(500, "error dialing backend: remote error: tls: internal error"),
            Why.NODE,
            "error dialing backend: remote error: tls: internal error",
        ),
        (answered(500, CONTAINERD), Why.FORWARD, CONTAINERD),
        (
            answered(401, "Unauthorized", "Unauthorized"),
            Why.FORWARD,
            "the kubelet refuses the API server: Unauthorized",
        ),
        (
            answered(403, BY_KUBELET, "Forbidden"),
            Why.FORWARD,
            f"the kubelet refuses the API server: {BY_KUBELET}",
        ),
        (answered(403, BY_SERVER, "Forbidden"), Why.FORBIDDEN, f"Error from server (Forbidden): {BY_SERVER}"),
        (
            answered(404, 'pods "x" not found', "NotFound"),
            Why.NO_WAY,
            'Error from server (NotFound): pods "x" not found',
        ),
        # Nothing at all has come within the time for one answer: the API server waits for the kubelet.
        (
            Unreachable("Unable to connect to the server: dial 10.0.0.1:6443: i/o timeout"),
            Why.SILENT,
            "the kubelet has not answered the API server within 3 s",
        ),
        (
            NothingSent("The connection to the server 10.0.0.1:6443 was refused - did you specify"),
            Why.SERVER,
            "10.0.0.1:6443: connection refused",
        ),
        # No API server has agreed on TLS: that says nothing of the kubelet.
        (
            NothingSent("Unable to connect to the server: dial 10.0.0.1:6443: i/o timeout"),
            Why.SERVER,
            "dial 10.0.0.1:6443: i/o timeout",
        ),
        (LateError("no answer within 9 s"), Why.LATE, "no answer within 9 s"),
    ],
)
def test_a_node_to_which_no_way_leads(error, why, said):
    found = of_way(error, 3.0)
    assert (found.why, found.said) == (why, said)


def test_the_right_that_is_missing_is_named():
    found = of_way(answered(403, BY_SERVER, "Forbidden"), 3.0)
    assert found.permission == "create and get pods/portforward in namespace kube-system"
    error = answered(403, BY_SERVER, "Forbidden")
    assert isinstance(error, Forbidden)
    assert of_proxy(error).permission == "get pods/proxy in namespace kube-system"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            answered(
                503, "error trying to reach service: dial tcp 10.0.0.11:6443: connect: connection refused"
            ),
            Why.REFUSED,
        ),
        (answered(404, 'pods "x" not found', "NotFound"), Why.NO_WAY),
        (Unreachable("Unable to connect to the server: x answers too slowly"), Why.SILENT),
        (LateError("no answer within 9 s"), Why.LATE),
    ],
)
def test_an_api_server_that_was_asked_through_another(error, why):
    assert of_proxy(error).why is why


@pytest.mark.parametrize(
    ("error", "why", "said"),
    [
        (
            NothingSent("The connection to the server 10.0.0.1:6443 was refused - did you specify"),
            Why.REFUSED,
            "10.0.0.1:6443: connection refused",
        ),
        (
            Unreachable("Unable to connect to the server: dial 10.0.0.1:6443: i/o timeout"),
            Why.SILENT,
            "dial 10.0.0.1:6443: i/o timeout",
        ),
        (AdminError("server of lab must be text"), Why.NO_WAY, "server of lab must be text"),
    ],
)
def test_an_address_at_which_nobody_answers(error, why, said):
    found = of_address(error)
    assert (found.why, found.said) == (why, said)


def test_words_are_cut():
    assert len(of_port(PortError("port 1", "x" * 5000)).said) == 300
    assert len(of_way(answered(500, "x" * 5000), 1.0).said) == 300
