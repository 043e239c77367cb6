"""One node after the other, while nobody else changes a control plane."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.renewal import work
from kubectl_admin.certificates.renewal.kubeadm import plan
from kubectl_admin.control_plane.one_at_a_time import Alone, Work
from kubectl_admin.errors import AdminError
from tests.unit.certificates.renewal.samples import facts, node


class Host:
    """A node's host of which nothing is asked."""

    node = "cp-1"


def carried_out(monkeypatch, alone):
    """What a run of two nodes has opened, and changed. alone: in the place of one_at_a_time's."""
    opened, changed = [], []

    @contextmanager
    def open_host(_cluster, name, *_):
        opened.append(name)
        yield Host()

    monkeypatch.setattr(work.host, "opened", open_host)
    monkeypatch.setattr(work.leftovers, "sweep_host", lambda _host: None)
    monkeypatch.setattr(work.one_at_a_time, "control_plane", alone)
    monkeypatch.setattr(work.jobs, "running", lambda *_: None)
    monkeypatch.setattr(work, "discard", lambda *_: None)
    planned = plan.renewal(facts(node("cp-1"), node("cp-2")), ("apiserver",))

    def change(_cluster, _host, step, _say, _check):
        changed.append(step.node.node)
        return work.Done(step.node.node, "", (), ())

    def run():
        operation = SimpleNamespace(owner="ann")
        return work.carry_out(
            None,
            planned,
            change,
            operation,
            None,
            print,
            lambda *_: None,
            about="renews certificates",
            skipped=["cp-3"],
        )

    return run, opened, changed


def in_turn(check=lambda: None, *, nodes=("cp-1", "cp-2"), work=()):
    """Nobody else is at work."""

    @contextmanager
    def alone(*_arguments, **_options):
        yield Alone(SimpleNamespace(check=check), nodes, work)

    return alone


def test_where_somebody_else_changes_a_control_plane_nothing_is_touched(monkeypatch):
    def alone(_cluster, _operation, about, *_, own, skipped, **_options):
        assert (about, own, skipped) == (
            "renews certificates",
            {("cp-1", "certs"), ("cp-2", "certs")},
            ["cp-3"],
        )
        raise AdminError("bob@desk upgrades node cp-1")

    run, opened, _ = carried_out(monkeypatch, alone)
    with pytest.raises(AdminError, match="bob@desk"):
        run()
    assert opened == []


def test_who_has_lost_the_lease_changes_no_further_node(monkeypatch):
    answers = iter([None, AdminError("somebody else has taken over")])

    def check():
        if error := next(answers):
            raise error

    run, _, changed = carried_out(monkeypatch, in_turn(check))
    with pytest.raises(AdminError, match="taken over"):
        run()
    assert changed == ["cp-1"]


def test_what_an_earlier_run_has_begun_anywhere_is_waited_for_before_the_first_change(monkeypatch):
    events = []
    run, _, changed = carried_out(monkeypatch, in_turn(work=(Work("cp-2", "certs", None),)))

    def running(_host, _name, _folder):
        events.append(list(changed))
        return (
            SimpleNamespace(wait=lambda **_: events.append("seen to its end")) if len(events) == 1 else None
        )

    monkeypatch.setattr(work.jobs, "running", running)
    run()
    assert events[:2] == [[], "seen to its end"]
    assert changed == ["cp-1", "cp-2"]


def test_a_worker_is_held_for_itself_as_well(monkeypatch):
    """An upgrade of that worker holds the same Lease."""
    held = []

    @contextmanager
    def hold(_cluster, name, *_arguments, **_options):
        held.append(name)
        yield SimpleNamespace(check=lambda: held.append("checked"))

    monkeypatch.setattr(work.lease, "held", hold)
    run, *_ = carried_out(monkeypatch, in_turn(nodes=("cp-1",)))
    run()
    assert held == ["kubectl-admin-upgrade-cp-2", "checked"]
