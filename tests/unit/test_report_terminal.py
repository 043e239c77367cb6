from datetime import UTC, datetime, timedelta

import pytest

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.report.terminal import render, table_text

VERSIONS = Table(
    [Column("NAME"), Column("KUBELET"), Column("KERNEL", wide=True)],
    [
        ["cp-1", "1.30", "6.1"],
        ["worker-1", Cell("1.3", Mark.BAD), "6.10"],
        ["w2", Cell("1e5", Mark.DOUBT), ""],
    ],
)


def shown(report=None, *, wide=False, headers=True, colour=False, width=80, **parts):
    report = report or Report("Kind", items=list, names=list, **parts)
    return render(report, wide=wide, headers=headers, colour=colour, width=width)


def test_a_table_has_versions_as_they_are():
    assert shown(tables=[VERSIONS]) == "NAME      KUBELET\ncp-1      1.30\nworker-1  1.3!\nw2        1e5?\n"


def test_a_column_of_nothing_but_versions_has_them_as_they_are():
    """Read as numbers, 1.30 would become 1.3 and stand on the right."""
    table = Table([Column("MINOR")], [["1.30"], ["1.9"], ["1.100"], ["1e2"]])
    assert shown(tables=[table]) == "MINOR\n1.30\n1.9\n1.100\n1e2\n"


def test_a_wide_table_has_all_columns_and_a_dash_for_nothing():
    assert shown(tables=[VERSIONS], wide=True) == (
        "NAME      KUBELET  KERNEL\ncp-1      1.30     6.1\nworker-1  1.3!     6.10\nw2        1e5?     -\n"
    )


def test_a_cell_of_nothing_to_be_seen_is_a_dash_and_moves_no_other():
    table = Table([Column("A"), Column("B")], [[" ", "x"], ["y", Cell("")], [" z ", "\n"]])
    assert shown(tables=[table]) == "A  B\n-  x\ny  -\nz  \\n\n"


def test_a_table_without_headers():
    assert shown(tables=[VERSIONS], headers=False) == "cp-1      1.30\nworker-1  1.3!\nw2        1e5?\n"


@pytest.mark.parametrize(("headers", "text"), [(True, "NAME  KUBELET"), (False, "")])
def test_a_table_without_rows(headers, text):
    empty = Table(VERSIONS.columns, [])
    assert table_text(empty, wide=False, headers=headers, colour=False) == text


def test_colour_is_laid_over_the_same_text():
    coloured = shown(tables=[VERSIONS], colour=True)
    assert "\x1b[31m1.3!\x1b[0m" in coloured
    assert "\x1b[33m1e5?\x1b[0m" in coloured
    for code in ("\x1b[31m", "\x1b[33m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == shown(tables=[VERSIONS])


def test_a_cell_can_not_fake_a_row():
    text = shown(
        tables=[Table([Column("NAME"), Column("STATUS")], [["w1\nw2  Ready", Cell("\x1b[1A", Mark.BAD)]])]
    )
    assert text == "NAME           STATUS\nw1\\nw2  Ready  \\x1b[1A!\n"


def test_a_finding_says_what_breaks_which_rule_and_what_to_do():
    finding = Finding(
        Severity.VIOLATION,
        "kubelet-newer",
        "kubelet 1.37.2",
        "A kubelet is never newer than the API server.",
        "the API server is at 1.36.3",
        "Upgrade the API server first.",
        "https://kubernetes.io/releases/version-skew-policy/#kubelet",
        ("node/w1", "node/w2"),
    )
    assert shown(findings=[finding]) == (
        "violation: kubelet 1.37.2 on node/w1, node/w2: the API server is at 1.36.3\n"
        "  rule: A kubelet is never newer than the API server.\n"
        "        (https://kubernetes.io/releases/version-skew-policy/#kubelet)\n"
        "  fix:  Upgrade the API server first.\n"
    )
    assert shown(findings=[finding], colour=True).startswith("\x1b[31mviolation:\x1b[0m kubelet 1.37.2 on ")


def test_a_finding_says_how_long_it_has_been_so():
    began = datetime(2026, 11, 30, 12, tzinfo=UTC)
    finding = Finding(Severity.WARNING, "r", "etcd", "says", "slow", objects=("node/a",), since=began)
    for now, said in (
        (began + timedelta(minutes=5), "etcd on node/a for 5 minutes: slow"),
        (began - timedelta(minutes=5), "etcd on node/a for 0 seconds: slow"),  # by another clock
        (None, "etcd on node/a: slow"),
    ):
        assert shown(findings=[finding], at=now).startswith(f"warning: {said}\n")


def test_a_cell_that_has_just_changed_has_a_sign_behind_its_mark():
    cells = [Cell("ok", changed=True), Cell("down", Mark.BAD, changed=True)]
    assert shown(tables=[Table([Column("A"), Column("B")], [cells])]) == "A    B\nok~  down!~\n"


@pytest.mark.parametrize(
    ("subject", "objects", "said"),
    [
        ("etcd on node cp-1", ("node/cp-1",), "etcd on node cp-1: slow"),
        (
            "clocks of cp-1, w1 and 1 more",
            ("node/cp-1", "node/w1", "node/w2"),
            "clocks of cp-1, w1 and 1 more: slow",
        ),
        ("pod a/b", ("pod/a/b",), "pod a/b: slow"),
        ("etcd", ("node/etc",), "etcd on node/etc: slow"),
        ("etcd of cp-10", ("node/cp-1",), "etcd of cp-10 on node/cp-1: slow"),
    ],
)
def test_an_object_that_the_subject_names_is_not_named_twice(subject, objects, said):
    finding = Finding(Severity.NOTE, "r", subject, "says", "slow", objects=objects)
    assert shown(findings=[finding]).startswith(f"note: {said}\n")


def test_a_pod_is_not_a_place():
    pods = ("pod/kube-system/proxy-x", "pod/kube-system/proxy-y")
    finding = Finding(Severity.NOTE, "r", "pods of a DaemonSet", "says", "they stay", objects=pods)
    assert shown(findings=[finding], width=110).startswith(
        "note: pods of a DaemonSet (pod/kube-system/proxy-x, pod/kube-system/proxy-y): they stay\n"
    )


def test_a_finding_without_source_fix_and_objects_is_short():
    finding = Finding(Severity.NOTE, "a-rule", "subject", "says", "evidence")
    assert shown(findings=[finding]) == "note: subject: evidence\n  rule: says\n"


def test_paragraphs_and_findings_are_wrapped_and_words_stay_whole():
    long = "https://kubernetes.io/" + "x" * 60
    finding = Finding(Severity.NOTE, "a-rule", "subject", "word " * 30, long)
    lines = shown(paragraphs=["word " * 30], findings=[finding], width=50).splitlines()
    assert all(len(line) <= 50 or line.strip() == long for line in lines)
    assert f"  {long}" in lines


def test_the_closing_line_is_below_the_findings():
    found = [Finding(Severity.NOTE, "r", "s", "says", "seen")]
    assert shown(paragraphs=["first"], findings=found, closing="last").endswith("  rule: says\n\nlast\n")


def test_parts_stand_apart_and_empty_ones_leave_no_gap():
    text = shown(tables=[VERSIONS, Table(VERSIONS.columns, [])], paragraphs=["one\ntwo", ""], headers=False)
    assert text == "cp-1      1.30\nworker-1  1.3!\nw2        1e5?\n\none\ntwo\n"
