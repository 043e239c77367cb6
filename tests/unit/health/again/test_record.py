from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_admin.finding import NOT_SEEN, Rule, Severity
from kubectl_admin.health.again.changes import Kind, told
from kubectl_admin.health.again.record import differences, record
from kubectl_admin.health.look import look
from kubectl_admin.health.object_facts import Budget, Objects
from kubectl_admin.health.shown.ignore import Exemption
from tests.unit.health import made
from tests.unit.health.made import AT, ETCD, KUBE_PROXY, KUBELET, MANAGER, facts, node, process

RULE = Rule("slow-disk", "etcd writes quickly")


def seen(*nodes, findings=(), **fields):
    return record(look(facts(*nodes, **fields), findings))


def changed(before, after):
    """The lines on what has changed."""
    return [line.text for line in told(differences(before, after))]


def broken(severity, *objects):
    return RULE.finding(severity, subject="etcd", evidence="slow", objects=objects)


def test_two_looks_at_the_same_have_no_difference():
    later = facts(at=AT + timedelta(hours=1), took=3.0)
    assert changed(seen(), record(look(later, ()))) == []


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (made.fine(), made.no_reply("silent"), "worse: etcd on node/cp-1: well -> hanging"),
        (made.no_reply("silent"), made.fine(), "better: etcd on node/cp-1: hanging -> well"),
        (made.no_reply("silent"), made.bad(), "changed: etcd on node/cp-1: hanging -> unhealthy"),
        (made.fine(), made.no_reply("late"), "changed: etcd on node/cp-1: well -> unknown"),
        (made.no_reply("late"), made.bad(), "worse: etcd on node/cp-1: unknown -> unhealthy"),
    ],
)
def test_a_component_is_worse_or_better(before, after, line):
    old, new = (seen(node("cp-1", [process(ETCD, replies=reply)])) for reply in (before, after))
    assert changed(old, new) == [line]


def test_nodes_come_and_go_as_a_whole():
    assert changed(seen(node("a"), node("b")), seen(node("b"), node("c"))) == [
        "new: node on node/c",
        "gone: node on node/a",
    ]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"ready": "False"}, "worse: node on node/w1: Ready -> NotReady"),
        ({"unschedulable": True}, "changed: node on node/w1: schedulable -> cordoned"),
        ({"kubelet": "v1.37.2"}, "changed: version of kubelet on node/w1: 1.36.3 -> 1.37.2"),
    ],
)
def test_a_node_changes(fields, line):
    assert changed(seen(node("w1")), seen(node("w1", **fields))) == [line]


def test_nodes_that_could_not_be_listed_have_not_changed():
    # Only pods tell of them then.
    before = seen(node("cp-1"), node("w1", unschedulable=True), node("w2"))
    after = seen(*(node(name, conditions=(), kubelet="", created=None) for name in ("cp-1", "w1")))
    assert changed(before, after) == [
        "not seen now: node on node/w2",
        "changed: node on node/cp-1, node/w1: Ready -> unknown",
    ]
    assert changed(after, before) == ["better: node on node/cp-1, node/w1: unknown -> Ready"]


def test_what_changes_alike_on_many_nodes_is_one_line():
    names = [f"w{number}" for number in range(5000)]
    old, new = (seen(*(node(name, kubelet=version) for name in names)) for version in ("v1.36.3", "v1.37.2"))
    assert changed(old, new) == [
        "changed: version of kubelet on node/w0, node/w1, node/w2 and 4,997 more: 1.36.3 -> 1.37.2"
    ]


def built(component, name, label, version):
    """A control plane whose component says that it is of this version; "" where it says nothing."""
    said = made.metrics((name, {label: version}, 1.0)) if version else {}
    return seen(node("cp-1", [process(component, metrics=said)]))


@pytest.mark.parametrize(
    ("component", "name", "label"),
    [
        (made.APISERVER, "kubernetes_build_info", "git_version"),
        (MANAGER, "kubernetes_build_info", "git_version"),
        (KUBE_PROXY, "kubernetes_build_info", "git_version"),
        (made.ETCD, "etcd_server_version", "server_version"),
    ],
)
def test_a_component_of_another_version(component, name, label):
    old, new = built(component, name, label, "v1.36.3"), built(component, name, label, "v1.37.2")
    assert changed(old, new) == [f"changed: version of {component} on node/cp-1: 1.36.3 -> 1.37.2"]
    assert changed(old, built(component, name, label, "")) == []
    assert changed(old, built(component, name, label, "1.37\x1b[2J" + "9" * 99)) == []


def test_a_restart_is_worse_and_a_new_pod_is_none():
    def restarted(times):
        pod = made.pod(MANAGER, "cp-1", [made.container(restarts=times)])
        return seen(node("cp-1", [process(MANAGER, pod=pod)]))

    assert changed(restarted(1), restarted(3)) == [
        "worse: restarts of kube-controller-manager on node/cp-1: 1 -> 3"
    ]
    assert changed(restarted(3), restarted(0)) == []


def test_a_node_that_was_left_out_once_is_not_compared():
    unasked = [process(one, "w1", replies={}) for one in (KUBELET, KUBE_PROXY)]
    left_out = node("w1", unasked, way=made.no_reply("left out"))
    assert changed(seen(node("w1")), seen(left_out)) == changed(seen(left_out), seen(node("w1"))) == []


def test_a_component_that_the_cluster_no_longer_has():
    old, new = seen(node("w1")), seen(node("w1"), has=made.HAS - {KUBE_PROXY})
    assert changed(old, new) == ["gone: kube-proxy on node/w1"]
    assert changed(new, old) == ["new: kube-proxy on node/w1"]


def test_leaders():
    moved = {MANAGER: made.lease(holder="cp-2_x")}
    assert changed(seen(), seen(leaders=moved)) == [
        "changed: leader of kube-controller-manager: cp-1 -> cp-2",
    ]
    assert changed(seen(leaders={}), seen()) == []


def test_budgets():
    def short(current, desired):
        return seen(objects=Objects(budgets=(Budget("default", "db", desired, current),)))

    assert changed(short(2, 3), short(1, 3)) == [
        "worse: budget on default/db: 2 of 3 healthy -> 1 of 3 healthy"
    ]
    assert changed(short(1, 3), short(2, 3)) == [
        "better: budget on default/db: 1 of 3 healthy -> 2 of 3 healthy"
    ]
    assert changed(short(1, 3), seen()) == changed(seen(), short(1, 3)) == []


def test_findings_are_new_worse_better_and_gone():
    old = [broken(Severity.WARNING, "node/cp-1"), broken(Severity.VIOLATION, "pod/b")]
    new = [broken(Severity.VIOLATION, "node/cp-1"), broken(Severity.NOTE, "pod/c")]
    assert changed(seen(findings=old), seen(findings=new)) == [
        "worse: slow-disk on node/cp-1: warning -> violation",
        "new: note slow-disk on pod/c",
        "gone: violation slow-disk on pod/b",
    ]
    assert changed(seen(findings=new[:1]), seen(findings=old[:1])) == [
        "better: slow-disk on node/cp-1: violation -> warning"
    ]


def test_of_two_findings_of_one_rule_and_object_the_worse_is_kept():
    both = [broken(Severity.NOTE, "node/a"), broken(Severity.VIOLATION, "node/a")]
    assert seen(findings=both).findings == {("slow-disk", "node/a"): Severity.VIOLATION}


def test_a_finding_on_a_node_that_is_not_seen_any_more_is_not_gone():
    late = node("cp-1", [process(ETCD, replies=made.no_reply("late"))])
    old = seen(node("cp-1"), findings=[broken(Severity.VIOLATION, "node/cp-1")])
    assert "not seen now: violation slow-disk on node/cp-1" in changed(old, seen(late))
    assert changed(old, seen(node("cp-1"))) == ["gone: violation slow-disk on node/cp-1"]


def test_a_finding_on_an_object_is_not_gone_where_there_is_a_further_gap():
    gap = NOT_SEEN.note(subject="budgets", evidence="forbidden")
    old = seen(findings=[broken(Severity.WARNING, "poddisruptionbudget/a/b")])
    assert "not seen now: warning slow-disk on poddisruptionbudget/a/b" in changed(old, seen(findings=[gap]))
    both = replace(old, findings={**old.findings, ("not-seen", "budgets"): Severity.NOTE})
    assert changed(both, seen(findings=[gap])) == ["gone: warning slow-disk on poddisruptionbudget/a/b"]


@pytest.mark.parametrize(
    ("silent", "rule", "kind"),
    [
        (ETCD, "kubelet-certificate", "gone"),
        (KUBELET, "kubelet-certificate", "not seen now"),
        (ETCD, "etcd-unhealthy", "not seen now"),
        (ETCD, "node-pressure", "not seen now"),
    ],
)
def test_a_rule_about_one_component_needs_that_one_to_be_seen(silent, rule, kind):
    old = seen(node("cp-1"), findings=[replace(broken(Severity.WARNING, "node/cp-1"), rule=rule)])
    new = seen(node("cp-1", [process(silent, replies=made.no_reply("late"))]))
    assert f"{kind}: warning {rule} on node/cp-1" in changed(old, new)


@pytest.mark.parametrize("aside", [Exemption("slow-disk"), Exemption("slow-disk", "node/cp-1")])
def test_what_is_set_aside_is_neither_new_nor_gone(aside):
    slow = broken(Severity.WARNING, "node/cp-1")
    whole, none = seen(findings=[slow]), seen()
    apart = record(look(facts(), [slow], [aside]))
    apart_and_well = record(look(facts(), [], [aside]))
    for before, after in ((whole, apart), (none, apart), (whole, apart_and_well), (apart, apart_and_well)):
        assert changed(before, after) == []


def test_what_was_set_aside_once_is_known_when_it_is_no_longer():
    slow = broken(Severity.WARNING, "node/cp-1", "node/w1")
    before = record(look(facts(), [slow], [Exemption("slow-disk")]))
    assert changed(before, seen(findings=[slow])) == []
    assert changed(before, record(look(facts(), [], [Exemption("slow-disk", "node/w1")]))) == [
        "gone: warning slow-disk on node/cp-1"
    ]


def test_the_changes_that_somebody_should_look_at():
    old = seen(node("w1"), findings=[broken(Severity.VIOLATION, "pod/a")])
    new = seen(
        node("w1", ready="False", unschedulable=True),
        findings=[broken(Severity.NOTE, "pod/b"), broken(Severity.WARNING, "pod/c")],
    )
    bad = [change for change in differences(old, new) if change.is_bad]
    assert [(change.kind, change.where) for change in bad] == [
        (Kind.WORSE, "node/w1"),
        (Kind.NEW, "pod/c"),
    ]
