import pytest

from kubectl_admin.finding import Severity
from kubectl_admin.upgrade import removed
from kubectl_admin.versions.facts import Component


def test_the_table_that_ships():
    table = removed.load()
    assert sorted(table.gates) == list(range(min(table.gates), table.newest + 1))
    assert table.newest == max(table.locked) == 37
    for rows in table.flags.values():
        assert rows.keys() <= set(removed.FLAG_PLACES)
    for minor, names in table.gates.items():
        assert not any(table.gate_went(name, minor - 1) for name in names)


@pytest.mark.parametrize(
    ("target", "component", "flag", "went"),
    [
        (37, Component.KUBELET, "containerd", "1.37"),
        (36, Component.KUBELET, "containerd", None),
        (36, Component.KUBELET, "pod-infra-container-image", "1.35"),
        (34, Component.KUBELET, "pod-infra-container-image", None),
        (37, Component.KUBELET, "pod_infra_container_image", "1.35"),
        (34, Component.KUBELET, "cloud-config", "1.34"),
        (31, Component.KUBELET, "keep-terminated-pod-volumes", "1.31"),
        (37, Component.KUBELET, "node-ip", None),
        (37, Component.APISERVER, "containerd", None),
        (37, Component.CONTROLLER_MANAGER, "concurrent-service-syncs", "1.37"),
        (37, Component.KUBE_PROXY, "boot-id-file", "1.37"),
        (37, Component.ETCD, "experimental-memory-mlock", "1.37"),
        (36, Component.ETCD, "experimental-memory-mlock", None),
        (37, Component.ETCD, "experimental_memory_mlock", None),
        (37, Component.ETCD, "enable-v2", "1.34"),
        (37, "cloud-controller-manager", "cloud-config", None),
    ],
)
def test_flags(target, component, flag, went):
    found = removed.findings(target, {component: {flag: "x"}})
    if went is None:
        assert found == []
        return
    [finding] = found
    assert (finding.severity, finding.rule) == (Severity.VIOLATION, "removed-flag")
    assert finding.subject == f"--{flag} of {component}"
    assert finding.evidence == f"{component} is given --{flag}=x, which is gone since {went}"
    assert finding.fix.startswith("take it from ")


@pytest.mark.parametrize(
    ("target", "gate", "why"),
    [
        (37, "SidecarContainers=true", "is gone since 1.37"),
        (36, "SidecarContainers=true", None),
        (36, "SidecarContainers=false", "is locked to true since 1.33"),
        (32, "SidecarContainers=false", None),
        (36, "SidecarContainers=F", "is locked to true since 1.33"),
        (36, "SidecarContainers=T", None),
        (37, "UserNamespacesPodSecurityStandards=true", "is gone since 1.35"),
        (36, "AllowOverwriteTerminationGracePeriodSeconds=true", "is locked to false since 1.35"),
        (36, "AllowOverwriteTerminationGracePeriodSeconds=0", None),
        (36, "CustomCPUCFSQuotaPeriod=true", None),
        (37, "AllAlpha=true", None),
        (37, "", None),
        (37, "SidecarContainers", None),
    ],
)
@pytest.mark.parametrize("component", [Component.KUBELET, Component.APISERVER, Component.KUBE_PROXY])
def test_feature_gates(target, gate, why, component):
    found = removed.findings(target, {component: {"feature-gates": gate}})
    if why is None:
        assert found == []
        return
    [finding] = found
    assert (finding.severity, finding.rule) == (Severity.VIOLATION, "removed-feature-gate")
    assert finding.evidence == f"{component} is given {gate}, which {why}"


def test_every_gate_of_a_list_is_judged():
    given = {"feature-gates": "SidecarContainers=true, AllAlpha=true,BtreeWatchCache=false"}
    subjects = [finding.subject for finding in removed.findings(37, {Component.SCHEDULER: given})]
    assert subjects == [
        f"feature gate {name} of kube-scheduler" for name in ("SidecarContainers", "BtreeWatchCache")
    ]


def test_etcd_has_gates_of_its_own():
    assert removed.findings(37, {Component.ETCD: {"feature-gates": "SidecarContainers=true"}}) == []


def test_what_kubeadm_had_set_and_takes_away_itself_is_a_warning():
    # kubeadm 1.35 takes it from kubeadm-flags.env, where every kubeadm before had put it; 1.36 does not.
    given = {Component.KUBELET: {"pod-infra-container-image": "registry.k8s.io/pause:3.10.1"}}
    assert [finding.severity for finding in removed.findings(35, given)] == [Severity.WARNING]
    assert [finding.severity for finding in removed.findings(36, given)] == [Severity.VIOLATION]
    default = {Component.ETCD: {"experimental-initial-corrupt-check": "true"}}
    changed = {Component.ETCD: {"experimental-initial-corrupt-check": "false"}}
    assert [finding.severity for finding in removed.findings(37, default)] == [Severity.WARNING]
    assert [finding.severity for finding in removed.findings(37, changed)] == [Severity.VIOLATION]


def test_a_minor_that_the_table_does_not_know():
    given = {Component.KUBELET: {"containerd": "x"}}
    violation, note = removed.findings(38, given)
    assert violation.rule == "removed-flag"
    assert (note.severity, note.rule) == (Severity.NOTE, "not-seen")
    assert note.evidence.startswith("the table that ships with this program ends with 1.37 (20")
