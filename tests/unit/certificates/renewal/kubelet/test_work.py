"""One node's kubelet asked for new certificates: approved, seen served, heard of, or told why not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kubectl_admin.certificates.renewable import CLIENT, SERVING
from kubectl_admin.certificates.renewal.facts import Node, Survey
from kubectl_admin.certificates.renewal.kubelet import work
from kubectl_admin.certificates.renewal.plan import NodeStep
from kubectl_admin.certificates.renewal.work import Site
from kubectl_admin.certificates.requests.approve import Outcome
from kubectl_admin.certificates.requests.issued import Issued
from kubectl_admin.certificates.requests.policy import judge
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from tests.fakes.renewal import Host
from tests.unit.certificates.renewal.samples import certificate, on_disk
from tests.unit.certificates.requests.samples import NODES, REQUEST

MINE = replace(REQUEST, name="csr-2", uid="u2")


JOB_FAILED = "12:00:00 restarting the kubelet\nno new certificate came within 120s\n"


class World:
    """Node w1, what its kubelet gets, and what the cluster shows meanwhile."""

    def __init__(self, *names, signed=False):
        self.checked = 0
        settings = {"serverTLSBootstrap": "true" if signed else ""}
        seen = tuple(on_disk(name, "w1") for name in (CLIENT, SERVING))
        self.node = Node("w1", seen, Survey(), settings=settings)
        self.serials = {CLIENT: 101, SERVING: 101}  # of what is there afterwards
        self.serves = [101]
        self.heard = ["t1", "t2"]  # when the kubelet has renewed its Lease, look by look
        self.requests = [[REQUEST], [REQUEST, MINE]]  # at the start, and look by look
        self.issued = Issued("abc", datetime(2027, 11, 25, tzinfo=UTC))
        self.approved, self.said, self.required = [], [], 0
        self.host = Host("w1")
        site = Site(self.host, self.said.append, self.check)
        self.worker = work.Worker(site, self, self, NodeStep.of("rotate", self.node, names, names))

    def check(self):
        self.checked += 1

    def with_disk(self, node):
        seen = tuple(replace(one, content=certificate(self.serials[one.name])) for one in node.seen)
        return replace(node, seen=seen)

    def served(self):
        serial = next_of(self.serves)
        if isinstance(serial, AdminError):
            raise serial
        return certificate(serial)

    def heartbeat(self):
        found = next_of(self.heard)
        if isinstance(found, AdminError):
            raise found
        return found

    def require_rights(self):
        self.required += 1

    def outlines(self):
        found = next_of(self.requests)
        if isinstance(found, AdminError):
            raise found
        return [replace(one, content=None) for one in found]

    changes = outlines

    def judged(self, name):
        return judge(next(one for one in self.requests[0] if one.name == name), NODES)

    def approve(self, judged):
        self.approved.append(judged.request.name)
        return Outcome(judged, approved=True)

    def await_issued(self, outcome):
        return replace(outcome, issued=self.issued, problem="; ".join(self.issued.differences))


def next_of(answers):
    """The next answer; the last one for ever."""
    return answers.pop(0) if len(answers) > 1 else answers[0]


def test_a_client_certificate_is_in_use_when_its_kubelet_was_heard_of_again():
    world = World(CLIENT)
    world.heard = ["t1", Unreachable("no answer"), "t1", "t2"]
    done = world.worker.work()
    assert world.host.jobs == [("client", "120")]
    assert [(one.name, one.before.serial, one.after.serial, one.served) for one in done.changed] == [
        (CLIENT, 1, 101, None)
    ]
    assert (done.restarted, done.backup, world.host.discarded.count("certs")) == (("kubelet",), "", 1)


def test_a_kubelet_that_is_not_heard_of_any_more():
    world = World(CLIENT)
    world.heard = ["t1"]
    with pytest.raises(AdminError, match="has sent no heartbeat since"):
        world.worker.work()


def test_what_a_server_made_itself_needs_nobodys_approval():
    world = World(SERVING)
    world.serves = [1, AdminError("no answer"), 101]
    done = world.worker.work()
    assert done.changed[0].served
    assert (world.approved, len(world.requests)) == ([], 2)


def test_a_servers_request_is_approved_as_soon_as_it_is_there():
    world = World(CLIENT, SERVING, signed=True)
    world.requests = [[REQUEST], Unreachable("no answer"), [REQUEST], [REQUEST, MINE]]
    done = world.worker.work()
    assert world.required == 1
    assert world.approved == ["csr-2"]
    assert [(one.name, one.served) for one in done.changed] == [(CLIENT, None), (SERVING, True)]
    assert world.checked == 2
    assert world.host.discarded.count("certs") == 2


def test_what_somebody_else_has_approved_is_left_alone():
    world = World(SERVING, signed=True)
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
def test_a_request_that_is_not_right_is_told_and_the_old_certificate_works_on(request_, words):
    world = World(SERVING, signed=True)
    world.requests = [[REQUEST], [REQUEST, request_]]
    world.host.exit_code, world.host.log = (
        1,
        JOB_FAILED,
    )
    with pytest.raises(AdminError, match=words) as error:
        world.worker.work()
    assert "the certificate that it had" in error.value.hint
    assert (world.approved, world.host.discarded.count("certs")) == ([], 1)


def test_a_certificate_that_is_not_what_was_judged_ends_it_when_the_node_is_tidied_up():
    world = World(SERVING, signed=True)
    world.issued = replace(world.issued, differences=("it also names kubernetes",))
    with pytest.raises(AdminError, match="not what was judged: it also names kubernetes") as error:
        world.worker.work()
    assert "kubectl delete node w1" in error.value.hint
    assert world.host.discarded.count("certs") == 1


def test_the_jobs_last_words_are_told():
    world = World(CLIENT)
    world.host.exit_code, world.host.log = (
        1,
        JOB_FAILED,
    )
    with pytest.raises(
        AdminError, match="w1: kubelet-client was not rotated: no new certificate came within 120s"
    ):
        world.worker.work()


@pytest.mark.parametrize("name", [CLIENT, SERVING])
def test_the_same_certificate_as_before_is_none(name):
    world = World(name)
    world.serials[name] = 1
    with pytest.raises(AdminError, match="was not replaced"):
        world.worker.work()
