"""Pods of several hosts: told to end as soon as their work is done, waited for together, gone at the end."""

from contextlib import contextmanager

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.node import hosts
from kubectl_admin.node.debug_pod import Options
from tests.unit.node.standin import OPERATION


@pytest.fixture
def events(monkeypatch):
    """What becomes of the pods, in its order; a node «broken» can't have one."""
    told = []

    @contextmanager
    def running(_cluster, node, *_):
        if node == "broken":
            raise AdminError("node broken is not Ready")
        told.append(f"made {node}")
        try:
            yield f"pod-{node}"
        finally:
            told.append(f"seen gone {node}")

    @contextmanager
    def withdrawing(_cluster, namespace, _operation):
        try:
            yield
        except BaseException:
            told.append(f"all of {namespace} withdrawn")
            raise

    monkeypatch.setattr("kubectl_admin.node.debug_pod.running", running)
    monkeypatch.setattr(
        "kubectl_admin.node.debug_pod.dismiss", lambda *place: told.append(f"dismissed {place[-1]}")
    )
    monkeypatch.setattr("kubectl_admin.node.leftovers.withdrawing", withdrawing)
    return told


def opening():
    return hosts.opening(None, OPERATION, Options(), print)


def test_nobody_waits_for_a_pod_before_all_work_is_done(events):
    with opening() as opened:
        for node in ("a", "b"):
            with opened(node) as host:
                assert host.pod == ("kube-system", f"pod-{node}")
        events.append("shown")
    assert events[:5] == ["made a", "dismissed pod-a", "made b", "dismissed pod-b", "shown"]
    assert sorted(events[5:]) == ["seen gone a", "seen gone b"]


def test_a_host_without_a_pod_has_none_to_dismiss(events):
    with opening() as opened:
        with pytest.raises(AdminError), opened("broken"):
            pass
        with opened("a"):
            pass
    assert events == ["made a", "dismissed pod-a", "seen gone a"]


def test_work_that_fails_dismisses_its_pod_as_well(events):
    with opening() as opened:
        with pytest.raises(AdminError), opened("a"):
            raise AdminError("no luck")
        events.append("shown")
    assert events == ["made a", "dismissed pod-a", "shown", "seen gone a"]


def test_whoever_is_interrupted_tells_all_to_end_before_it_waits(events):
    with pytest.raises(KeyboardInterrupt), opening() as opened, opened("a"):
        raise KeyboardInterrupt
    assert events == ["made a", "dismissed pod-a", "all of kube-system withdrawn", "seen gone a"]
