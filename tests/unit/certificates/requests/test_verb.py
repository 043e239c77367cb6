"""`kubectl admin certs csr approve`: what has been approved is told, whatever comes after."""

import inspect
from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.requests import approve as approval
from kubectl_admin.certificates.requests import gather
from kubectl_admin.certificates.requests.approve import Outcome
from kubectl_admin.certificates.requests.facts import request_of
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.verbs.certs_csr_approve import command
from tests.unit.certificates.requests.samples import NODES, csr, document, pem


def named(name):
    found = document(pem(csr()))
    found["metadata"] |= {"name": name, "uid": f"uid-{name}"}
    return request_of(found)


class Environment:
    """What the verb asks of its surroundings."""

    def __init__(self):
        self.shown = []
        self.stderr = None

    def cluster_for_work(self):
        return SimpleNamespace(server="https://10.0.0.1:6443", target=SimpleNamespace(context="prod"))

    output = "table"

    def confirm(self, _question, *, yes):
        assert yes

    def show(self, shown, *_, **__):
        self.shown.append(shown)


@pytest.fixture
def three(monkeypatch):
    """Three requests that are right."""
    seen = gather.Seen("prod", tuple(map(named, "abc")), NODES)
    monkeypatch.setattr(gather, "gather", lambda _cluster: seen)
    monkeypatch.setattr(approval, "await_issued", lambda _cluster, outcomes: list(outcomes))


def run(environment):
    options = {"names": (), "all_valid": True, "watch": False, "how": ChangeOptions(yes=True)}
    return inspect.unwrap(command.callback)(environment, **options, longest=3600)


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("error", [Unreachable("no answer"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_what_was_approved_before_an_error_is_shown(monkeypatch, error):
    def approved(_cluster, judged, *_):
        if judged.request.name == "c":
            raise error
        return Outcome(judged, approved=True)

    monkeypatch.setattr(approval, "approve", approved)
    environment = Environment()
    with pytest.raises(type(error)):
        run(environment)
    (shown,) = environment.shown
    assert {item["name"]: item.get("approved") for item in shown.items()} == {"a": True, "b": True, "c": None}
