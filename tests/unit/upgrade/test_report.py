"""How an upgrade's end is shown: what is not well, and what a person has allowed."""

import time
from dataclasses import replace
from types import SimpleNamespace

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.plan import Step, Taken
from kubectl_admin.upgrade import report
from kubectl_admin.upgrade.actions import Actions
from kubectl_admin.upgrade.apply import Run, Upgraded
from kubectl_admin.upgrade.facts import Role, Target
from kubectl_admin.upgrade.inspection import Inspection, Options
from kubectl_admin.upgrade.live import LiveNode
from kubectl_admin.upgrade.progress import UpgradeProgress
from tests.unit.upgrade.cases import NEW, disk, facts


def done(**changes):
    here = facts("cp-1", moved=("cp-1",), written=NEW)
    seen = Inspection(here, disk("1.37.2-1.1"), Role.FURTHER, Target(NEW, "1.37.2-1.1"), (), (), None)
    return Upgraded(seen, {}, None, None, changes.pop("unhealthy", ()), cordoned=False, **changes)


def test_a_step_is_done_where_it_was_carried_out_and_never_where_it_was_not_needed():
    steps = (
        Step("snapshot", "", "cp-1", True),
        Step("kubeadm", "", "cp-1", True),
        Step("kubelet", "", "cp-1"),
    )
    seen = replace(done().inspection, steps=steps)
    planned = report.document(seen)["steps"]
    assert [(each["done"], each["state"]) for each in planned] == [
        (False, "not needed"),
        (True, "done"),
        (False, "to do"),
    ]
    shown = report.upgraded(replace(done(), inspection=seen, seconds={"kubelet": 2.0}))
    after = shown.items()[0]["steps"]
    assert [each["state"] for each in after] == ["not needed", "done", "done"]
    assert [row[1] for row in shown.tables[0].rows] == ["not needed", "-", "2s"]


def test_an_upgrade_that_has_failed_says_how_far_it_has_come():
    steps = (Step("packages", "", "cp-1", True), Step("kubeadm", "", "cp-1"), Step("kubelet", "", "cp-1"))
    run = Run(replace(done().inspection, steps=steps), Options())
    run.taken.append(Taken(steps[1], None, 61.0))
    shown = report.upgraded(run.so_far)
    (item,) = shown.items()
    assert [each["state"] for each in item["steps"]] == ["done", "done", "to do"]
    assert item.keys() == report.upgraded(done()).items()[0].keys()
    assert (item["seconds"], item["staysCordoned"]) == ({"kubeadm": 61.0}, False)
    assert shown.paragraphs == [
        "node cp-1: the upgrade to 1.37.2 has not come to its end; next step: kubelet"
    ]


def test_an_upgrade_that_has_left_its_cordon_says_so():
    seen = done().inspection
    run = Run(seen, Options())
    run.actions = Actions(
        LiveNode(SimpleNamespace(clock=time), None, seen, Options(), UpgradeProgress(), None), lambda: None
    )
    assert not run.so_far.cordoned
    run.actions.holding = True
    assert run.so_far.cordoned
    was = replace(seen, facts=replace(seen.facts, cordoned=True))
    assert Run(was, Options()).so_far.cordoned


def planned(*severities, is_done=False):
    findings = tuple(Finding(each, f"rule-{each}", "it", "says", "seen") for each in severities)
    steps = (Step("kubelet", "", "cp-1", is_done),)
    return report.planned(replace(done().inspection, steps=steps, findings=findings))


def test_what_forbids_an_upgrade_is_first_in_its_plan_and_said_in_its_last_line():
    shown = planned(Severity.NOTE, Severity.WARNING, Severity.VIOLATION, Severity.WARNING)
    assert [str(each.severity) for each in shown.findings] == ["violation", "warning", "warning", "note"]
    assert shown.closing == "the upgrade can't begin: fix the violations above first"
    assert planned(Severity.WARNING).closing == ""
    assert planned(Severity.VIOLATION, is_done=True).closing == ""


def found(shown):
    return [(each.rule, each.severity) for each in report.unwell(shown)]


def test_an_add_on_that_is_old_is_a_violation_unless_it_is_allowed():
    shown = done(behind=("CoreDNS is x, kubeadm's is y",))
    assert found(shown) == [("addon-behind", Severity.VIOLATION)]
    assert "is at 1.37.2 and not all is well" in report.said(shown)
    shown = done(behind=("CoreDNS is x, kubeadm's is y",), allowed=("addon-behind",))
    assert found(shown) == [("addon-behind", Severity.WARNING)]
    assert "is at 1.37.2 and well" in report.said(shown)


def test_a_roll_out_that_stands_is_a_warning_that_says_what_holds_it():
    shown = done(left=("the new kube-proxy here (0 of 4 pods are new, not available on w7)",))
    assert found(shown) == [("addon-rollout", Severity.WARNING)]
    assert "w7" in report.unwell(shown)[0].evidence
    assert "is at 1.37.2 and well" in report.said(shown)


def test_workloads_that_did_not_come_back():
    assert found(done(unhealthy=("Deployment/default/web",))) == [("moved-unhealthy", Severity.VIOLATION)]
