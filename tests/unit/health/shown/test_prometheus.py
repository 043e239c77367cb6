import pytest
from prometheus_client.parser import text_string_to_metric_families

from kubectl_admin.finding import Rule
from kubectl_admin.health.facts import Clock
from kubectl_admin.health.look import look
from kubectl_admin.health.shown.ignore import Exemption
from kubectl_admin.health.shown.report import report
from tests.unit.health import made
from tests.unit.health.made import ETCD, KUBE_PROXY, KUBELET, MANAGER, facts, node, process

RULE = Rule("slow-disk", "etcd writes quickly")
NAMES = {
    "kubectl_admin_up": ("node", "component"),
    "kubectl_admin_state": ("node", "component", "state"),
    "kubectl_admin_finding": ("rule", "severity", "object"),
    "kubectl_admin_ignored_findings": (),
    "kubectl_admin_clock_offset_seconds": ("node",),
    "kubectl_admin_answer_seconds": ("node", "component"),
    "kubectl_admin_leader": ("component", "node"),
    "kubectl_admin_health_timestamp_seconds": (),
}


def families(seen, findings=(), exemptions=()):
    """The metrics as Prometheus' own client reads them: by name, each series' labels and value."""
    text = report(look(seen, findings, exemptions)).texts["prometheus"]()
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples]
        for family in text_string_to_metric_families(text)
    }


@pytest.fixture
def found():
    cp1 = node(
        "cp-1",
        [
            process(ETCD, replies=made.bad(), metrics=made.metrics(etcd_server_is_leader=1)),
            process(MANAGER, replies=made.no_reply("late")),
            process(KUBE_PROXY, replies=made.fine(seconds=0.25)),
        ],
        clock=Clock(1.5, 0.1),
    )
    findings = [
        RULE.violation(subject="etcd", evidence="slow", objects=["node/a", 'node/b"\\\n']),
        RULE.note(subject="the cluster", evidence="slow"),
    ]
    return families(facts(cp1, node("w1")), findings)


def test_every_metric_has_its_help_its_type_and_its_labels():
    text = report(look(facts(), [RULE.note(subject="it", evidence="slow")])).texts["prometheus"]()
    read = list(text_string_to_metric_families(text))
    assert {family.name for family in read} == {*NAMES}
    for family in read:
        assert family.type == "gauge"
        assert family.documentation.endswith(".")
        for sample in family.samples:
            assert tuple(sample.labels) == NAMES[family.name]
            assert sample.timestamp is None


def test_up_is_told_only_of_what_was_seen(found):
    up = {(labels["node"], labels["component"]): value for labels, value in found["kubectl_admin_up"]}
    assert up["cp-1", "etcd"] == 0
    assert up["w1", "kube-proxy"] == 1
    assert ("cp-1", "kube-controller-manager") not in up
    assert ("w1", "etcd") not in up


def test_of_a_node_whose_kubelet_is_down_nothing_else_is_up_or_down():
    refused = made.no_reply("node", "dial tcp 10.0.0.14:10250: connect: connection refused")
    dead = [process(one, "w1", made.no_reply("node")) for one in (KUBELET, KUBE_PROXY)]
    seen = facts(node("cp-1"), node("w1", dead, way=refused))
    up = [
        (one["component"], value) for one, value in families(seen)["kubectl_admin_up"] if one["node"] == "w1"
    ]
    assert up == [("kubelet", 0)]
    assert str(look(seen, ()).counts) == "6 of 8 components well, 1 not well, 1 not seen"


def test_of_a_node_that_is_off_nothing_is_up_or_down():
    dead = [process(one, "w1", made.no_reply("node")) for one in (KUBELET, KUBE_PROXY)]
    away = node("w1", dead, way=made.no_reply("node"), lease=None, ready="Unknown")
    seen = facts(node("cp-1"), away)
    assert not [one for one, _ in families(seen)["kubectl_admin_up"] if one["node"] == "w1"]


def test_the_state_of_what_was_not_seen_is_told(found):
    states = {(one["node"], one["component"]): one["state"] for one, _ in found["kubectl_admin_state"]}
    assert states["cp-1", "kube-controller-manager"] == "unknown"
    assert states["cp-1", "etcd"] == "unhealthy"
    assert ("w1", "etcd") not in states


def test_a_finding_has_a_series_for_each_of_its_objects(found):
    assert [labels["object"] for labels, _ in found["kubectl_admin_finding"]] == [
        "node/a",
        'node/b"\\\\n',
        "the cluster",
    ]


def test_the_rest(found):
    leaders = {one["component"]: one["node"] for one, _ in found["kubectl_admin_leader"]}
    assert leaders == {"etcd": "cp-1", "kube-controller-manager": "cp-1", "kube-scheduler": "cp-1"}
    assert found["kubectl_admin_clock_offset_seconds"] == [({"node": "cp-1"}, 0.75), ({"node": "w1"}, -0.75)]
    assert ({"node": "cp-1", "component": "kube-proxy"}, 0.25) in found["kubectl_admin_answer_seconds"]
    assert found["kubectl_admin_health_timestamp_seconds"] == [({}, made.AT.timestamp())]


def test_what_is_ignored_is_counted():
    ignored = families(facts(), [RULE.note(subject="it", evidence="slow")], [Exemption("slow-disk")])
    assert ignored["kubectl_admin_ignored_findings"] == [({}, 1)]
    assert ignored["kubectl_admin_finding"] == []
