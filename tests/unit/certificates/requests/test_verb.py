"""`kubectl admin certs csr approve`: what has been approved is told, whatever comes after."""

import inspect

import pytest

from kubectl_admin.certificates.requests import gather
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.cluster.paths import KUBEADM_CONFIG
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.verbs.certs_csr_approve import command
from tests.fakes.api_server import Says, StandIn, status
from tests.fakes.clock import Clock
from tests.unit.certificates.requests.samples import csr, document, made, pem

NODE = {
    "metadata": {"name": "w1"},
    "status": {
        "addresses": [
            {"type": "Hostname", "address": "w1"},
            {"type": "InternalIP", "address": "10.0.0.11"},
        ]
    },
}


def named(name, **status_):
    found = document(pem(csr()))
    found["metadata"] |= {"name": name, "uid": f"uid-{name}"}
    return {**found, "status": status_}


class Environment:
    """What the verb asks of its surroundings."""

    output = "table"

    def __init__(self, cluster):
        self.shown = []
        self.stderr = None
        self.cluster = cluster

    def cluster_for_work(self):
        return self.cluster

    def confirm(self, _question, *, yes):
        assert yes

    def show(self, shown, *_, **__):
        self.shown.append(shown)


@pytest.fixture
def cluster():
    """Three requests that are right, and signed as soon as they are approved."""
    with StandIn().serving() as server:
        server.clock = Clock()
        server.on("GET", gather.REQUESTS, Says(body={"items": [named(name) for name in "abc"]}))
        for name in "abc":
            there = f"{gather.REQUESTS}/{name}"
            server.on("GET", there, Says(body=named(name)))
            server.on("PUT", f"{there}/approval", Says(body=named(name)))
        server.on("GET", "/api/v1/nodes", Says(body={"metadata": {}, "items": [NODE]}))
        server.on("GET", "/api/v1/nodes/w1", Says(body=NODE))
        server.on("GET", gather.SERVICE, Says(body={"spec": {"clusterIPs": ["10.96.0.1"]}}))
        server.on("GET", KUBEADM_CONFIG, status(404, "NotFound", "not found"))
        server.on("GET", gather.SLICES, Says(body={"metadata": {}, "items": []}))
        yield server.connect()


def run(environment):
    options = {"names": (), "all_valid": True, "watch": False, "how": ChangeOptions(yes=True)}
    return inspect.unwrap(command.callback)(environment, **options, longest=3600)


@pytest.mark.parametrize("error", [Unreachable("no answer"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_what_was_approved_before_an_error_is_shown(cluster, error):
    approve = cluster.put

    def put(path, *args, **options):
        if path == f"{gather.REQUESTS}/c/approval":
            raise error
        return approve(path, *args, **options)

    def watch(*_, **__):
        for name in "ab":
            yield {"type": "MODIFIED", "object": named(name, certificate=made())}

    cluster.put, cluster.watch = put, watch
    environment = Environment(cluster)
    with pytest.raises(type(error)):
        run(environment)
    (shown,) = environment.shown
    assert {item["name"]: item.get("approved") for item in shown.items()} == {"a": True, "b": True, "c": None}
