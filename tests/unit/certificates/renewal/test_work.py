"""One node after the other, while nobody else changes a control plane."""

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from kubectl_admin.certificates.renewal import work
from kubectl_admin.certificates.renewal.kubeadm import plan
from kubectl_admin.control_plane.one_at_a_time import Alone, Work
from kubectl_admin.errors import AdminError
from tests.fakes.renewal import Host, Hosts
from tests.unit.certificates.renewal.samples import facts, node

PLAN = plan.renewal(facts(node("cp-1"), node("cp-2")), ("apiserver",))


class Run:
    """A run on two nodes. changed: the nodes that it has changed. events: what has happened, in its order."""

    def __init__(self, *hosts, exclude=None, hold=None, check=lambda: None):
        self.hosts, self.changed, self.check = Hosts(*hosts), [], check
        more = {"exclude": exclude} if exclude else {}
        more |= {"hold": hold} if hold else {}
        self.runner = work.Runner(
            self.hosts, self.change, "renews certificates", lambda *_: None, ["cp-3"], **more
        )

    def change(self, _cluster, _site, step):
        self.changed.append(step.node)
        return work.Done(step.node, "", (), ())

    def carry_out(self, *, nodes=("cp-1", "cp-2"), left=()):
        return self.runner.carry_out(PLAN, Alone(SimpleNamespace(check=self.check), nodes, left))


def test_where_somebody_else_changes_a_control_plane_nothing_is_touched():
    def exclude(_hosts, about, *, own, skipped, **_options):
        assert (about, own, skipped) == (
            "renews certificates",
            {("cp-1", "certs"), ("cp-2", "certs")},
            ["cp-3"],
        )
        raise AdminError("bob@desk upgrades node cp-1")

    run = Run(exclude=exclude)
    with pytest.raises(AdminError, match="bob@desk"):
        run.runner.run(PLAN)
    assert run.hosts.opened == []


def test_who_has_lost_the_lease_changes_no_further_node():
    answers = iter([None, AdminError("somebody else has taken over")])

    def check():
        if error := next(answers):
            raise error

    run = Run(check=check)
    with pytest.raises(AdminError, match="taken over"):
        run.carry_out()
    assert run.changed == ["cp-1"]


def test_what_an_earlier_run_has_begun_anywhere_is_waited_for_before_the_first_change():
    host = Host("cp-2")
    host.earlier = [b"running", b"running", b"ended 0"]
    run = Run(host)
    run.carry_out(left=(Work("cp-2", "certs", None),))
    assert run.hosts.opened == ["cp-2", "cp-1", "cp-2"]
    assert "node cp-2: the work of an interrupted run still runs" in run.hosts.said[0]
    assert host.earlier == []
    assert run.changed == ["cp-1", "cp-2"]


def test_a_worker_is_held_for_itself_as_well():
    """An upgrade of that worker holds the same Lease."""
    held = []

    @contextmanager
    def hold(_cluster, name, *_arguments, **_options):
        held.append(name)
        yield SimpleNamespace(check=lambda: held.append("checked"))

    Run(hold=hold).carry_out(nodes=("cp-1",))
    assert held == ["kubectl-admin-upgrade-cp-2", "checked"]
