import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Severity
from kubectl_admin.upgrade import removed
from kubectl_admin.upgrade.next_start import Fate, Settings, canonical

COMPONENTS = {
    Component.KUBELET,
    Component.APISERVER,
    Component.CONTROLLER_MANAGER,
    Component.SCHEDULER,
    Component.ETCD,
    Component.KUBE_PROXY,
}


def settings(component, flags, place="there", fate=Fate.STAYS):
    return Settings(component, flags, place, fate)


def test_the_table_that_ships():
    table = removed.load()
    assert sorted(table.gates) == list(range(min(table.gates), table.newest + 1))
    assert table.newest == max(table.locked) == 37
    for rows in table.flags.values():
        assert rows.keys() <= COMPONENTS
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
    found = removed.findings(target, [settings(component, canonical({flag: "x"}, component))])
    if went is None:
        assert found == []
        return
    [finding] = found
    assert (finding.severity, finding.rule) == (Severity.VIOLATION, "removed-flag")
    name = flag.replace("_", "-")
    assert finding.subject == f"--{name} of {component}"
    assert finding.evidence == f"{component} is given --{name}=x by there; {went} has removed it"
    assert finding.fix == "before the upgrade, remove it from there"


@pytest.mark.parametrize(
    ("target", "gate", "why"),
    [
        (37, "SidecarContainers=true", "1.37 has removed it"),
        (36, "SidecarContainers=true", None),
        (36, "SidecarContainers=false", "1.33 has locked it to true"),
        (32, "SidecarContainers=false", None),
        (36, "SidecarContainers=F", "1.33 has locked it to true"),
        (36, "SidecarContainers=T", None),
        (37, "UserNamespacesPodSecurityStandards=true", "1.35 has removed it"),
        (36, "AllowOverwriteTerminationGracePeriodSeconds=true", "1.35 has locked it to false"),
        (36, "AllowOverwriteTerminationGracePeriodSeconds=0", None),
        (36, "CustomCPUCFSQuotaPeriod=true", None),
        (37, "AllAlpha=true", None),
        (37, "", None),
        (37, "SidecarContainers", None),
    ],
)
@pytest.mark.parametrize("component", [Component.KUBELET, Component.APISERVER, Component.KUBE_PROXY])
def test_feature_gates(target, gate, why, component):
    found = removed.findings(target, [settings(component, {"feature-gates": gate})])
    if why is None:
        assert found == []
        return
    [finding] = found
    assert (finding.severity, finding.rule) == (Severity.VIOLATION, "removed-feature-gate")
    assert finding.evidence == f"{component} is given {gate} by there; {why}"


def test_every_gate_of_a_list_is_judged():
    gates = {"feature-gates": "SidecarContainers=true, AllAlpha=true,kube:BtreeWatchCache=false"}
    found = removed.findings(37, [settings(Component.SCHEDULER, gates)])
    assert [finding.subject for finding in found] == [
        f"feature gate {name} of kube-scheduler" for name in ("SidecarContainers", "BtreeWatchCache")
    ]


def test_etcd_has_gates_of_its_own():
    assert removed.findings(37, [settings(Component.ETCD, {"feature-gates": "SidecarContainers=true"})]) == []


PAUSE = {"pod-infra-container-image": "registry.k8s.io/pause:3.10.1"}


@pytest.mark.parametrize(
    ("why", "target", "places", "severity", "fix"),
    [
        # kubeadm 1.35 takes it from kubeadm-flags.env, where every kubeadm before had put it; 1.36 does not.
        ("kubeadm's own", 35, [("env", Fate.KUBEADM)], Severity.WARNING, "nothing to do: kubeadm 1.35"),
        ("a minor later", 36, [("env", Fate.KUBEADM)], Severity.VIOLATION, "remove it from env"),
        ("an administrator's", 35, [("default", Fate.STAYS)], Severity.VIOLATION, "remove it from default"),
        (
            "both",
            35,
            [("env", Fate.KUBEADM), ("default", Fate.STAYS)],
            Severity.VIOLATION,
            "remove it from default",
        ),
        (
            "two of an administrator's",
            35,
            [("default", Fate.STAYS), ("drop-in", Fate.STAYS)],
            Severity.VIOLATION,
            "remove it from default and from drop-in",
        ),
        ("written anew", 36, [("manifest", Fate.REPLACED)], Severity.WARNING, "nothing to do: kubeadm 1.36"),
        (
            "written anew with it",
            36,
            [("manifest", Fate.REPLACED), ("config", Fate.STAYS)],
            Severity.VIOLATION,
            "remove it from config",
        ),
    ],
)
def test_who_takes_a_flag_away(why, target, places, severity, fix):
    found = removed.findings(target, [settings(Component.KUBELET, PAUSE, *each) for each in places])
    assert [(each.severity, fix in each.fix) for each in found] == [(severity, True)], why


def test_a_password_is_not_shown():
    [finding] = removed.findings(37, [settings(Component.KUBELET, {"storage-driver-password": "s3cret"})])
    assert "s3cret" not in str(finding)
    assert "--storage-driver-password=… by there" in finding.evidence


def test_of_a_locked_gate_the_value_that_counts_is_judged():
    right, wrong = {"feature-gates": "SidecarContainers=true"}, {"feature-gates": "SidecarContainers=false"}
    kubelet = Component.KUBELET
    assert removed.findings(36, [settings(kubelet, wrong, "file"), settings(kubelet, right, "flag")]) == []
    [finding] = removed.findings(36, [settings(kubelet, right, "file"), settings(kubelet, wrong, "flag")])
    assert finding.fix == "before the upgrade, remove it from flag"
    # One that is not known ends it from wherever it is.
    [gone] = removed.findings(37, [settings(kubelet, right, "file"), settings(kubelet, right, "flag")])
    assert gone.fix == "before the upgrade, remove it from file and from flag"


def test_an_etcd_that_stays_is_judged_by_its_own_flags():
    kept = [settings(Component.ETCD, {"experimental-compaction-batch-limit": "1"})]
    assert [each.rule for each in removed.findings(37, kept)] == ["removed-flag"]
    assert removed.findings(37, kept, etcd=36) == []
    others = [*kept, settings(Component.KUBELET, {"containerd": "x"})]
    assert [each.subject for each in removed.findings(37, others, etcd=36)] == ["--containerd of kubelet"]


def test_a_minor_that_the_table_does_not_know():
    violation, note = removed.findings(38, [settings(Component.KUBELET, {"containerd": "x"})])
    assert violation.rule == "removed-flag"
    assert (note.severity, note.rule) == (Severity.NOTE, "not-seen")
    assert note.evidence.startswith("the table that ships with this program ends with 1.37 (20")
