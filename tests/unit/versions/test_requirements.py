from dataclasses import replace

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Severity
from kubectl_admin.versions import upstream
from kubectl_admin.versions.facts import Instance, KubeadmConfig
from kubectl_admin.versions.requirements import (
    containerd_is_tested,
    etcd_gate,
    etcd_minor,
    kernel_is_accepted,
    unmet,
)
from kubectl_admin.versions.version import Version
from tests.unit.versions.samples import cluster, part

TABLE = upstream.load()
TESTED = tuple(map(Version.parse, ("2.3.0", "2.2.1")))


@pytest.mark.parametrize(
    ("why", "version", "tested"),
    [
        ("the patch of its line", "2.2.1", True),
        ("an older patch of its line", "2.2.0", False),
        ("a line that is not named", "1.7.28", False),
        ("a line newer than the table", "2.4.0", True),
    ],
)
def test_containerd(why, version, tested):
    assert containerd_is_tested(Version.parse(version), TESTED) is tested, why


def test_without_a_table_every_containerd_will_do():
    assert containerd_is_tested(Version.parse("1.0.0"), ())


@pytest.mark.parametrize(
    ("kernel", "accepted"),
    [
        ("5.4.0", True),
        ("5.10.0-8-amd64", True),
        ("5.14.0", False),
        ("4.18.0", False),
        ("6.18.44", True),
        ("10.0", True),
    ],
)
def test_kernel(kernel, accepted):
    assert kernel_is_accepted(Version.parse(kernel), ("5.4", "5.10", "5.15", "6+")) is accepted


@pytest.mark.parametrize(
    ("rule", "fields", "minor"),
    [
        ("containerd-untested", {"runtime": "containerd://1.7.28"}, 36),
        ("kernel-unsupported", {"kernel": "4.18.0-553.el8_10.x86_64"}, 36),
        ("cgroup-v1", {"cgroup": 1}, 35),
        ("runtime-support-ends", {"runtime_support_ends": "1.38.0"}, 38),
    ],
)
def test_what_a_node_lacks(rule, fields, minor):
    assert rule in {finding.rule for finding in unmet(cluster({"cp1": "1.36.0"}, **fields), TABLE, minor)}


@pytest.mark.parametrize(
    ("fields", "minor"),
    [
        ({}, 37),
        ({"runtime": "cri-o://1.36.0"}, 37),
        ({"runtime": "containerd://Unknown"}, 37),
        ({"cgroup": 2}, 35),
        ({"cgroup": 1}, 34),
        ({"runtime_support_ends": "1.38.0"}, 37),
    ],
)
def test_a_node_that_lacks_nothing(fields, minor):
    assert list(unmet(cluster({"cp1": "1.36.0"}, **fields), TABLE, minor)) == []


@pytest.mark.parametrize(
    ("etcd", "minor", "blocked"),
    [
        ("3.6.8", 37, True),
        ("3.6.10", 37, True),
        ("3.6.11", 37, False),
        ("3.7.0", 37, False),
        ("3.5.25", 34, True),
        ("3.5.26", 34, False),
        ("3.6.4", 34, False),
        ("3.6.8", 36, False),
    ],
)
def test_the_gates_of_etcd(etcd, minor, blocked):
    facts = cluster({"cp1": "1.36.3"}, None, part(Component.ETCD, etcd))
    found = list(etcd_gate(facts, TABLE, minor))
    assert bool(found) is blocked
    for finding in found:
        assert "kubectl -n kube-system edit configmap kubeadm-config" in finding.fix
        assert "kubeadm upgrade apply v1.36.3 on each control plane" in finding.fix


@pytest.mark.parametrize(
    ("tag", "etcd", "blocked"),
    [
        ("3.6.16-0", "3.6.8", False),  # it stays in its minor, and there is no step to be before
        ("3.7.1-0", "3.6.8", True),
        ("3.6.16-0", "3.5.21", True),  # the gate of the etcd that comes, not of the minor's own
        ("3.6.16-0", "3.5.26", False),
    ],
)
def test_an_image_tag_decides_which_etcd_comes(tag, etcd, blocked):
    facts = cluster({"cp1": "1.36.3"}, None, part(Component.ETCD, etcd))
    pinned = replace(facts, kubeadm_config=KubeadmConfig(etcd_tag=Version.parse(tag)))
    assert bool(list(etcd_gate(pinned, TABLE, 37))) is blocked


def test_a_member_of_unknown_version_is_not_past_the_gate():
    facts = cluster({"cp1": "1.36.3"}, None, Instance(Component.ETCD, "cp1"))
    [finding] = etcd_gate(facts, TABLE, 37)
    assert finding.evidence.endswith("the version is unknown on cp1")


@pytest.mark.parametrize(
    ("allowed", "severity"), [(None, Severity.WARNING), (True, Severity.WARNING), (False, Severity.VIOLATION)]
)
def test_cgroup_v1_by_what_the_kubelet_is_told(allowed, severity):
    facts = cluster({"cp1": "1.36.0"}, cgroup=1, allows_cgroup_v1=allowed, cgroup_seen="the file")
    [finding] = unmet(facts, TABLE, 37)
    assert (finding.severity, finding.rule) == (severity, "cgroup-v1")
    assert finding.evidence.startswith("node cp1 runs cgroup v1 (the file); ")
    assert ("kubeadm may need --ignore-preflight-errors=SystemVerification" in finding.evidence) is (
        allowed is True
    )
    assert ("failCgroupV1: false" in finding.fix) is (allowed is not True)


@pytest.mark.parametrize(
    ("tag", "minor"), [(None, None), ("3.6.16-0", 36), ("3.7.1-0", 37), ("3.5.24-0", 33), ("3.0.0", None)]
)
def test_the_minor_whose_kubeadm_brings_an_etcd(tag, minor):
    config = KubeadmConfig(etcd_tag=Version.parse(tag) if tag else None)
    facts = replace(cluster({"cp1": "1.36.0"}), kubeadm_config=config)
    assert etcd_minor(facts, TABLE) == minor


def test_a_minor_beyond_the_table_is_said():
    [note] = unmet(cluster({"cp1": "1.37.0"}), TABLE, 38)
    assert (note.severity, note.rule) == (Severity.NOTE, "not-seen")
    assert note.evidence.endswith("ends with 1.37")
