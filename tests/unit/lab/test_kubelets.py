"""What the API says of a node and its pods, told from what it said before the kubelet began again."""

import os
import time
from pathlib import Path

import pytest

from tests.cluster import kubelets
from tests.cluster.kubelets import FIRST_WORD, Kubelet

BEGAN = kubelets.moment("2026-11-30T12:00:30Z") + 0.7
RUNNING = {"w1": Kubelet(began=BEGAN, booted=kubelets.moment("2026-11-30T12:00:10Z"))}


def node(said: str, name: str = "w1") -> dict:
    conditions = [
        {"type": "MemoryPressure", "lastHeartbeatTime": "2026-11-30T11:00:00Z"},
        {"type": "Ready", "lastHeartbeatTime": said},
    ]
    return {"metadata": {"name": name}, "spec": {}, "status": {"conditions": conditions}}


def pod(began: str) -> dict:
    states = [{"state": {"running": {"startedAt": began}}}, {"state": {"waiting": {}}}]
    return {
        "metadata": {"name": "dns"},
        "spec": {"nodeName": "w1"},
        "status": {"containerStatuses": states},
    }


@pytest.mark.parametrize(
    ("thing", "later", "of_before"),
    [
        (node("2026-11-30T12:00:29Z"), 5, True),
        (node("2026-11-30T12:00:30Z"), 5, False),  # the API tells whole seconds
        (node("2026-11-30T12:00:33Z"), 5, False),
        (node("2026-11-30T12:00:29Z"), FIRST_WORD + 1, False),  # it came with old data of etcd
        (node("2026-11-30T11:00:00Z", "w2"), 5, False),  # nothing is known of its kubelet
        (pod("2026-11-30T12:00:09Z"), 5, True),
        (pod("2026-11-30T12:00:20Z"), 5, False),  # a pod outlives the kubelet, and not its node
        (pod("2026-11-30T12:00:09Z"), FIRST_WORD + 1, True),
        ({"metadata": {"name": "w1"}, "spec": {}}, 5, False),
    ],
)
def test_what_was_said_before_the_kubelet_or_the_node_began_again_is_of_before(thing, later, of_before):
    assert kubelets.is_of_before(thing, RUNNING, BEGAN + later) is of_before


def test_a_process_is_known_by_its_parent_and_its_beginning():
    parent, began = kubelets.beginning(Path(f"/proc/{os.getpid()}"))
    assert parent == str(os.getppid())
    assert 0 < began < time.time() + 1  # it is told in hundredths of a second
