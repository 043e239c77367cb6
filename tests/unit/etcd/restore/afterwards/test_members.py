"""The restored etcd seen from all its members: nothing counts that was not seen."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.etcdctl import Alarm, Hash
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.restore.afterwards import members
from kubectl_admin.finding import Gap
from tests.unit.etcd.members.samples import (
    LEADER,
    apiserver_command,
    etcd_pod,
    node_object,
    sound_member,
    state,
    static_pod,
    three,
)
from tests.unit.etcd.restore.afterwards.api import RECORD, Api

NODES = ("cp-1", "cp-2", "cp-3")
THREE = replace(RECORD, nodes=NODES, members={f"cp-{n}": f"https://192.0.2.{n}:2380" for n in (1, 2, 3)})
ONE = replace(RECORD, nodes=NODES[:1], members={"cp-1": "https://192.0.2.1:2380"})
PREFIX = "/kubectl-admin/restore/0123456789/"


def verify(*states: State, record: Any = THREE, restored: Any = NODES) -> str:
    left = list(states)

    def gather(_cluster: Any, *, compare: bool) -> State:
        assert compare
        return left.pop(0) if len(left) > 1 else left[0]

    return members.verify(Api(), record, restored, gather=gather).said  # type: ignore[arg-type]


def test_all_is_as_planned():
    assert verify(three()) == "3 members of etcd as planned, without an alarm and equal data at revision 1555"


def test_one_member_has_nobody_to_be_compared_with():
    alone = state(replace(sound_member(1), hash=None), hashed=0)
    assert verify(alone, record=ONE, restored=NODES[:1]) == "1 members of etcd as planned, without an alarm"


OTHER = Hash(0x99, 1555, 1000, 1557)
NAMELESS = replace(sound_member(2).listed, name="")  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        (state(), "no member of etcd gives the list of members"),
        (three(hash=OTHER), "the data of members differ: cp-2"),
        (three(hash=None), "could not be compared"),
        (three(status=None, problem="no pod"), r"not up: cp-2 \(no pod\)"),
        (three(listed=NAMELESS), r"list of members is not as planned: .*never started"),
        (state(sound_member(1), sound_member(2)), "list of members is not as planned"),
        (state(*three().members, sound_member(4)), "list of members is not as planned"),
        (replace(three(), alarms=(Alarm(LEADER, "NOSPACE"),)), "alarms are raised: NOSPACE"),
        (replace(three(), unanswered=(Gap("alarms", "no answer"),)), "alarms: no answer"),
        (replace(three(), hashed=0, unhashed="a compaction"), "could not be compared: a compaction"),
    ],
)
def test_what_is_not_seen_is_not_done(seen, problem):
    with pytest.raises(AdminError, match=problem):
        verify(seen)


def test_members_that_are_coming_up_are_waited_for():
    assert verify(three(status=None), three(status=None), three()).startswith("3 members")


def test_a_node_that_follows_later_is_said_and_not_waited_for():
    with pytest.raises(AdminError, match="not up: cp-2") as raised:
        verify(three(status=None), three(), restored=("cp-1", "cp-3"))
    assert raised.value.hint
    assert "cp-2; then run this again" in raised.value.hint


class Store:
    """Stands for Etcdctl. kept: keys that come again."""

    def __init__(self, *keys: str, kept: bool = False) -> None:
        self.there, self.kept, self.deleted = list(keys), kept, list[str]()

    def keys(self, prefix: str) -> tuple[str, ...]:
        return tuple(key for key in self.there if key.startswith(prefix))

    def delete(self, prefix: str) -> None:
        self.deleted.append(prefix)
        if not self.kept:
            self.there = [key for key in self.there if not key.startswith(prefix)]


def delete_keys(store: Store, restored: Any = NODES) -> str:
    done = members.delete_keys(Api(), THREE, restored, ask=lambda _, ask: ask(store))  # type: ignore[arg-type]
    return done.said


def test_the_keys_go_when_all_are_restored():
    other = "/kubectl-admin/restore/ffffffffff/go"
    store = Store(f"{PREFIX}here/cp-1", f"{PREFIX}decision", other)
    assert delete_keys(store).endswith("gone from etcd")
    assert store.there == [other]
    assert delete_keys(store).endswith("gone from etcd")
    assert store.deleted == [PREFIX]


def test_the_keys_stay_for_a_node_that_follows_later():
    store = Store(f"{PREFIX}decision")
    with pytest.raises(AdminError, match="not seen restored: cp-2"):
        delete_keys(store, ("cp-1", "cp-3"))
    assert store.deleted == []


def test_keys_that_stay_are_not_gone():
    with pytest.raises(AdminError, match="still has keys"):
        delete_keys(Store(f"{PREFIX}decision", kept=True))


def control_plane() -> Api:
    pods = [
        etcd_pod(),
        static_pod("kube-apiserver", "cp-1", [*apiserver_command(), "--advertise-address=198.51.100.7"]),
    ]
    address = {"type": "InternalIP", "address": "192.0.2.1"}
    found = {f"/api/v1/namespaces/kube-system/pods/{pod['metadata']['name']}": pod for pod in pods}
    return Api({**found, "/api/v1/nodes/cp-1": node_object("cp-1", addresses=[address])})


def entries(store: Store) -> Any:
    api = control_plane()
    return members.entries_of_nobody(api, ask=lambda _, ask: ask(store))  # type: ignore[arg-type]


def test_addresses_of_this_control_plane_are_right():
    store = Store("/registry/masterleases/192.0.2.1", "/registry/masterleases/198.51.100.7")
    assert entries(store).findings == ()


def test_addresses_of_nobody_are_named_when_they_do_not_go():
    gone = "/registry/masterleases/192.0.2.99"
    (finding,) = entries(Store("/registry/masterleases/192.0.2.1", gone)).findings
    assert (finding.rule, finding.objects) == ("apiserver-lease-of-nobody", (gone,))
    assert f"etcdctl del {gone}" in finding.fix
