from dataclasses import replace
from datetime import date

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Gap, Severity
from kubectl_admin.versions import upstream
from kubectl_admin.versions.breaches import breaches
from kubectl_admin.versions.facts import Instance, Reach
from kubectl_admin.versions.judge import judge
from kubectl_admin.versions.policy import KUBELET_OLDER
from tests.unit.versions.samples import cluster, part, said

TABLE = upstream.load()
TODAY = date(2026, 11, 23)


def found(facts, today=TODAY):
    return {finding.rule: finding for finding in judge(facts, breaches(facts), TABLE, today)}


def test_a_sound_cluster_has_nothing_but_a_note_on_its_patch():
    assert set(found(cluster({"cp1": "1.36.3"}))) == {"patch-behind"}
    assert set(found(cluster({"cp1": "1.37.2"}))) == set()


def test_many_alike_are_one_finding_that_names_them_all():
    kubelets = {f"w{number}": "1.30.0" for number in range(5000)}
    finding = found(cluster({"cp1": "1.36.3"}, kubelets))["kubelet-skew"]
    assert len(finding.objects) == 5000
    assert finding.subject == "kubelet 1.30.0"
    assert f"1.{36 - KUBELET_OLDER} to 1.36" in finding.evidence
    assert f"at least 1.{36 - KUBELET_OLDER}" in finding.fix


def test_a_kubelet_moved_before_its_api_server():
    finding = found(cluster({"cp1": "1.36.3"}, {"cp1": "1.36.3", "w1": "1.37.2"}))["kubelet-skew"]
    assert finding.severity is Severity.VIOLATION
    assert finding.objects == ("node/w1",)
    assert finding.source.endswith("version-skew-policy/#kubelet")
    assert finding.fix == "upgrade the API servers to 1.37 first: kubectl admin drain-upgrade cp1 --to 1.37"


def test_api_servers_that_go_first_are_those_that_are_behind_minor_by_minor():
    half = found(cluster({"cp1": "1.37.2", "cp2": "1.36.3"}, {"w1": "1.37.2"}))["kubelet-skew"]
    assert half.fix.endswith(" first: kubectl admin drain-upgrade cp2 --to 1.37")
    far = found(cluster({"cp1": "1.36.3"}, {"w1": "1.38.0"}))["kubelet-skew"]
    assert far.fix == (
        "upgrade the API servers to 1.38 first, minor by minor: kubectl admin drain-upgrade cp1 --to 1.37"
    )


def test_the_server_that_goes_first_is_the_one_that_the_part_talks_to():
    facts = cluster({"cp1": "1.35.4", "cp2": "1.36.3"}, {})
    local = part(Component.SCHEDULER, "1.37.2", "cp2", reach=Reach.LOCAL)
    others = tuple(
        each for each in facts.instances if (each.component, each.node) != (Component.SCHEDULER, "cp2")
    )
    finding = found(replace(facts, instances=(*others, local)))["controller-skew"]
    assert finding.fix.endswith(" first: kubectl admin drain-upgrade cp2 --to 1.37")


def test_controllers_of_one_version_are_one_finding_and_say_what_would_excuse_them():
    facts = cluster({"cp1": "1.37.2", "cp2": "1.36.3"}, {})
    finding = found(facts)["controller-skew"]
    assert finding.subject == "kube-controller-manager and kube-scheduler 1.37.2"
    assert finding.objects == ("node/cp1",)
    assert "own node" in finding.evidence


def test_an_image_tag_that_lies_is_told_with_both_sources():
    liar = part(Component.ETCD, "3.6.8", claimed=said("3.5.0", "the image tag"))
    finding = found(cluster({"cp1": "1.37.2"}, None, liar))["sources-disagree"]
    assert finding.severity is Severity.WARNING
    assert "3.6.8 by its /version, 3.5.0 by the image tag" in finding.evidence


def test_a_kubelet_that_runs_another_version_than_its_node_says():
    facts = cluster({"cp1": "1.37.2"}, {})
    stale = part(Component.KUBELET, "1.37.2", claimed=said("1.36.3", "the Node object"))
    finding = found(replace(facts, instances=(*facts.instances, stale)))["sources-disagree"]
    assert "1.36.3 by the Node object" in finding.evidence


def test_an_api_server_that_does_not_answer_is_named_and_judged_by_its_image():
    silent = Instance(
        Component.APISERVER, "cp2", claimed=said("1.37.2", "the image tag"), problem="connection refused"
    )
    finding = found(cluster({"cp1": "1.37.2"}, None, silent))["no-answer"]
    assert finding.objects == ("node/cp2",)
    assert finding.evidence == "connection refused; judged by its image tag, 1.37.2"


def test_support_that_has_ended():
    finding = found(cluster({"cp1": "1.34.13"}))["support-ended"]
    assert finding.severity is Severity.WARNING
    assert finding.evidence == "no patches since 2026-10-27, 27 days ago"
    assert "support-ended" not in found(cluster({"cp1": "1.34.13"}), date(2026, 10, 27))


def test_a_minor_that_the_table_does_not_know():
    assert "support-unknown" in found(cluster({"cp1": "1.99.0"}))


def test_what_was_not_seen_is_said_with_the_permission():
    facts = replace(cluster({"cp1": "1.37.2"}), gaps=(Gap("nodes", "forbidden", "list nodes"),))
    assert found(facts)["not-seen"].fix == "grant it: list nodes (docs/permissions.md)"


def test_what_has_no_version_is_not_judged_and_not_silent():
    facts = cluster(
        {"cp1": "1.36.3"},
        None,
        Instance(Component.KUBE_PROXY, "cp1"),
        Instance(Component.KUBE_PROXY, "w1"),
        Instance(Component.ETCD, "cp1", problem="no answer"),  # said already
        Instance(Component.COREDNS),
    )
    found = [each for each in judge(facts, (), TABLE, TODAY) if each.rule == "not-judged"]
    assert [(each.subject, each.objects) for each in found] == [("kube-proxy", ("node/cp1", "node/w1"))]
    assert found[0].severity is Severity.WARNING
