"""Endpoints on a node's loopback: who is refused there, and which pods lead there."""

import json

import pytest

from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.control_plane.endpoints import forwarders, get_from_loopback
from kubectl_admin.errors import AdminError
from tests.fakes.api_server import CLOSE, StandIn

PORT = (10259).to_bytes(2, "little")


def refusing(user):
    """A node that forwards a port, where the user may not, who is taken for the one of this name."""
    message = f'forbidden: User "{user}" cannot get path "/metrics"'
    body = json.dumps({"kind": "Status", "message": message, "reason": "Forbidden", "code": 403})
    answer = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\n\r\n{body}"

    def talk(wire):
        wire.accept("v4.channel.k8s.io")
        wire.send(0, PORT)
        wire.send(1, PORT)
        next(wire.messages())
        wire.send(0, answer.encode())
        wire.frame(CLOSE, b"")

    return talk


def asked(user):
    """What becomes of asking there."""
    with StandIn().serving() as server:
        server.on("GET", "/api/v1/namespaces/kube-system/pods/kube-scheduler-cp1/portforward", refusing(user))
        get_from_loopback(server.connect(), "kube-scheduler-cp1", 10259, "/metrics")


def test_a_process_that_refuses_its_user_is_one_that_wants_a_permission():
    with pytest.raises(Forbidden) as caught:
        asked("jane")
    assert (caught.value.user, caught.value.verb, caught.value.resource) == ("jane", "get", "/metrics")


def test_a_process_that_does_not_know_its_user_wants_none():
    with pytest.raises(AdminError, match="port 10259 does not know this user's client certificate") as caught:
        asked("system:anonymous")
    assert not isinstance(caught.value, Forbidden)


def test_a_nodes_ports_are_reached_through_a_pod_that_runs_in_its_network():
    def pod(name, node="w1", phase="Running", host=True):
        spec = {"nodeName": node, "hostNetwork": host}
        return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}}

    pods = [pod("a", phase="Pending"), pod("b", host=False), pod("c"), pod("d"), pod("e", "w2"), pod("f", "")]
    assert forwarders(pods) == {"w1": "c", "w2": "e"}
