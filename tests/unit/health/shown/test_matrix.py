import pytest

from kubectl_admin.health.facts import Clock
from kubectl_admin.health.look import look
from kubectl_admin.health.shown.matrix import table
from kubectl_admin.report.terminal import table_text
from tests.unit.health import made
from tests.unit.health.made import ETCD, KUBE_PROXY, KUBELET, MANAGER, SCHEDULER, facts, node, process


def shown(*nodes, wide=False, changed=(), **fields):
    """The lines of the matrix."""
    text = table_text(
        table(look(facts(*nodes, **fields), ()), wide=wide, changed=changed),
        wide=wide,
        headers=True,
        colour=False,
    )
    return text.splitlines()


def test_a_well_cluster():
    leading = process(ETCD, metrics=made.metrics(etcd_server_is_leader=1))
    assert shown(node("cp-1", [leading]), node("cp-2"), node("w1")) == [
        "NODE  STATUS  APISERVER  ETCD  KUBELET  PROXY  MANAGER  SCHEDULER",
        "cp-1  Ready   ok         ok*   ok       ok     ok*      ok*",
        "cp-2  Ready   ok         ok    ok       ok     ok       ok",
        "w1    Ready   -          -     ok       ok     -        -",
    ]


def test_each_state_has_its_cell_and_what_was_not_seen_has_no_sign_of_badness():
    cp1 = node(
        "cp-1",
        [
            process(ETCD, replies=made.no_reply("silent")),
            process(MANAGER, replies=made.no_reply("refused")),
            process(SCHEDULER, replies=made.bad("[-]shutdown failed", 500)),
            process(KUBE_PROXY, replies=made.no_reply("forbidden")),
            process(KUBELET, replies=made.no_reply("late")),
        ],
    )
    assert shown(cp1)[1] == "cp-1  Ready   ok         hangs!  ?        denied?  closed*!  500*!"


def test_a_node_that_is_off_is_in_doubt_and_not_down():
    off = away("w1", "node", ready="Unknown", lease=None)
    assert shown(off)[1].split() == ["w1", "NotReady!", "-", "-", "node?", "node?", "-", "-"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "Ready"),
        ({"ready": "False"}, "NotReady!"),
        ({"unschedulable": True}, "Ready,cordoned"),
        ({"unschedulable": True, "ready": "Unknown"}, "NotReady,cordoned?"),
        ({"conditions": ()}, "Unknown?"),
    ],
)
def test_the_status_of_a_node(fields, status):
    assert shown(node("w1", **fields))[1].split()[1] == status


def away(name, why, **fields):
    """A node of which nothing was asked."""
    unasked = [process(one, name, replies={}) for one in (KUBELET, KUBE_PROXY)]
    return node(name, unasked, way=made.no_reply(why), **fields)


def many(count, **others):
    return [others.get(f"w{number}") or node(f"w{number}") for number in range(1, count + 1)]


def test_workers_that_are_alike_are_one_row_where_there_are_many():
    lines = shown(node("cp-1"), *many(180))
    assert [line.split("  ")[0] for line in lines[1:]] == ["cp-1", "w1 … w180 (180 nodes)"]
    assert len(shown(node("cp-1"), *many(5))) == 7


def test_a_node_that_is_not_well_is_never_folded():
    bad = node("w3", [process(KUBELET, "w3", made.bad())])
    lines = shown(*many(5000, w3=bad, w8=node("w8", unschedulable=True)))
    assert [line.split("  ")[0] for line in lines[1:]] == ["w1 … w5000 (4,998 nodes)", "w3", "w8"]


def test_nodes_that_were_left_out_are_one_row_apart_from_those_that_were_asked():
    left_out = [away(f"x{number}", "left out") for number in range(10)]
    lines = shown(*many(10), *left_out)
    assert [line.split("  ")[0] for line in lines[1:]] == ["w1 … w10 (10 nodes)", "x0 … x9 (10 nodes)"]
    assert lines[2].split("  ")[-5:] != lines[1].split("  ")[-5:]


def test_a_node_that_was_left_out_and_is_not_ready_has_a_row():
    left_out = [away(f"x{number}", "left out") for number in range(10)]
    off = away("y", "left out", ready="False")
    assert [line.split("  ")[0] for line in shown(*left_out, off)[1:]] == ["x0 … x9 (10 nodes)", "y"]


def test_nothing_is_folded_where_it_is_wide():
    lines = shown(node("cp-1"), *many(10), wide=True)
    assert len(lines) == 12
    assert lines[0].split()[-5:] == ["CLOCK", "ANSWER", "VERSION", "PODS", "WAY"]
    assert lines[1].split()[-5:] == ["0s", "10ms", "1.36.3", "-", "kube-proxy-cp-1"]


def test_a_clock_is_compared_with_the_median_of_all():
    nodes = [node(name, clock=Clock(ahead, 0.05)) for name, ahead in (("a", 10.0), ("b", 10.0), ("c", 13.0))]
    lines = shown(*nodes, node("d", clock=None), wide=True)
    assert [line.split()[-5] for line in lines[1:]] == ["0s", "0s", "+3.0s", "-"]


def test_what_has_changed_is_marked_and_shown_by_itself():
    lines = shown(*many(8), changed={("w2", "PROXY")})
    assert [line.split("  ")[0] for line in lines[1:]] == ["w1 … w8 (7 nodes)", "w2"]
    assert "ok~" in lines[2]
    assert "~" not in lines[1]


@pytest.mark.parametrize(
    ("way", "host", "expected"),
    [
        ("kube-proxy-1", "", "kube-proxy-1"),
        ("kube-proxy-1", "kubectl-admin-1", "kube-proxy-1, kubectl-admin-1"),
        ("debug/kubectl-admin-1", "debug/kubectl-admin-1", "debug/kubectl-admin-1"),
        ("kube-proxy-1", made.no_reply("no way", "no image"), "kube-proxy-1"),
        (made.no_reply("no way", "no image"), made.no_reply("no way", "no image"), "no way"),
    ],
)
def test_the_debug_pod_by_which_a_node_was_asked_is_named(way, host, expected):
    line = shown(node("w1", way=way, host=host), wide=True)[1]
    assert line.endswith(f" {expected}")
