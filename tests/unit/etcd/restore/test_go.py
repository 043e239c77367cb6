"""The word to begin: given, refused, or unknown, whatever becomes of the stream in which it was."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.cluster.exec import ExecResult
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.flags import Access
from kubectl_admin.etcd.members.pods import member
from kubectl_admin.etcd.restore.go import Answer, FullError, Go, Talker, talkers
from tests.fakes.clock import Clock
from tests.unit.etcd.members.samples import etcd_pod

ID = "0123456789"
P = f"/kubectl-admin/restore/{ID}"
NODES = ("cp-1", "cp-2", "cp-3")
COMPARE = re.compile(r'(create|version)\("(.*)"\) ([=>]) "0"')


@dataclass
class FakeEtcd:
    """A cluster of etcd by the words of etcdctl.

    late: transactions that will be applied only when the next request comes.
    """

    id: int = (1 << 64) - 5
    keys: dict[str, str] = field(default_factory=dict)
    late: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    said: str = ""  # an error of every write

    def answer(self, words: Sequence[str], given: str | None) -> dict[str, Any]:
        for txn in self.late:
            self.transact(txn)
        self.late.clear()
        header = {"cluster_id": self.id, "revision": 7}
        match words:
            case ["lease", "grant", "600"]:
                return {**header, "ID": 7587896573498124550, "TTL": 600}
            case ["put", key, value, "--lease=694d9fbb2fc26906"]:
                self.keys[key] = value
                return {"header": header}
            case ["txn"]:
                assert given is not None
                return {"header": header, **self.transact(given)}
        raise AssertionError(words)

    def transact(self, given: str) -> dict[str, Any]:
        parts = [part.splitlines() for part in (given + "\n").split("\n\n")]
        compares, then, otherwise = ([line for line in part if line] for part in parts[:3])
        found = [COMPARE.fullmatch(line) for line in compares]
        assert all(found)
        if all((one[2] in self.keys) == (one[3] == ">") for one in found if one):
            for line in then:
                _, key, value, *_ = line.split()
                self.keys[key] = value
            return {"succeeded": True}
        gets = [line.split()[1] for line in otherwise]
        return {
            "responses": [
                {"Response": {"response_range": {"kvs": [1]} if key in self.keys else {}}} for key in gets
            ]
        }


@dataclass
class Way:
    """The way to one member. fates: of the next requests: «done», «lost», «before», «later», «refused»."""

    etcd: FakeEtcd
    fates: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    others: str = "done"  # the fate of all after those

    def run(self, words: Sequence[str], stdin: Iterable[bytes] | None) -> ExecResult:
        assert words[:2] == ["etcdctl", "--endpoints=https://127.0.0.1:2379"]
        words = list(words[words.index("--write-out=json") + 1 :])
        given = None if stdin is None else b"".join(stdin).decode()
        self.asked.append(words[0])
        fate = self.fates.pop(0) if self.fates else self.others
        if fate == "before":
            raise BrokenStream("cut before it began")
        if fate == "later":
            assert given
            self.etcd.late.append(given)
            raise BrokenStream("cut on the way")
        if fate.startswith("Error"):
            return ExecResult(1, b"", fate.encode())
        answer = self.etcd.answer(words, given)
        if fate == "lost":
            raise BrokenStream("cut on the way back")
        return ExecResult(0, json.dumps(answer).encode(), b"")


def go_of(*ways: Way, clock: Clock | None = None) -> Go:
    access = Access("https://127.0.0.1:2379")
    members = [Talker(f"cp-{number}", access, way.run) for number, way in enumerate(ways, 1)]
    return Go(members, ID, NODES, clock or Clock())


def test_the_word_is_one_key_in_one_transaction():
    etcd = FakeEtcd()
    way = Way(etcd)
    assert go_of(way).give() is Answer.YES
    assert way.asked == ["lease", "put", "txn"]
    assert etcd.keys == {f"{P}/asked": "yes", f"{P}/go": "yes"}


def test_whoever_is_ready_gives_it_by_the_transaction_alone():
    etcd = FakeEtcd()
    way = Way(etcd)
    go = go_of(way)
    go.get_ready()
    assert way.asked == ["lease", "put"]
    assert f"{P}/go" not in etcd.keys
    assert go.give() is Answer.YES
    assert way.asked == ["lease", "put", "txn"]


@pytest.mark.parametrize("key", [*(f"back/{node}" for node in NODES), "stop"])
def test_no_word_where_a_node_is_back_already(key):
    etcd = FakeEtcd(keys={f"{P}/{key}": "1"})
    assert go_of(Way(etcd)).give() is Answer.NO
    assert f"{P}/go" not in etcd.keys


def test_an_answer_that_is_lost_on_its_way_is_yes():
    etcd = FakeEtcd()
    assert go_of(Way(etcd, ["done", "done", "lost"])).give() is Answer.YES
    assert f"{P}/stop" not in etcd.keys


def test_a_transaction_that_never_began_is_no_for_good():
    etcd = FakeEtcd()
    assert go_of(Way(etcd, ["done", "done", "before"])).give() is Answer.NO
    assert go_of(Way(etcd)).give() is Answer.NO
    assert f"{P}/go" not in etcd.keys


def test_a_transaction_that_comes_late_comes_before_it_is_forbidden_or_never():
    etcd = FakeEtcd()
    assert go_of(Way(etcd, ["done", "done", "later"])).give() is Answer.YES
    etcd = FakeEtcd()
    txn = Way(etcd, ["done", "done", "later"])
    assert go_of(txn).give() is Answer.YES
    forbidden = FakeEtcd()
    assert go_of(Way(forbidden, ["done", "done", "before"])).give() is Answer.NO
    before = dict(forbidden.keys)
    forbidden.transact(
        "".join(f'create("{P}/{key}") = "0"\n' for key in ("back/cp-1", "stop")) + f"\nput {P}/go yes\n\n\n"
    )
    assert forbidden.keys == before


def test_what_nobody_settles_is_unknown_and_never_no():
    clock = Clock()
    way = Way(FakeEtcd(), ["done", "done", "lost"], others="before")
    assert go_of(way, clock=clock).give() is Answer.UNKNOWN
    assert sum(clock.slept) >= 60


def test_another_member_settles_it():
    etcd = FakeEtcd()
    first = Way(etcd, ["done", "done", "lost"], others="before")
    assert go_of(first, Way(etcd)).give() is Answer.YES


def test_an_api_server_that_answers_late_settles_it():
    way = Way(FakeEtcd(), ["done", "done", "before", "before", "before", "lost", "done"])
    assert go_of(way).give() is Answer.NO


def test_the_restored_etcd_answers_only_after_the_word():
    old, restored = FakeEtcd(), FakeEtcd(id=5)
    way = Way(old, ["done", "done", "lost"], others="before")
    assert go_of(way, Way(restored)).give() is Answer.YES
    assert restored.keys == {}


def test_an_error_of_the_transaction_is_settled():
    etcd = FakeEtcd()
    way = Way(etcd, ["done", "done", "Error: etcdserver: request timed out"])
    assert go_of(way).give() is Answer.NO


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_full_etcd_takes_no_word(step):
    fates = ["done"] * step + ["Error: etcdserver: mvcc: database space exceeded"]
    way = Way(FakeEtcd(), fates)
    with pytest.raises(FullError, match="NOSPACE"):
        go_of(way).give()


def test_the_next_member_is_asked_where_one_grants_no_lease():
    etcd = FakeEtcd()
    broken = Way(etcd, others="before")
    assert go_of(broken, Way(etcd)).give() is Answer.YES
    assert broken.asked == ["lease"]


def test_no_word_where_no_member_grants_a_lease():
    way = Way(FakeEtcd(), others="Error: context deadline exceeded")
    with pytest.raises(AdminError, match="deadline exceeded"):
        go_of(way).give()
    assert "txn" not in way.asked
    with pytest.raises(AdminError, match="no member"):
        go_of().give()


def test_another_etcd_that_answers_a_moment_later_is_not_asked():
    class Other(FakeEtcd):
        def answer(self, *_: Any) -> dict[str, Any]:
            return {"cluster_id": 5, "ID": 6, "header": {"cluster_id": 4}}

    way = Way(Other())
    with pytest.raises(AdminError, match="another etcd"):
        go_of(way).give()
    assert way.asked == ["lease", "put"]


def test_members_are_spoken_to_in_their_own_pods_with_their_own_files():
    asked = []

    class Api:
        """A cluster that runs nothing."""

        def exec(self, *where: object, stdin: object, timeout: float) -> object:
            asked.append((where, stdin, timeout))
            raise BrokenStream("cut")

    pod = member(etcd_pod("cp-1"))
    (there,) = talkers(Api(), [pod, replace(pod, flags=replace(pod.flags, config_file="/x"))])
    with pytest.raises(AdminError, match="cut"):
        there.ask(["txn"], "x")
    (((namespace, name, container, words), stdin, timeout),) = asked
    assert (namespace, name, container) == ("kube-system", "etcd-cp-1", "etcd")
    assert words[:4] == [
        "etcdctl",
        "--endpoints=https://127.0.0.1:2379",
        "--cacert=/etc/kubernetes/pki/etcd/ca.crt",
        "--cert=/etc/kubernetes/pki/etcd/server.crt",
    ]
    assert (list(stdin), timeout) == ([b"x"], 15.0)


def test_where_it_was_never_given_there_is_nothing_to_settle():
    way = Way(FakeEtcd())
    assert go_of(way).settle() is Answer.NO
    assert way.asked == []
