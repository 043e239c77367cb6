"""How far a restore is on a node, by its answer."""

from functools import partial
from types import SimpleNamespace

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.status import (
    DIRECTORY,
    LOOK,
    Earlier,
    NodeState,
    Stage,
    state_of,
    status_of_all,
)
from kubectl_admin.node.operation import Owner
from tests.unit.etcd.members.test_gather import Cluster

ANSWER = """\
restore underway 0123456789 going
unit active
owner ann@laptop boot/pid:[1] 4711 12345
node cp-1
data /var/lib/etcd
enabled enabled
journal 1764500000 prepared
journal 1764500001 armed
journal 1764500060 going
old 1048576
new 4096
worker id 0123456789
worker node cp-1
worker side between
worker committed no
worker closed no
worker word going
worker age 12
worker waits etcd
worker
worker # end
"""


def test_all_that_a_node_says():
    assert state_of("cp-1", ANSWER) == NodeState(
        node="cp-1",
        earlier=Earlier(Stage.UNDERWAY, "0123456789", "going"),
        owner=Owner("ann@laptop", "boot/pid:[1]", 4711, "12345"),
        data="/var/lib/etcd",
        unit="active",
        enabled="enabled",
        journal=((1764500000, "prepared"), (1764500001, "armed"), (1764500060, "going")),
        old=1048576,
        new=4096,
        side="between",
        waits="etcd",
    )


def test_a_node_without_one():
    state = state_of("w1", "restore none - -\nunit inactive\n")
    assert state == NodeState("w1", Earlier(Stage.NONE), unit="inactive")
    assert not state.is_working


def test_a_worker_that_waits_for_nothing_and_one_that_fails():
    state = state_of("cp-1", "restore over x restored\nunit inactive\nworker waits -\nworker sh: no plan\n")
    assert (state.waits, state.side, state.said) == ("", "", ("sh: no plan",))


def test_a_line_that_a_power_cut_has_torn():
    state = state_of("cp-1", "restore underway x torn\nunit activating\njournal 17645000\njournal x y\n")
    assert state.journal == ((17645000, ""), (0, "y"))
    assert state.is_working


@pytest.mark.parametrize("answer", ["", "unit active\n", "restore none - -\n", "restore odd - -\nunit x\n"])
def test_an_answer_that_makes_no_sense_is_an_error(answer):
    with pytest.raises(AdminError, match="node cp-1: unexpected answer"):
        state_of("cp-1", answer)


def test_each_node_is_asked_about_the_data_directory_of_its_own_member():
    cluster, asked = Cluster(), {}
    elsewhere, in_a_file, *others = cluster.pods
    elsewhere["spec"]["containers"][0]["command"].append("--data-dir=/srv/etcd")
    in_a_file["spec"]["containers"][0]["command"].append("--config-file=/etc/etcd.yaml")
    cluster.pods = [elsewhere, in_a_file, *others[1:]]

    def script(node, *words):
        asked[node] = words
        return b"restore none - -\nunit inactive\n"

    def ask(nodes, question, **_):
        hosts = [SimpleNamespace(node=node, script=partial(script, node)) for node in nodes]
        return {host.node: question(host) for host in hosts}

    found = status_of_all(SimpleNamespace(cluster=cluster, ask=ask))
    assert list(found) == ["cp-1", "cp-2", "cp-3"]
    assert asked == {
        "cp-1": (LOOK, DIRECTORY, "/srv/etcd"),
        "cp-2": (LOOK, DIRECTORY, ""),
        "cp-3": (LOOK, DIRECTORY, ""),
    }
