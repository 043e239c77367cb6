"""A node that may be back in a moment is waited for, and one that is down is not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kubectl_admin.cluster.retry import NotReadyError, Trouble, trouble_of
from kubectl_admin.errors import AdminError
from kubectl_admin.node.readiness import refuse_down, refuse_unready

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
WORDS = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}


def node(status: str, since: object = None, heartbeat: object = None) -> dict[str, Any]:
    """A node whose condition Ready has had this status since a moment."""
    times = {"lastTransitionTime": since, "lastHeartbeatTime": heartbeat}
    said = {"type": "Ready", "status": status, **WORDS, **{k: v for k, v in times.items() if v is not None}}
    return {"metadata": {"name": "w1"}, "status": {"conditions": [said]}}


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_a_node_that_is_not_ready_is_refused_for_now(status):
    with pytest.raises(NotReadyError) as refused:
        refuse_unready(node(status, "2026-01-01T11:59:00Z"))
    assert refused.value.what == (
        "node w1 is not Ready since 2026-01-01T11:59:00Z: NodeStatusUnknown: "
        "Kubelet stopped posting node status."
    )
    assert trouble_of(refused.value) is Trouble.STARTING


@pytest.mark.parametrize("about", [node("True"), {"metadata": {"name": "w1"}}])
def test_a_node_that_is_ready_or_says_nothing_is_taken(about):
    refuse_unready(about)
    refuse_down(about, NOW, 0)


def test_a_node_that_is_down_is_not_worth_another_try():
    with pytest.raises(AdminError) as refused:
        refuse_down(node("Unknown", "2026-01-01T11:54:59Z"), NOW, 300)
    assert "node w1 is not Ready since 2026-01-01T11:54:59Z: " in refused.value.what
    assert refused.value.hint == "its kubelet starts no pod; bring it back first"
    assert trouble_of(refused.value) is Trouble.FINAL


def test_a_node_that_may_be_restarting_is_not_refused():
    refuse_down(node("Unknown", "2026-01-01T11:55:00Z"), NOW, 300)


@pytest.mark.parametrize(
    ("since", "now"),
    [
        ("2026-01-01T11:00:00Z", None),  # a server, or a balancer, that says no time
        (None, NOW),
        ("yesterday", NOW),
        (5, NOW),
        ("2026-01-01T13:00:00Z", NOW),
    ],
)
def test_a_node_of_which_no_time_is_known_is_not_refused(since, now):
    refuse_down(node("Unknown", since), now, 300)


def test_a_kubelet_that_says_so_itself_is_measured_by_its_own_clock():
    """One whose clock is an hour behind, and that has just started, is not taken for one that is down."""
    refuse_down(node("False", "2026-01-01T11:00:00Z", "2026-01-01T11:00:10Z"), NOW, 300)
    refuse_down(node("False", "2026-01-01T11:00:00Z"), NOW, 300)
    with pytest.raises(AdminError):
        refuse_down(node("False", "2026-01-01T10:00:00Z", "2026-01-01T11:00:10Z"), NOW, 300)
