"""What has come of a run, as it is told."""

from datetime import UTC, datetime

from kubectl_admin.etcd.undelete import apply, judge, outcome, undo
from kubectl_admin.etcd.undelete.ends import Became, Outcome
from kubectl_admin.etcd.undelete.entries import Deed, Entry, Head
from kubectl_admin.etcd.undelete.facts import Plan
from kubectl_admin.etcd.undelete.rehearse import Rehearsed
from kubectl_admin.report import Report
from kubectl_admin.report.terminal import render
from tests.fakes.object_store import Object, ObjectStore
from tests.unit.etcd.undelete.things import BY_KIND, RESOURCES, found, live, thing

NAMES = "abcdefg"
WAS_TAKEN_BACK = "it was made, and taken back, since another one is refused"


def planned(*items: Object) -> Plan:
    return judge.plan([found(one) for one in items], live())


def ended(plan: Plan, became: Became, why: str = "") -> apply.Run:
    """A run in which all has ended so."""

    def begin() -> None:
        raise AssertionError

    run = apply.Run(ObjectStore(RESOURCES), plan, "op", begin, False, lambda _: None)  # type: ignore[arg-type]
    run.outcomes = {item.key: Outcome(item, became, why) for item in plan.todo}
    return run


def shown(report: Report) -> str:
    return render(report, wide=False, headers=True, colour=False, width=200)


def test_those_that_were_taken_back_are_one_finding() -> None:
    run = ended(planned(*(thing("ConfigMap", name) for name in NAMES)), Became.TAKEN_BACK)
    (finding,) = outcome.outcome(run).findings
    assert (finding.rule, finding.evidence) == ("undelete-not-made", WAS_TAKEN_BACK)
    assert finding.objects == tuple(f"configmap/shop/{name}" for name in NAMES)
    assert finding.subject == "configmap shop/a, configmap shop/b, configmap shop/c and 4 more"


def test_equal_refusals_are_one_finding_and_others_are_not() -> None:
    plan = planned(*(thing("ConfigMap", name) for name in NAMES))
    refused = {item.key: "no" if item.key.name != "a" else "never" for item in plan.todo}
    said = outcome.of_rehearsal(plan, Rehearsed(refused), keep_going=False)
    assert [(one.evidence, len(one.objects)) for one in said] == [("never", 1), ("no", 6)]


def test_an_object_is_named_once() -> None:
    run = ended(planned(thing("ConfigMap", "cart")), Became.REFUSED, "no")
    text = shown(outcome.outcome(run))
    assert "violation: configmap shop/cart: no\n" in text


def test_what_is_left_by_undo_for_one_reason_is_one_finding() -> None:
    at = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    left = [
        undo.Undone(
            Entry(number, Deed.CREATE, BY_KIND["ConfigMap"], "shop", name, at), undo.Became.LEFT, "no"
        )
        for number, name in enumerate(NAMES)
    ]
    report = outcome.undone(left, Head("op", "s.db", "", "", at))
    (finding,) = report.findings
    assert len(finding.objects) == len(NAMES)
    assert "configmap  a" in shown(report)


def test_kinds_are_named_as_kubectl_does() -> None:
    run = ended(planned(thing("Ingress", "web"), thing("ConfigMap", "a")), Became.MADE)
    kinds = {line.split()[1] for line in shown(outcome.outcome(run)).splitlines()[1:3]}
    assert kinds == {"ingress.networking.k8s.io", "configmap"}
