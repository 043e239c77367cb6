from dataclasses import replace

from kubectl_admin.etcd.members import pods
from kubectl_admin.etcd.members.etcdctl import Alarm, Listed
from kubectl_admin.etcd.members.match import matched, with_alarms
from tests.unit.etcd.members.samples import etcd_pod, node, sound_member, status

ONE, TWO = pods.member(etcd_pod("cp-1", "192.0.2.1")), pods.member(etcd_pod("cp-2", "192.0.2.2"))
NODES = (node("cp-1", "192.0.2.1"), node("cp-2", "192.0.2.2", "2001:db8::2"))


def listed(member_id, name, address, learner=False):
    urls = (f"https://{address}:2379",) if name else ()
    return Listed(member_id, name, (f"https://{address}:2380",), urls, learner)


def shown(members):
    return [(member.id, member.title, member.node, member.pod and member.pod.name) for member in members]


def test_a_pod_runs_the_member_that_it_says_itself_whatever_it_is_called():
    lists = (listed(1, "cp-2", "192.0.2.1"), listed(2, "cp-1", "192.0.2.2"))
    members = matched((ONE, TWO), {ONE: status(1), TWO: status(2)}, {}, lists, NODES)
    assert shown(members) == [(2, "cp-1", "cp-2", "etcd-cp-2"), (1, "cp-2", "cp-1", "etcd-cp-1")]
    assert [member.status.member_id for member in members] == [2, 1]


def test_a_silent_pod_runs_the_member_of_its_name():
    lists = (listed(1, "cp-1", "192.0.2.1"), listed(2, "cp-2", "192.0.2.9"))
    members = matched((ONE, TWO), {ONE: status(1)}, {TWO: "no such container"}, lists, NODES)
    assert shown(members)[1] == (2, "cp-2", "cp-2", "etcd-cp-2")
    assert (members[1].status, members[1].problem) == (None, "no such container")


def test_a_silent_pod_runs_the_member_that_was_added_at_its_address_and_has_no_name_yet():
    lists = (listed(1, "cp-1", "192.0.2.1"), listed(2, "", "192.0.2.2", learner=True))
    members = matched((ONE, TWO), {ONE: status(1)}, {TWO: "x"}, lists, NODES)
    assert shown(members)[1] == (2, "cp-2", "cp-2", "etcd-cp-2")


def test_members_without_a_pod_are_on_the_node_of_their_name_or_address():
    lists = (
        listed(1, "cp-1", "192.0.2.9"),
        listed(2, "other", "192.0.2.2"),
        listed(3, "gone", "192.0.2.9"),
        listed(4, "six", "[2001:db8::2]"),
    )
    members = matched((), {}, {}, lists, NODES)
    assert [(member.title, member.node) for member in members] == [
        ("cp-1", "cp-1"),
        ("gone", ""),
        ("other", "cp-2"),
        ("six", "cp-2"),
    ]
    assert {member.problem for member in members} == {"no static pod runs it"}


def test_a_pod_whose_member_is_in_no_list():
    members = matched((ONE, TWO), {ONE: status(1)}, {TWO: "x"}, (listed(1, "cp-1", "192.0.2.1"),), NODES)
    assert shown(members)[1] == (None, "cp-2", "cp-2", "etcd-cp-2")
    assert members[1].listed is None


def test_without_a_list_pods_are_what_is_known():
    members = matched((ONE, TWO), {ONE: status(7)}, {TWO: "x"}, (), NODES)
    assert shown(members) == [(7, "cp-1", "cp-1", "etcd-cp-1"), (None, "cp-2", "cp-2", "etcd-cp-2")]


def test_alarms_belong_to_members():
    one, two = sound_member(1), sound_member(2)
    raised = (Alarm(one.id, "NOSPACE"), Alarm(one.id, "CORRUPT"), Alarm(12345, "NOSPACE"))
    assert with_alarms((one, two), raised) == (replace(one, alarms=("NOSPACE", "CORRUPT")), two)
