import pytest

from kubectl_admin.control_plane.flags import (
    command_line,
    environment,
    flags,
    is_true,
    listed,
    variables_as_flags,
)


@pytest.mark.parametrize(
    ("why", "words", "expected"),
    [
        ("with =", ["etcd", "--name=a"], {"name": "a"}),
        ("with a space", ["etcd", "--name", "a"], {"name": "a"}),
        ("with one dash", ["etcd", "-name", "a"], {"name": "a"}),
        ("a value with =", ["--initial-cluster=a=https://b"], {"initial-cluster": "a=https://b"}),
        ("an empty value", ["--wal-dir="], {"wal-dir": ""}),
        (
            "a switch before a flag",
            ["--client-cert-auth", "--name=a"],
            {"client-cert-auth": "true", "name": "a"},
        ),
        ("a switch at the end", ["--client-cert-auth"], {"client-cert-auth": "true"}),
        ("a negative number", ["--quota-backend-bytes", "-1"], {"quota-backend-bytes": "-1"}),
        ("the last counts", ["--name=a", "--name=b"], {"name": "b"}),
        ("but lists add up", ["--urls=a", "--urls", "b,c"], {"urls": "a,b,c"}),
        ("after the end of flags", ["--name=a", "--", "--name=b"], {"name": "a"}),
        ("words of nobody", ["etcd", "x", "--name=a", "y"], {"name": "a"}),
        ("nothing", [], {}),
        ("a dash alone", ["-"], {}),
    ],
)
def test_flags_of_a_command_line(why, words, expected):
    assert flags(words, lists=("urls",)) == expected, why


POD = {
    "metadata": {"name": "etcd-cp-1", "namespace": "kube-system"},
    "spec": {"nodeName": "cp-1"},
    "status": {"podIP": "192.0.2.1"},
}


def variable(name, field):
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": field}}}


def test_references_to_variables_are_replaced():
    container = {
        "env": [
            {"name": "DIR", "value": "/data"},
            {"name": "EMPTY"},
            variable("NODE", "spec.nodeName"),
            variable("IP", "status.podIP"),
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}},
        ],
        "command": ["etcd", "--name=$(NODE)", "--data-dir=$(DIR)"],
        "args": ["--x=$(IP)$(EMPTY)", "--y=$$(DIR)", "--z=$(SECRET)$(NONE)"],
    }
    assert command_line(POD, container) == [
        "etcd",
        "--name=cp-1",
        "--data-dir=/data",
        "--x=192.0.2.1",
        "--y=$(DIR)",
        "--z=$(SECRET)$(NONE)",
    ]


def test_a_field_that_the_pod_does_not_have_yet_is_empty():
    assert environment({"metadata": {}, "spec": {}}, {"env": [variable("IP", "status.podIP")]}) == {"IP": ""}


def test_flags_given_by_variables():
    variables = {"ETCD_DATA_DIR": "/data", "ETCD_NAME": "", "ETCDCTL_API": "3", "HOME": "/"}
    assert variables_as_flags(variables, "ETCD_") == {"data-dir": "/data"}


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("T", True), ("false", False), ("", False)]
)
def test_switches(value, expected):
    assert is_true(value) is expected


def test_lists():
    assert listed("a, b,,c") == ("a", "b", "c")
    assert listed("") == ()
