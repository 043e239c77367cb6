from dataclasses import replace

import pytest

from kubectl_admin.control_plane.static_pods import Impostor
from kubectl_admin.etcd.members.etcdctl import Alarm, Hash, Listed
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.members.judge import judge
from kubectl_admin.etcd.members.pods import member
from kubectl_admin.finding import Gap, Severity
from tests.unit.etcd.members.samples import (
    LEADER,
    apiserver_command,
    etcd_pod,
    node,
    of_pods,
    sound_member,
    state,
    static_pod,
    status,
    three,
)

MIB, GIB = 1 << 20, 1 << 30
TWO = LEADER + 1
VIOLATION, WARNING, NOTE = Severity.VIOLATION, Severity.WARNING, Severity.NOTE
DOWN = {"status": None, "problem": "no such container", "unreachable": "refused", "hash": None}


def found(judged: State):
    """The findings by their rules, of which each stands once."""
    findings = judge(judged)
    assert len({finding.rule for finding in findings}) == len(findings)
    return {finding.rule: finding for finding in findings}


def rules(judged: State):
    return {rule: finding.severity for rule, finding in found(judged).items()}


def test_a_sound_cluster_has_no_findings():
    assert judge(three()) == []


def test_a_member_that_is_down():
    findings = found(three(**DOWN))
    assert {rule: one.severity for rule, one in findings.items()} == {
        "member-down": VIOLATION,
        "no-spare-member": WARNING,
    }
    down = findings["member-down"]
    assert (down.subject, down.objects) == ("etcd member cp-2", ("node/cp-2",))
    assert down.evidence == "pod etcd-cp-2: no such container; refused"
    assert "etcdctl member remove 9d806c50726f9644" in down.fix


@pytest.mark.parametrize(
    ("why", "members", "expected"),
    [
        ("one of three down", [{}, {}, DOWN], ("no-spare-member", WARNING)),
        ("two of three down", [{}, DOWN, DOWN], ("quorum-lost", VIOLATION)),
        ("two members", [{}, {}], ("no-spare-member", WARNING)),
        ("one member", [{}], ("no-spare-member", NOTE)),
    ],
)
def test_how_many_may_fail(why, members, expected):
    judged = state(*(sound_member(number, **changes) for number, changes in enumerate(members, 1)))
    rule, severity = expected
    assert next(one.severity for one in judge(judged) if one.rule == rule) is severity, why


def test_five_members_with_one_down_have_one_to_spare():
    judged = state(*(sound_member(number, **(DOWN if number == 5 else {})) for number in range(1, 6)))
    assert rules(judged) == {"member-down": VIOLATION}


def test_a_member_that_answers_others_is_up():
    judged = three(problem="connection refused", asked_from="cp-1", hash=None)
    assert rules(judged) == {"pod-no-answer": WARNING}
    assert found(judged)["pod-no-answer"].evidence.endswith("connection refused; it answers node cp-1")


def test_no_leader_and_two_leaders():
    nobody = found(three(status=status(TWO, leader=0)))["no-leader"]
    assert (nobody.severity, nobody.objects) == (VIOLATION, ("node/cp-2",))
    assert rules(three(status=status(TWO, leader=TWO))) == {"leaders-differ": WARNING}


def test_members_of_different_clusters():
    judged = three(status=status(TWO, cluster_id=5, leader=TWO), listed=None, hash=None)
    finding = found(judged)["clusters-differ"]
    assert finding.severity is VIOLATION
    assert finding.evidence == "1f446a79e5d49d70: cp-1, cp-3; 5: cp-2"
    assert "leaders-differ" not in found(judged)


def test_a_pod_that_runs_no_member():
    finding = found(three(listed=None, **{**DOWN, "unreachable": ""}))["pod-without-member"]
    assert (finding.severity, finding.subject) == (VIOLATION, "pod etcd-cp-2")
    assert "no such container" in finding.evidence


def test_a_pod_whose_flags_are_in_a_file_is_not_taken_for_one_without_a_member():
    pod = member(static_pod("etcd", "cp-2", ["etcd", "--config-file=x"]))
    assert "pod-without-member" not in found(three(listed=None, pod=pod))


@pytest.mark.parametrize(
    ("kind", "rule", "word"),
    [
        ("NOSPACE", "nospace", "alarm disarm"),
        ("CORRUPT", "corrupt", "snapshot of a sound member"),
        ("9", "unknown", "log"),
    ],
)
def test_alarms(kind, rule, word):
    finding = found(replace(three(), alarms=(Alarm(TWO, kind),)))[f"alarm-{rule}"]
    assert (finding.severity, finding.objects) == (VIOLATION, ("node/cp-2",))
    assert finding.evidence == "raised by cp-2"
    assert word in finding.fix


def test_an_alarm_of_a_member_that_is_gone():
    finding = found(replace(three(), alarms=(Alarm(0xAB, "NOSPACE"),)))["alarm-nospace"]
    assert (finding.evidence, finding.objects) == ("raised by ab, which is not a member", ())


def test_data_that_differs():
    finding = found(three(hash=Hash(0xBAD, 1555, 1000, 1557)))["hashes-differ"]
    assert (finding.severity, finding.objects) == (VIOLATION, ("node/cp-2",))
    assert finding.evidence == "at revision 1555: cp-1 2c7d4e97, cp-2 00000bad, cp-3 2c7d4e97"


def test_hashes_that_can_not_be_compared_are_no_violation():
    judged = replace(three(hash=Hash(0xBAD, 1555, 1001, 1557)), unhashed="a compaction came in between")
    assert rules(judged) == {"not-seen": NOTE}


def test_learners():
    learner = replace(sound_member(2).listed, learner=True)
    assert rules(three(listed=learner, hash=None)) == {
        "learner-not-promoted": WARNING,
        "no-spare-member": WARNING,
    }


def test_a_learner_that_never_started():
    new = sound_member(
        4,
        name="",
        node="",
        pod=None,
        listed=Listed(4, "", ("https://192.0.2.99:2380",), (), True),
        **DOWN,
    )
    judged = state(*(sound_member(number) for number in (1, 2, 3)), new)
    assert rules(judged) == {"learner-not-promoted": WARNING, "member-without-node": WARNING}
    assert found(judged)["learner-not-promoted"].evidence == "it is a learner; it has not started"


def test_versions():
    assert found(three(status=status(TWO, version="3.7.0")))["versions-differ"].evidence == (
        "3.6.8: cp-1, cp-3; 3.7.0: cp-2"
    )
    assert rules(three(status=status(TWO, downgrade_to="3.5.0"))) == {"etcd-downgrade": WARNING}


def on_nodes(judged: State, *names: str) -> State:
    """The same cluster with these control-plane nodes."""
    return replace(judged, etcd=replace(judged.etcd, nodes=tuple(map(node, names))))


def test_a_member_whose_node_is_gone():
    judged = on_nodes(three(node="", pod=None, **DOWN), "cp-1", "cp-3")
    finding = found(judged)["member-without-node"]
    assert finding.evidence == "it has no node; its address is https://192.0.2.2:2380"


def test_a_node_without_a_member():
    finding = found(on_nodes(three(), "cp-1", "cp-2", "cp-3", "cp-4"))["node-without-member"]
    assert (finding.severity, finding.objects) == (WARNING, ("node/cp-4",))


def test_a_pod_that_only_looks_like_a_member_is_shown_and_no_violation():
    sound = three()
    finding = found(
        replace(sound, etcd=replace(sound.etcd, impostors=(Impostor("etcd-w", "w", "etcd", "it is not so"),)))
    )["pod-not-of-control-plane"]
    assert (finding.severity, finding.subject, finding.objects) == (WARNING, "pod etcd-w", ("node/w",))
    assert finding.evidence == "it is not so; it was not asked"


@pytest.mark.parametrize(
    ("size", "in_use", "quota", "expected"),
    [
        (int(0.79 * 2 * GIB), int(0.7 * 2 * GIB), 2 * GIB, {}),
        (int(0.81 * 2 * GIB), int(0.7 * 2 * GIB), 2 * GIB, {"near-quota": WARNING}),
        (int(0.96 * 2 * GIB), int(0.7 * 2 * GIB), 2 * GIB, {"near-quota": VIOLATION}),
        (int(0.96 * 2 * GIB), int(0.7 * 2 * GIB), -1, {}),
        (101 * MIB, 50 * MIB, 2 * GIB, {"fragmented": WARNING}),
        (101 * MIB, 51 * MIB, 2 * GIB, {}),
        (100 * MIB, 1 * MIB, 2 * GIB, {}),
    ],
)
def test_room(size, in_use, quota, expected):
    assert rules(three(status=status(TWO, size=size, in_use=in_use, quota=quota))) == expected


def test_a_full_file_with_much_room_inside_is_defragmented():
    full = status(TWO, size=int(1.9 * GIB), in_use=200 * MIB)
    assert "etcdctl defrag" in found(three(status=full))["near-quota"].fix
    full = status(TWO, size=int(1.9 * GIB), in_use=int(1.8 * GIB))
    assert "find out what fills it" in found(three(status=full))["near-quota"].fix


@pytest.mark.parametrize(
    ("index", "applied", "expected"),
    [(2054 - 1000, 1054, {}), (2054 - 1001, 1053, {"behind": WARNING}), (2054, 1053, {"behind": WARNING})],
)
def test_lag(index, applied, expected):
    assert rules(three(status=status(TWO, index=index, applied=applied))) == expected


def test_api_servers_that_use_another_etcd():
    sound = three()
    away = of_pods([static_pod("kube-apiserver", "cp-1", apiserver_command("https://192.0.2.50:2379"))])
    finding = found(replace(sound, etcd=replace(sound.etcd, apiservers=away.apiservers)))[
        "apiserver-uses-another-etcd"
    ]
    assert (finding.severity, finding.objects) == (WARNING, ("node/cp-1",))
    by_address = of_pods([static_pod("kube-apiserver", "cp-1", apiserver_command("https://192.0.2.3:2379"))])
    assert judge(replace(sound, etcd=replace(sound.etcd, apiservers=by_address.apiservers))) == []


def test_external_etcd_and_nothing_at_all():
    apiserver = static_pod("kube-apiserver", "cp-1", apiserver_command("https://192.0.2.50:2379"))
    outside = State("prod", "x", of_pods([apiserver]))
    assert [(one.rule, one.subject) for one in judge(outside)] == [("not-seen", "external etcd")]
    nothing = State("prod", "x", of_pods([]))
    assert [(one.rule, one.subject) for one in judge(nothing)] == [("not-seen", "etcd")]


def test_what_no_member_could_say_of_the_cluster_is_a_violation():
    finding = found(replace(three(), unanswered=(Gap("alarms", "context deadline exceeded"),)))[
        "cluster-no-answer"
    ]
    assert (finding.severity, finding.subject) == (VIOLATION, "alarms")
    assert finding.evidence == "no member could answer: context deadline exceeded"


def test_pods_that_answer_nobody_are_violations_though_no_list_names_them():
    silent = {**DOWN, "listed": None, "id": None}
    nobody = state(*(sound_member(number, **silent) for number in (1, 2, 3)))
    assert [(one.rule, one.subject) for one in judge(nobody)] == [
        ("member-down", f"etcd member cp-{number}") for number in (1, 2, 3)
    ]
    assert {one.fix for one in judge(nobody)} == {"look at its pod's log and its node"}
    one_of_three = state(sound_member(1, listed=None), *(sound_member(n, **silent) for n in (2, 3)))
    assert [one.severity for one in judge(one_of_three)] == [VIOLATION, VIOLATION]


def test_a_silent_pod_whose_flags_are_in_a_file_is_a_violation():
    pod = member(static_pod("etcd", "cp-2", ["etcd", "--config-file=x"]))
    assert rules(three(**{**DOWN, "listed": None, "pod": pod}))["member-down"] is VIOLATION


def test_violations_come_first():
    judged = replace(three(problem="x", asked_from="cp-1", hash=None), alarms=(Alarm(TWO, "NOSPACE"),))
    assert [one.severity for one in judge(judged)] == [VIOLATION, WARNING]


def test_a_pod_of_kubeadm_is_sound_by_itself():
    pod = member(etcd_pod("cp-1", "192.0.2.1"))
    assert judge(state(replace(sound_member(1), pod=pod)))[0].rule == "no-spare-member"
