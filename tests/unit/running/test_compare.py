"""Which fields differ, between two nodes and from what was written."""

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.running import compare
from kubectl_admin.running.facts import Running


def kubelet(node="w1", version="1.36.3", **configuration):
    return Running(Component.KUBELET, node, configuration, None, {"binaryVersion": version})


def test_fields_are_named_by_their_paths():
    tree = {
        "a": {"b": [1, {"c": True}]},
        "evictionHard": {"memory.available": "100Mi"},
        "empty": [],
        "none": {},
    }
    assert compare.fields(tree) == {
        "a.b[0]": 1,
        "a.b[1].c": True,
        'evictionHard["memory.available"]': "100Mi",
        "empty": [],
        "none": {},
    }


def test_fields_that_differ_or_are_missing_are_told():
    found = compare.between(kubelet(port=1, same=2, only=3), kubelet(port=2, same=2, other=[4]))
    assert [(one.field, one.one, one.other) for one in found] == [
        ("port", "1", "2"),
        ("only", "3", None),
        ("other[0]", None, "4"),
    ]


def test_a_field_with_the_name_of_each_node_is_the_same():
    found = compare.between(kubelet("w1", hostnameOverride="w1"), kubelet("w2", hostnameOverride="w2"))
    assert found == []


def test_flags_as_they_were_written_are_compared_with_flags_as_they_run():
    flags = {"enable-admission-plugins": "[NodeRestriction]", "v": "2"}
    one = Running(Component.APISERVER, "cp", None, flags)
    written = {"--enable-admission-plugins": "NodeRestriction", "--v": "4"}
    assert [each.field for each in compare.with_written(one, written)] == ["--v"]


def test_flags_are_compared_where_there_is_no_configuration():
    one, other = (Running(Component.APISERVER, "cp", None, {"v": value}) for value in "12")
    assert [(each.field, each.one, each.other) for each in compare.between(one, other)] == [("--v", "1", "2")]


@pytest.mark.parametrize(("one", "other"), [("1.36.3", "1.37.2"), ("1.36.3", "")])
def test_different_minors_are_not_compared(one, other):
    with pytest.raises(AdminError, match="different minors"):
        compare.nodes([kubelet(version=one, a=1)], [kubelet("w2", version=other, a=1)])


def test_patches_of_one_minor_are_compared():
    found, gaps = compare.nodes([kubelet(version="1.36.3", a=1)], [kubelet("w2", version="1.36.9", a=2)])
    assert [one.field for one in found] == ["a"]
    assert gaps == []


def test_what_could_not_be_seen_is_no_equality():
    blind = Running(Component.KUBELET, "w2", unseen=(Gap("the configuration of kubelet on node w2", "late"),))
    found, gaps = compare.nodes([kubelet(a=1)], [blind])
    assert found == []
    assert [gap.subject for gap in gaps] == ["the configuration of kubelet on node w2"]


def test_only_what_was_written_is_compared_and_zeros_mean_the_default():
    running = kubelet(maxPods=250, port=10250, cpuManagerReconcilePeriod="10s", extra=1)
    written = {
        "kind": "KubeletConfiguration",
        "maxPods": 110,
        "port": 10250,
        "cpuManagerReconcilePeriod": "0s",
    }
    assert [(one.field, one.one, one.other) for one in compare.with_written(running, written)] == [
        ("maxPods", "250", "110")
    ]


def test_false_that_was_written_is_compared():
    assert compare.with_written(kubelet(serializeImagePulls=True), {"serializeImagePulls": False}) != []
