"""A snapshot opened on a node: in which order things are made there, and what ends it."""

import os
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import certificates, on_node
from kubectl_admin.etcd.past.survey import Candidate
from kubectl_admin.node.send import LocalFile
from tests.fakes.host import OPERATION
from tests.unit.etcd.past.samples import PAST

NO_ROOM = AdminError("node cp-1: 1 MiB are free")


class Node:
    """The stand-in of a host: notes what is run there. answers: of scripts, by their names."""

    node = "cp-1"
    operation = OPERATION

    def __init__(self, **answers):
        self.answers = {"past-start": b"started\n", "past-go": b"going\n"} | {
            name.replace("_", "-"): answer for name, answer in answers.items()
        }
        self.ran = []
        self.given = {}

    def script(self, script, *arguments, stdin=None, **_):
        self.ran.append(script.name)
        self.given[script.name] = (arguments, b"".join(stdin()) if stdin else b"")
        answer = self.answers.get(script.name, b"")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def answer(self, _script, *_arguments):
        return self.answers.get("past-state", b"unit running\n")

    def persistently(self, action, **_):
        return action()

    def say(self, what):
        raise AssertionError(what)

    def start(self, *_arguments, **_):
        self.ran.append("send")
        raise NO_ROOM


@pytest.fixture
def opening(tmp_path):
    """Opens a file on a node, until it is to be sent, which fails."""
    path = tmp_path / "a.db"
    path.write_bytes(b"x")
    descriptor = os.open(path, os.O_RDONLY)
    digest = sha256(b"x").hexdigest()
    file = LocalFile("a.db", descriptor, 1, 1, digest, (digest,))

    @contextmanager
    def opened(node):
        words = PAST, node, "/d", Candidate("cp-1", "e", "a"), file, certificates.make()
        with on_node.started(*words, lambda _: nullcontext(lambda *_: None)) as alive:
            yield alive

    yield opened
    os.close(descriptor)


def test_the_unit_that_removes_all_is_there_before_anything_else(opening):
    """A run that is killed while it sends leaves what ends by itself."""
    node = Node()
    with pytest.raises(AdminError, match="1 MiB are free"), opening(node):
        pass
    assert node.ran == ["past-start", "past-begin", "send"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"busy restore\n", "node cp-1: other work is running there: kubectl-admin-restore"),
        (b"ended\n", "node cp-1: the systemd unit of the opened snapshot has ended"),
        (b"what\n", "node cp-1: unexpected answer of the host: b'what\\n'"),
    ],
)
def test_a_unit_that_is_not_started_is_the_end(opening, answer, said):
    node = Node(past_start=answer)
    with pytest.raises(AdminError) as raised, opening(node):
        pass
    assert raised.value.what == said
    assert node.ran == ["past-start"]


def test_the_network_of_the_host_is_the_end():
    with pytest.raises(AdminError, match="no network of its own"):
        on_node.refuse_unstarted("cp-1", b"shared\n")
    on_node.refuse_unstarted("cp-1", b"going\n")


def test_a_connection_that_finds_no_way_has_the_node_asked_at_once():
    """The pod may be gone: the next question makes another one."""
    asked = []
    with pytest.raises(AdminError, match="1 MiB are free"):
        on_node.carrier(Node(), "/d", SimpleNamespace(wake=lambda: asked.append(1)), [])
    assert asked == [1]


def test_the_files_are_a_line_each_and_then_the_end():
    assert on_node.lines_of({"a": b"x", "b": b"\0"}) == b"a eA==\nb AA==\nend\n"
