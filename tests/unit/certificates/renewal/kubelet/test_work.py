"""One node's kubelet asked for new certificates: approved, seen served, heard of, or told why not."""

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.renewable import CLIENT, SERVING
from kubectl_admin.certificates.renewal.facts import Node, Survey
from kubectl_admin.certificates.renewal.kubelet import work
from kubectl_admin.certificates.renewal.plan import Step
from kubectl_admin.certificates.requests.approve import Outcome
from kubectl_admin.certificates.requests.issued import Issued
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.node.jobs import Ended
from tests.unit.certificates.renewal.samples import certificate, on_disk
from tests.unit.certificates.requests.samples import NODES, REQUEST

MINE = replace(REQUEST, name="csr-2", uid="u2")


class World:
    """Node w1, what its kubelet gets, and what the cluster shows meanwhile."""

    def __init__(self, monkeypatch, *names, signed=False):
        self.checked = 0
        settings = {"serverTLSBootstrap": "true" if signed else ""}
        seen = tuple(on_disk(name, "w1") for name in (CLIENT, SERVING))
        self.node = Node("w1", seen, Survey(), settings=settings)
        self.serials = {CLIENT: 101, SERVING: 101}  # of what lies there afterwards
        self.served = [101]
        self.heard = ["t1", "t2"]  # when the kubelet told that it lives, look by look
        self.requests = [[REQUEST], [REQUEST, MINE]]  # at the start, and look by look
        self.issued = Issued("abc", datetime(2027, 11, 25, tzinfo=UTC))
        self.ended = Ended(0, "")
        self.words, self.approved, self.cleared, self.said = [], [], 0, []
        host = SimpleNamespace(node="w1", pod=("kube-system", "debug"))
        self.worker = work.Worker(self, host, Step(self.node, names, names), self.said.append, self.check)
        monkeypatch.setattr(work, "looks", lambda _seconds, _interval: iter(range(4)))
        monkeypatch.setattr(work, "workspace", lambda _host: nullcontext())
        monkeypatch.setattr(work, "cleared", self.clearing)
        monkeypatch.setattr(work, "require", lambda _cluster, rights: self.said.append(rights))
        monkeypatch.setattr(work.jobs, "start", self.start)
        monkeypatch.setattr(work, "on_disk", self.on_disk)
        monkeypatch.setattr(work.gather, "outlines", self.outlines)
        monkeypatch.setattr(work.gather, "request", self.request)
        monkeypatch.setattr(work.gather, "nodes", lambda _cluster: NODES)
        monkeypatch.setattr(work, "changes", self.changes)
        monkeypatch.setattr(work, "outline_of", lambda request: replace(request, content=None))
        monkeypatch.setattr(work, "approve", self.approve)
        monkeypatch.setattr(work, "await_issued", self.await_issued)
        monkeypatch.setattr(work.served, "certificate", self.shown)

    @contextmanager
    def clearing(self, _host, _say):
        try:
            yield
        finally:
            self.cleared += 1

    def check(self):
        self.checked += 1

    def start(self, _host, _name, _folder, script, words, *, check):
        check()
        self.words.append((script.name, *words))
        return SimpleNamespace(wait=self.wait)

    def wait(self, *, limit):
        assert limit > work.COMING
        return self.ended

    def on_disk(self, _host, node):
        seen = tuple(replace(one, content=certificate(self.serials[one.name])) for one in node.seen)
        return replace(node, seen=seen)

    def outlines(self, _cluster, signer):
        assert signer == MINE.signer
        found = self.requests.pop(0) if len(self.requests) > 1 else self.requests[0]
        if isinstance(found, AdminError):
            raise found
        return tuple(replace(one, content=None) for one in found)

    def changes(self, cluster, _seconds, fields):
        yield from ((False, one) for one in self.outlines(cluster, fields.removeprefix("spec.signerName=")))

    def request(self, _cluster, name):
        return next(one for one in self.requests[0] if one.name == name)

    def approve(self, _cluster, judged, _nodes):
        self.approved.append(judged.request.name)
        return Outcome(judged, approved=True)

    def await_issued(self, _cluster, outcomes):
        return [
            replace(one, issued=self.issued, problem="; ".join(self.issued.differences)) for one in outcomes
        ]

    def shown(self, _cluster, pod, port, *, namespace):
        assert (namespace, pod, port) == ("kube-system", "debug", 10250)
        serial = self.served.pop(0) if len(self.served) > 1 else self.served[0]
        if isinstance(serial, AdminError):
            raise serial
        return certificate(serial)

    def get(self, path):
        assert path.endswith("/namespaces/kube-node-lease/leases/w1")
        found = self.heard.pop(0) if len(self.heard) > 1 else self.heard[0]
        if isinstance(found, AdminError):
            raise found
        return {"spec": {"renewTime": found}}


def test_a_client_certificate_is_in_use_when_its_kubelet_was_heard_of_again(monkeypatch):
    world = World(monkeypatch, CLIENT)
    world.heard = ["t1", Unreachable("no answer"), "t1", "t2"]
    done = world.worker.work()
    assert world.words == [("certs-kubelet", "client", "120")]
    assert [(one.name, one.before.serial, one.after.serial, one.served) for one in done.changed] == [
        (CLIENT, 1, 101, None)
    ]
    assert (done.restarted, done.backup, world.cleared) == (("kubelet",), "", 1)


def test_a_kubelet_that_is_not_heard_of_any_more(monkeypatch):
    world = World(monkeypatch, CLIENT)
    world.heard = ["t1"]
    with pytest.raises(AdminError, match="is not heard of any more"):
        world.worker.work()


def test_what_a_server_made_itself_needs_nobodys_approval(monkeypatch):
    world = World(monkeypatch, SERVING)
    world.served = [1, AdminError("no answer"), 101]
    done = world.worker.work()
    assert done.changed[0].served
    assert (world.approved, len(world.requests)) == ([], 2)


def test_a_servers_request_is_approved_as_soon_as_it_is_there(monkeypatch):
    world = World(monkeypatch, CLIENT, SERVING, signed=True)
    world.requests = [[REQUEST], Unreachable("no answer"), [REQUEST], [REQUEST, MINE]]
    done = world.worker.work()
    assert world.said[0] == work.APPROVING
    assert world.approved == ["csr-2"]
    assert [(one.name, one.served) for one in done.changed] == [(CLIENT, None), (SERVING, True)]
    assert world.checked == 2
    assert world.cleared == 2


def test_what_somebody_else_has_approved_is_left_alone(monkeypatch):
    world = World(monkeypatch, SERVING, signed=True)
    world.requests = [[REQUEST], [REQUEST, replace(MINE, approved=True)]]
    assert world.worker.work().changed[0].served
    assert world.approved == []


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (replace(MINE, usages=("client auth",)), r"its request csr-2 is refused: "),
        (replace(MINE, username="system:node:w2"), "it has made no request"),
    ],
)
def test_a_request_that_is_not_right_is_told_and_the_old_certificate_works_on(monkeypatch, request_, words):
    world = World(monkeypatch, SERVING, signed=True)
    world.requests = [[REQUEST], [REQUEST, request_]]
    world.ended = Ended(1, "12:00:00 the kubelet is started anew\nno new one came within 120 s\n")
    with pytest.raises(AdminError, match=words) as error:
        world.worker.work()
    assert "the certificate that it had" in error.value.hint
    assert (world.approved, world.cleared) == ([], 1)


def test_a_certificate_that_is_not_what_was_judged_ends_it_when_the_node_is_tidied_up(monkeypatch):
    world = World(monkeypatch, SERVING, signed=True)
    world.issued = replace(world.issued, differences=("it names kubernetes as well",))
    with pytest.raises(AdminError, match="not what was judged: it names kubernetes as well") as error:
        world.worker.work()
    assert "kubectl delete node w1" in error.value.hint
    assert world.cleared == 1


def test_the_jobs_last_words_are_told(monkeypatch):
    world = World(monkeypatch, CLIENT)
    world.ended = Ended(1, "12:00:00 the kubelet is started anew\nno new one came within 120 s\n")
    with pytest.raises(AdminError, match="w1: kubelet-client was not rotated: no new one came within 120 s"):
        world.worker.work()


@pytest.mark.parametrize("name", [CLIENT, SERVING])
def test_the_same_certificate_as_before_is_none(monkeypatch, name):
    world = World(monkeypatch, name)
    world.serials[name] = 1
    with pytest.raises(AdminError, match="is the one from before"):
        world.worker.work()
