"""How what runs is shown."""

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.running.facts import Running
from kubectl_admin.running.gather import compared
from kubectl_admin.running.metrics import Family, Value
from kubectl_admin.running.report import differences, in_full, metrics, number, on_terminal


def test_a_node_does_not_steer_the_terminal():
    text = 'one{a="\x1b]0;title\x07"} 1\ntwo 2\n'
    assert on_terminal(text) == 'one{a="\\x1b]0;title\\x07"} 1\ntwo 2\n'


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("1.2638368e+07", "12638368"),
        ("1.796014405e+09", "1796014405"),
        ("1.79601440512E+09", "1796014405.12"),
        ("5e-05", "0.00005"),
        ("0.001", "0.001"),
        ("7", "7"),
        ("1e+308", "1e+308"),
        ("1.8446744073709552e+19", "1.8446744073709552e+19"),
        ("+Inf", "+Inf"),
        ("NaN", "NaN"),
        ("some", "some"),
        ("0e0", "0e0"),
    ],
)
def test_bytes_and_times_are_shown_in_full(said, shown):
    assert in_full(said) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0011271, "0.001127"), (8042.0, "8042"), (1234567.0, "1234567"), (0.0, "0"), (float("nan"), "")],
)
def test_a_count_is_shown_in_full(value, shown):
    assert number(value) == shown


def test_programs_get_numbers_as_they_were_sent():
    report = metrics([Value("a", {}, "1.5e+09")], [], {"a": Family("a", "gauge")})
    assert [one["value"] for one in report.items()] == ["1.5e+09"]
    assert report.tables[0].rows == [("a", "", "1500000000")]


def test_the_config_maps_that_were_compared_are_named():
    found = [
        Running(Component.KUBELET, "w1", {"a": 1}),
        Running(Component.KUBE_PROXY, "w1", {"b": 1}),
        Running(Component.APISERVER, "w1"),  # it told nothing
    ]
    texts = {one.component: {} for one in found}
    assert compared(found, texts) == ["kubelet-config", "kube-proxy"]
    said = [differences([], [], "w1", config_maps=compared(found[:many], texts)).closing for many in range(3)]
    assert said == [
        "w1: nothing was compared with a ConfigMap",
        "w1 runs as written in ConfigMap kubelet-config",
        "w1 runs as written in ConfigMaps kubelet-config and kube-proxy",
    ]
    assert differences([], [], "w1", "w2").closing == "w1 and w2: no difference"
