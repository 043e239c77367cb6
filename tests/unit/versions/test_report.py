import json
from dataclasses import replace
from datetime import date

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.report import terminal
from kubectl_admin.report.document import to_json
from kubectl_admin.versions import fleet, report, upstream
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Instance
from kubectl_admin.versions.judge import judge
from kubectl_admin.versions.policy import KUBELET_OLDER
from kubectl_admin.versions.upgrade_path import upgrade_path
from tests.unit.versions.samples import cluster, part, said

TABLE = upstream.load()
TODAY = date(2026, 11, 23)


def made(facts, target=None):
    steps = upgrade_path(facts, TABLE, target) if target else None
    found = breaches(facts)
    return report.report(facts, found, judge(facts, found, TABLE, TODAY), TABLE, TODAY, steps)


def shown(facts, target=None, wide=False):
    return terminal.render(made(facts, target), wide=wide, headers=True, colour=False, width=80)


THREE = cluster(
    {"cp1": "1.36.3", "cp2": "1.36.3", "cp3": "1.36.3"},
    {"cp1": "1.36.3", "cp2": "1.36.3", "cp3": "1.36.3", "w1": "1.37.2"},
    *(part(Component.ETCD, "3.6.8", name) for name in ("cp1", "cp2", "cp3")),
    *(part(Component.KUBE_PROXY, "1.36.3", name) for name in ("cp1", "cp2", "cp3", "w1")),
    part(Component.KUBECTL, "1.36.0", None),
)


def test_the_matrix():
    lines = shown(THREE).splitlines()
    assert lines[0].split() == [
        "NAME",
        "STATUS",
        "APISERVER",
        "MANAGER",
        "SCHEDULER",
        "ETCD",
        "KUBELET",
        "PROXY",
    ]
    assert lines[4].split() == ["w1", "Ready", "-", "-", "-", "-", "1.37.2!", "1.36.3"]


def test_it_fits_80_columns_but_for_addresses():
    lines = shown(THREE, target=37).splitlines()
    assert [line for line in lines if len(line) > 80 and "https://" not in line] == []


def test_where_nodes_cant_be_listed_the_known_parts_are_shown_all_the_same():
    facts = replace(cluster({"cp1": "1.36.3", "cp2": "1.36.3"}, {}), nodes=())
    lines = [line.split() for line in shown(facts).splitlines()[:3]]
    assert lines[0] == ["NAME", "STATUS", "APISERVER", "MANAGER", "SCHEDULER"]
    assert lines[2] == ["cp2", "<unknown>", "1.36.3", "1.36.3", "1.36.3"]
    assert "next: not judged" in shown(facts)


def test_wide_adds_kernel_runtime_and_system():
    assert (
        shown(THREE, wide=True)
        .splitlines()[0]
        .endswith("ROLES          KERNEL  RUNTIME             OS-IMAGE")
    )


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (THREE, "next: fix the findings; no upgrade step is allowed until then"),
        (
            cluster({"cp1": "1.36.3"}),
            "next: 1.37 (newest patch 1.37.2): kubectl admin skew --target 1.37",
        ),
        (
            cluster({"cp1": "1.36.3"}, {"w1": f"1.{36 - KUBELET_OLDER}.0"}),
            f"next: 1 kubelet to at least 1.{37 - KUBELET_OLDER}, then the API servers to 1.37",
        ),
        (
            cluster({"cp1": "1.36.3"}, None, part(Component.KUBECTL, "1.30.0", None)),
            "next: 1.37 (newest patch 1.37.2): kubectl admin skew --target 1.37",
        ),
        (cluster({"cp1": "1.37.2"}), "next: nothing; 1.37 is the newest minor known"),
        (
            cluster(
                {"cp1": "1.37.2", "cp2": "1.36.3"},
                {},
            ),
            "next: fix the findings; no upgrade step is allowed until then",
        ),
    ],
)
def test_the_next_step(facts, line):
    assert list(report.next_step(facts, breaches(facts), TABLE)) == [line]


def test_a_version_in_doubt_is_marked():
    doubtful = Instance(Component.APISERVER, "cp1", claimed=said("1.36.3"), problem="refused")
    assert report.cell(doubtful, broken=False).mark == "?"
    assert report.cell(Instance(Component.ETCD, "cp1"), broken=False).text == "<unknown>"


def test_names_from_the_cluster_cannot_steer_the_terminal():
    evil = replace(THREE, context="prod\x1b[2J\x9b31m\u202e")
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown(evil))


def as_json(answer):
    """The document of a report, as a program reads it."""
    return json.loads(to_json(answer))


def test_the_document():
    answer = as_json(made(THREE, target=37))
    assert (answer["apiVersion"], answer["kind"]) == ("kubectl-admin/v1", "SkewReport")
    worker = answer["items"][3]
    assert worker["components"]["kubelet"]["running"] == {"version": "1.37.2", "source": "its /version"}
    assert answer["components"]["kubectl"]["version"] == "1.36.0"
    assert answer["findings"][0]["rule"] == "kubelet-skew"
    assert answer["way"][0]["illegal"][0]["rule"] == "etcd-too-old-to-upgrade"


def test_what_only_a_later_step_forbids_is_not_said_of_today():
    facts = cluster({"cp1": "1.35.0"}, {"cp1": "1.35.0", "w1": f"1.{36 - KUBELET_OLDER}.0"})
    answer = made(facts, target=37)
    late = next(each for each in answer.findings if each.rule == "kubelet-skew")
    assert late.evidence.startswith("at step 4, unless step 3 is done before: beside kube-apiserver ")
    assert [stage["title"] for stage in as_json(answer)["way"]][2:4] == [
        "kubelet, each node drained first",
        "kube-apiserver, one after another",
    ]
    etcd = next(each for each in made(THREE, target=37).findings if each.rule == "etcd-too-old-to-upgrade")
    assert etcd.evidence.startswith("at step 1: kubeadm 1.37 brings etcd ")
    today = cluster({"cp1": "1.36.3"}, {"w1": "1.37.2"})
    now = next(each for each in made(today, target=37).findings if each.rule == "kubelet-skew")
    assert "at step" not in now.evidence


def test_violations_alone_make_exit_code_3():
    assert made(THREE).violated
    assert not made(cluster({"cp1": "1.36.3"})).violated
    assert made(cluster({"cp1": "1.36.3"}, None, part(Component.ETCD, "3.6.8")), target=37).violated


def test_clusters_side_by_side():
    sound = cluster({"cp1": "1.37.2", "cp2": "1.37.1"})
    judged = {
        "prod": (THREE, judge(THREE, breaches(THREE), TABLE, TODAY)),
        "test": (sound, judge(sound, breaches(sound), TABLE, TODAY)),
        "away": AdminError("The connection to the server x was refused"),
    }
    answer = fleet.report(judged, TABLE, TODAY)
    text = terminal.render(answer, wide=False, headers=True, colour=False, width=80).splitlines()
    assert text[1].split()[:3] == ["prod", "4", "1.36.3"]
    assert "1.36.3-1.37.2!" in text[1]
    assert "1.37.1-1.37.2" in text[2]
    assert "unreachable!" in text[3]
    assert answer.violated
    assert [item.get("error") for item in as_json(answer)["items"]][2].startswith("The connection")
