"""What stands in the way of a node's upgrade."""

from dataclasses import replace

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Gap, Severity
from kubectl_admin.upgrade import preflight, target
from kubectl_admin.upgrade.facts import STATIC, CoreDNS, Proxy, Record, Role, Room, Target
from kubectl_admin.versions import upstream
from kubectl_admin.versions.facts import Evidence, KubeadmConfig
from kubectl_admin.versions.upgrade_path import upgrade_path
from kubectl_admin.versions.version import Version
from tests.unit.upgrade.cases import CONTROL_PLANES, DIRECTORIES, NEW, OLD, ROOMY, disk, facts

UPSTREAM = upstream.load()


def found(here, host=None, goal=NEW, **changes):
    """The rules that are violated."""
    host = host or disk()
    role = target.role(here, goal, host.kubeadm_record)
    every = preflight.findings(here, host, role, Target(goal, f"{goal}-1.1"), UPSTREAM, **changes)
    return [each.rule for each in every if each.severity is Severity.VIOLATION]


@pytest.mark.parametrize(
    ("why", "here", "goal", "rules"),
    [
        ("the first control plane", facts("cp-1"), NEW, []),
        ("a further one", facts("cp-2", moved=("cp-1",), written=NEW), NEW, []),
        ("the last", facts("cp-3", moved=("cp-1", "cp-2"), written=NEW), NEW, []),
        ("a worker after all of them", facts("worker-1", moved=CONTROL_PLANES, written=NEW), NEW, []),
        ("a worker before its API servers", facts("worker-1"), NEW, ["kubelet-skew"]),
        (
            "a worker before one of them",
            facts("worker-1", moved=("cp-1", "cp-2"), written=NEW),
            NEW,
            ["kubelet-skew"],
        ),
        ("a second control plane before the first", facts("cp-2"), NEW, ["control-plane-order"]),
        ("one while another is in between", facts("cp-1", moved=("cp-2",)), NEW, ["control-plane-order"]),
        ("the one in between itself", facts("cp-2", moved=("cp-2",)), NEW, ["control-plane-order"]),
        ("back", facts("cp-1"), Version(1, 36, 2), ["downgrade"]),
        ("back to another minor", facts("worker-1", kubelet=NEW), OLD, ["downgrade"]),
        ("over a minor", facts("cp-1"), Version(1, 38, 0), ["skipped-minor", "apiserver-skew"]),
        ("a node that is down", facts("cp-1", ready=False), NEW, ["not-ready"]),
        ("etcd before the gate", facts("cp-1", etcd="3.6.8"), NEW, ["etcd-too-old-to-upgrade"]),
        ("the same, a patch only", facts("cp-1", etcd="3.6.8"), Version(1, 36, 5), []),
        (
            "another member before the gate",
            facts("cp-1", etcds={"cp-3": "3.6.8"}),
            NEW,
            ["etcd-too-old-to-upgrade"],
        ),
        (
            "another member of a version that is not known",
            facts("cp-1", etcds={"cp-3": ""}),
            NEW,
            ["etcd-too-old-to-upgrade"],
        ),
        (
            "a further one, and one before the gate is still to come",
            facts("cp-2", moved=("cp-1",), written=NEW, etcds={"cp-1": "3.7.0", "cp-3": "3.6.8"}),
            NEW,
            ["etcd-too-old-to-upgrade"],
        ),
        (
            "a further one, all past the gate or past the step",
            facts("cp-2", moved=("cp-1",), written=NEW, etcds={"cp-1": "3.7.0"}),
            NEW,
            [],
        ),
        ("one other member down", facts("cp-1", up=("cp-1", "cp-2")), NEW, ["etcd-quorum"]),
        ("its own member never promoted", facts("cp-1", learner="cp-1"), NEW, ["etcd-learner"]),
        ("another one never promoted, so two voters", facts("cp-1", learner="cp-3"), NEW, ["etcd-quorum"]),
        ("its own member down", facts("cp-1", up=("cp-2", "cp-3")), NEW, []),
    ],
)
def test_ways(why, here, goal, rules):
    assert found(here, goal=goal) == rules, why


def test_a_version_that_is_refused_is_begun_on_no_node():
    refused = Target(Version(1, 38, 0), "")
    every = preflight.findings(facts("cp-2"), disk(), Role.FIRST, refused, UPSTREAM)
    forbidden = [each.rule for each in every if each.severity is Severity.VIOLATION]
    assert forbidden == ["skipped-minor", "apiserver-skew"]


def test_a_member_without_a_static_pod_counts_for_the_gate():
    here = facts("cp-1")
    parts = tuple(part for part in here.versions.instances if (part.component, part.node) != ("etcd", "cp-3"))
    seen = replace(here, versions=replace(here.versions, instances=parts))
    assert found(seen) == []  # it says itself that it is at 3.6.16
    assert here.etcd
    silent = replace(
        here.etcd,
        members=tuple(replace(each, status=None) for each in here.etcd.members if each.node == "cp-3"),
    )
    assert "etcd-too-old-to-upgrade" in found(replace(seen, etcd=silent))


def test_an_etcd_that_nobody_could_ask_is_not_taken_for_well():
    here = facts("cp-1")
    assert here.etcd
    silent = tuple(replace(each, status=None, listed=None, problem="no answer") for each in here.etcd.members)
    asked = replace(here, etcd=replace(here.etcd, members=silent, unanswered=(Gap("alarms", "no answer"),)))
    assert found(asked) == ["etcd-quorum"]
    every = preflight.findings(asked, disk(), Role.FIRST, Target(NEW, "x"), UPSTREAM)
    assert "alarms" in [each.subject for each in every if each.rule == "not-seen"]
    assert found(replace(here, etcd=replace(here.etcd, members=()))) == ["etcd-quorum"]


@pytest.mark.parametrize(
    ("here", "evidence"),
    [
        (facts("cp-1", up=("cp-1", "cp-2")), "1 of 2 other voters answer, 2 are needed; no answer from cp-3"),
        (facts("cp-1", learner="cp-3"), "1 of 1 other voters answer, 2 are needed"),
    ],
)
def test_the_members_that_do_not_answer_are_named_where_there_are_any(here, evidence):
    (quorum,) = [each for each in preflight.etcd_health(here) if each.rule == "etcd-quorum"]
    assert quorum.evidence == evidence


def test_the_upgrade_and_skew_judge_etcd_alike():
    for etcds in (
        {},
        {"cp-1": "3.6.8"},
        {"cp-3": "3.6.8"},
        {"cp-2": ""},
        {"cp-1": "3.7.0", "cp-2": "3.6.10"},
    ):
        here = facts("cp-1", etcds=etcds)
        illegal = [each.rule for step in upgrade_path(here.versions, UPSTREAM, 37) for each in step.illegal]
        assert ("etcd-too-old-to-upgrade" in found(here)) is ("etcd-too-old-to-upgrade" in illegal), etcds


def test_what_could_not_be_seen_is_said():
    here = facts("cp-1")
    here = replace(here, versions=replace(here.versions, gaps=(Gap("kube-proxy", "no rights", "list pods"),)))
    every = preflight.findings(here, disk(), target.role(here, NEW), Target(NEW, f"{NEW}-1.1"), UPSTREAM)
    assert [(each.subject, each.evidence) for each in every if each.rule == "not-seen"] == [
        ("kube-proxy", "no rights")
    ]


def test_a_person_may_begin_elsewhere():
    assert found(facts("cp-2"), first=True) == []
    # But not while another node is in between.
    assert found(facts("cp-1", moved=("cp-2",)), first=True) == ["control-plane-order"]


@pytest.mark.parametrize("code", [0, 1, None])
@pytest.mark.parametrize("moved", [("cp-2",), ("cp-1", "cp-2"), CONTROL_PLANES])
def test_the_first_one_goes_on_where_others_have_followed_meanwhile(code, moved):
    begun = disk(kubeadm="1.37.2-1.1", records={"kubeadm": Record("v1.37.2", "apply", code)})
    assert found(facts("cp-1", moved=moved, written=NEW), begun) == []
    # Nor is there a second `apply` where kubeadm-config does not have the version yet: it was here.
    assert found(facts("cp-1", moved=moved), begun) == []


def test_a_control_plane_that_has_lost_its_label_is_no_worker():
    """Its Node object was deleted, and has come back by its kubelet, which can't label it."""
    here = facts("cp-2", moved=("cp-1", "cp-3"), written=NEW, order=("cp-1", "cp-3"))
    parts = tuple(
        each for each in here.versions.instances if each.node != "cp-2" or each.component is Component.KUBELET
    )
    here = replace(here, versions=replace(here.versions, instances=parts), etcd=None)
    role = target.role(here, NEW)
    every = preflight.findings(here, disk(apiserver=True), role, Target(NEW, "x"), UPSTREAM)
    [said] = [each for each in every if each.rule == "control-plane-label"]
    assert said.severity is Severity.VIOLATION
    assert "kubectl label node cp-2 node-role.kubernetes.io/control-plane=" in said.fix
    assert found(here) == []
    assert found(facts("cp-2", moved=("cp-1",), written=NEW), disk(apiserver=True)) == []


def test_a_build_of_the_version_is_the_version():
    built = Version(1, 37, 2, "+vendor.1")
    here = facts("cp-2", moved=("cp-1",), written=built)
    parts = tuple(
        replace(part, running=Evidence(built, "itself"))
        if part.node == "cp-1" and part.component in STATIC
        else part
        for part in here.versions.instances
    )
    here = replace(here, versions=replace(here.versions, instances=parts))
    assert found(here) == []
    assert preflight.is_moved(replace(here, node="cp-1"), NEW)
    assert not preflight.is_moved(replace(here, node="cp-1"), Version(1, 37, 2, "+vendor.2"))


def test_what_a_person_allows_is_a_warning():
    here = facts("cp-1", etcd="3.6.8")
    every = preflight.findings(here, disk(), target.role(here, NEW), Target(NEW, "1.37.2-1.1"), UPSTREAM)
    allowed = preflight.allow(every, ["etcd-too-old-to-upgrade"])
    assert [each.severity for each in allowed if each.rule == "etcd-too-old-to-upgrade"] == [Severity.WARNING]
    assert preflight.allow(every, ["etcd"]) == every


@pytest.mark.parametrize("directory", ROOMY)
def test_a_disk_that_is_full(directory):
    host = disk(room={**ROOMY, directory: Room(1 << 20, "small")}, etcd=1 << 30)
    assert found(facts("cp-1"), host) == ["disk-full"]


def test_what_goes_to_one_disk_is_added_up():
    # 200 MiB of packages, 400 unpacked, 700 of images, and 1,024 for the copy of etcd's data
    for mebibytes, rules in ((2324, []), (2323, ["disk-full"])):
        room = dict.fromkeys(DIRECTORIES, Room(mebibytes << 20, "one"))
        assert found(facts("cp-1"), disk(room=room, etcd=1 << 30)) == rules
    worker = facts("worker-1", moved=CONTROL_PLANES, written=NEW)
    for mebibytes, rules in ((600, []), (599, ["disk-full"])):
        room = dict.fromkeys(DIRECTORIES, Room(mebibytes << 20, "one"))
        assert found(worker, disk(room=room, etcd=1 << 30)) == rules


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("/mnt/etcd", "the host has no directory /mnt/etcd"),
        ("", "etcd reads its settings from a file"),
    ],
)
def test_a_member_whose_data_could_not_be_measured_is_said(data, why):
    here = facts("cp-1", flags={"etcd": {}}, etcd_data=data)
    every = preflight.findings(here, disk(), Role.FIRST, Target(NEW, "x"), UPSTREAM)
    unseen = [(each.subject, each.evidence) for each in every if each.rule == "not-seen"]
    assert unseen == [("the size of etcd's data", why)]
    measured = preflight.findings(here, disk(etcd=1), Role.FIRST, Target(NEW, "x"), UPSTREAM)
    assert "not-seen" not in [each.rule for each in measured]


def test_room_that_could_not_be_measured_is_said():
    room = {directory: room for directory, room in ROOMY.items() if directory != "/usr"}
    every = preflight.findings(facts("cp-1"), disk(room=room), Role.FIRST, Target(NEW, "x"), UPSTREAM)
    assert [each.subject for each in every if each.rule == "not-seen"] == ["the free space in /usr"]


def test_the_drain_may_be_left_out_for_patches_alone():
    assert found(facts("cp-1"), goal=Version(1, 36, 5), drained=False) == []
    assert found(facts("cp-1"), drained=False) == ["drain-needed"]


def test_a_host_without_systemd():
    assert found(facts("cp-1"), disk(systemd=False)) == ["no-systemd"]


OLD_FLAG = "--experimental-compaction-batch-limit=1"


def test_flags_of_the_etcd_that_comes_are_judged_not_those_of_one_that_stays():
    config = KubeadmConfig(extra_args={Component.ETCD: (OLD_FLAG,)})
    assert found(facts("cp-1", config=config)) == ["removed-flag"]
    assert found(facts("cp-1", config=replace(config, etcd_tag=Version(3, 6, 16)))) == []
    assert found(facts("cp-1", config=replace(config, etcd_tag=Version(3, 7, 1)))) == ["removed-flag"]


def test_what_the_next_kubelet_and_kube_proxy_read():
    gates_set = "featureGates: {SidecarContainers: true}"
    assert found(facts("cp-1", kubelet_config=gates_set)) == ["removed-feature-gate"]
    proxy = Proxy(present=True, config=gates_set)
    assert found(facts("cp-1", proxy=proxy)) == ["removed-feature-gate"]
    assert found(facts("cp-1", proxy=proxy), kubeadm=False) == []
    worker = facts("worker-1", moved=CONTROL_PLANES, written=NEW, proxy=proxy)
    assert found(worker) == []
    boot = disk(more={"/etc/default/kubelet": "KUBELET_EXTRA_ARGS=--boot-id-file=/x"})
    assert found(facts("worker-1", moved=CONTROL_PLANES, written=NEW), boot) == ["removed-flag"]


@pytest.mark.parametrize(
    ("config", "proxy", "goal", "warned"),
    [
        (KubeadmConfig(), Proxy(present=False), NEW, True),
        (KubeadmConfig(proxy_disabled=True), Proxy(present=False), NEW, False),
        (KubeadmConfig(), Proxy(present=True), NEW, False),
        (KubeadmConfig(), Proxy(present=None), NEW, False),  # a gap says so
        (KubeadmConfig(), Proxy(present=False), Version(1, 31, 1), False),
        (KubeadmConfig(), Proxy(present=False, config="a: b"), Version(1, 31, 1), True),
    ],
)
def test_a_kube_proxy_that_somebody_took_away_comes_back(config, proxy, goal, warned):
    here = facts("cp-1", config=config, proxy=proxy)
    every = preflight.findings(here, disk(), Role.FIRST, Target(goal, "x"), UPSTREAM)
    assert [each.severity for each in every if each.rule == "kube-proxy-returns"] == [
        Severity.WARNING
    ] * warned


@pytest.mark.parametrize(
    ("config", "dns", "goal", "warned"),
    [
        (KubeadmConfig(), CoreDNS(present=False), NEW, True),
        (KubeadmConfig(dns_disabled=True), CoreDNS(present=False), NEW, False),
        (KubeadmConfig(proxy_disabled=True), CoreDNS(present=False), NEW, True),
        (KubeadmConfig(), CoreDNS(present=True), NEW, False),
        (KubeadmConfig(), CoreDNS(present=None), NEW, False),  # a gap says so
        (KubeadmConfig(), CoreDNS(present=False), Version(1, 31, 1), False),
        (KubeadmConfig(), CoreDNS(present=False, configured=True), Version(1, 31, 1), True),
    ],
)
def test_a_coredns_that_somebody_took_away_comes_back(config, dns, goal, warned):
    here = facts("cp-1", config=config, coredns=dns)
    every = preflight.findings(here, disk(), Role.FIRST, Target(goal, "x"), UPSTREAM)
    said = [each for each in every if each.rule == "coredns-returns"]
    assert [each.severity for each in said] == [Severity.WARNING] * warned
    assert all("dns.disabled: true" in each.fix for each in said)


@pytest.mark.parametrize(
    ("cgroup", "config", "goal", "severity"),
    [
        (2, "", NEW, None),
        (1, "", NEW, Severity.VIOLATION),
        (1, "failCgroupV1: true", NEW, Severity.VIOLATION),
        (1, "failCgroupV1: false", NEW, Severity.WARNING),
        (1, "", Version(1, 34, 9), None),
    ],
)
def test_a_kubelet_that_does_not_start_on_cgroup_v1(cgroup, config, goal, severity):
    here = facts("cp-1", kubelet_config=config)
    every = preflight.findings(here, disk(cgroup=cgroup), Role.FIRST, Target(goal, "x"), UPSTREAM)
    rules = [each for each in every if each.rule == "cgroup-v1"]
    assert [each.severity for each in rules] == ([severity] if severity else [])
    assert all("/sys/fs/cgroup" in each.evidence for each in rules)


def test_a_cgroup_that_could_not_be_seen_is_said():
    every = preflight.findings(facts("cp-1"), disk(cgroup=None), Role.FIRST, Target(NEW, "x"), UPSTREAM)
    assert "the version of cgroup" in [each.subject for each in every if each.rule == "not-seen"]


def test_a_part_whose_version_nobody_knows_is_said():
    here = facts("worker-1", moved=CONTROL_PLANES, written=NEW)
    parts = tuple(
        replace(part, running=None) if part.node == "cp-3" and part.component == "kube-apiserver" else part
        for part in here.versions.instances
    )
    here = replace(here, versions=replace(here.versions, instances=parts))
    every = preflight.findings(here, disk(), Role.WORKER, Target(NEW, "x"), UPSTREAM)
    assert [(each.rule, each.objects) for each in every] == [("not-judged", ("node/cp-3",))]


def test_a_pre_release_is_not_its_release():
    early = Version(1, 37, 2, "-rc.1")
    here = facts("cp-1", moved=("cp-1",), written=early, kubelet=early)
    parts = tuple(
        replace(part, running=Evidence(early, "itself"))
        if part.node == "cp-1" and part.component in STATIC
        else part
        for part in here.versions.instances
    )
    here = replace(here, versions=replace(here.versions, instances=parts))
    assert preflight.is_moved(here, early)
    assert not preflight.is_moved(here, NEW)
    assert found(here, disk("1.37.2~rc.1-1.1", kubelet=early)) == []  # and no way back
    assert "downgrade" in found(facts("cp-1", moved=("cp-1",), written=NEW), goal=early)


def test_kubeadms_part_is_over_when_all_of_it_is():
    assert not preflight.is_moved(facts("cp-1", moved=("cp-1",)), NEW)  # it has not written it down
    assert preflight.is_moved(facts("cp-1", moved=("cp-1",), written=NEW), NEW)
    assert not preflight.is_moved(facts("worker-1", moved=CONTROL_PLANES, written=NEW), NEW)
