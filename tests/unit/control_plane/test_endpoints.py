"""Endpoints on a node's loopback: who is refused there, and which pods lead there."""

import json

import pytest

from kubectl_admin.cluster import portforward
from kubectl_admin.cluster.errors import Forbidden
from kubectl_admin.cluster.portforward import Answer
from kubectl_admin.control_plane.endpoints import forwarders, get_from_loopback
from kubectl_admin.errors import AdminError


@pytest.fixture
def refused_as(monkeypatch):
    """Makes every port answer that the user may not, whom it takes for the one of this name."""

    def refuse(user):
        message = f'forbidden: User "{user}" cannot get path "/metrics"'
        status = {"kind": "Status", "message": message, "reason": "Forbidden", "code": 403}
        answer = Answer(403, "Forbidden", {}, json.dumps(status).encode())
        monkeypatch.setattr(portforward, "http_get", lambda *_args, **_options: answer)

    return refuse


def test_a_process_that_refuses_its_user_is_one_that_wants_a_permission(refused_as):
    refused_as("jane")
    with pytest.raises(Forbidden) as caught:
        get_from_loopback(None, "kube-scheduler-cp1", 10259, "/metrics", tls=True)
    assert (caught.value.user, caught.value.verb, caught.value.resource) == ("jane", "get", "/metrics")


def test_a_process_that_does_not_know_its_user_wants_none(refused_as):
    refused_as("system:anonymous")
    with pytest.raises(AdminError, match="port 10259 does not know this user's client certificate") as caught:
        get_from_loopback(None, "kube-scheduler-cp1", 10259, "/metrics", tls=True)
    assert not isinstance(caught.value, Forbidden)


def test_a_nodes_ports_are_reached_through_a_pod_that_runs_in_its_network():
    def pod(name, node="w1", phase="Running", host=True):
        spec = {"nodeName": node, "hostNetwork": host}
        return {"metadata": {"name": name}, "spec": spec, "status": {"phase": phase}}

    pods = [pod("a", phase="Pending"), pod("b", host=False), pod("c"), pod("d"), pod("e", "w2"), pod("f", "")]
    assert forwarders(pods) == {"w1": "c", "w2": "e"}
