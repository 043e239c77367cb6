"""An upgrade as it is told."""

from kubectl_admin.plan import Step
from kubectl_admin.upgrade.progress import UpgradeLines


def told(*, whole=False):
    lines: list[str] = []
    progress = UpgradeLines(
        lines.append, lambda block: lines.extend(f"({line})" for line in block), whole=whole
    )
    return progress, lines


def test_headings_stay_and_the_rest_is_shown_for_as_long_as_it_holds():
    progress, lines = told()
    progress.step(Step("kubeadm", "kubeadm upgrade node", "w1"))
    progress.wrote("== kubeadm upg")
    progress.wrote("rade node\n[upgrade] Reading\n\n[upgr")
    progress.wrote("ade] Done\n")
    assert lines == [
        "kubeadm: kubeadm upgrade node",
        "  kubeadm upgrade node",
        "(  [upgrade] Reading)",
        "(  [upgrade] Done)",
    ]


def test_all_of_it_where_it_is_asked_for():
    progress, lines = told(whole=True)
    progress.wrote("== a\nb\n")
    assert lines == ["  == a", "  b"]


def test_what_is_waited_for():
    progress, lines = told()
    progress.lacking(["kubelet 1.37.2 (it reports 1.36.3)", "the node Ready"])
    assert lines == ["(  waiting for kubelet 1.37.2 (it reports 1.36.3))", "(  waiting for the node Ready)"]
