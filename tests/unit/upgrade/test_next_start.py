"""What the next start of a node's components reads, wherever it stands."""

from dataclasses import replace

import pytest

from kubectl_admin.control_plane.component import Component
from kubectl_admin.node.texts import Texts
from kubectl_admin.upgrade.facts import Proxy
from kubectl_admin.upgrade.next_start import Fate, further_paths, next_start
from kubectl_admin.upgrade.unit import Command
from kubectl_admin.versions.facts import KubeadmConfig
from tests.unit.upgrade.cases import CONFIG, disk, facts

GATE = "featureGates: {SidecarContainers: true}\n"
FLAG = "--feature-gates=SidecarContainers=true"
DROP_INS = "/etc/kubernetes/kubelet.conf.d"


def told(arguments, **more):
    """A host whose administrator gives the kubelet more arguments; more: files, by «name» for a drop-in."""
    files = {f"{DROP_INS}/{name.replace('__', '/').replace('_', '.')}": text for name, text in more.items()}
    return disk(more={"/etc/default/kubelet": f"KUBELET_EXTRA_ARGS={arguments}", **files})


def gates(here, host, component=Component.KUBELET, **changes):
    """Where SidecarContainers is set so that it is still there at the next start."""
    coming = next_start(here, host, **{"kubeadm": True, "control_plane": True, **changes})
    return [
        settings.place.removeprefix("featureGates in ")
        for settings in coming.settings
        if settings.component is component
        and settings.fate is not Fate.REPLACED
        and "SidecarContainers=" in settings.flags.get("feature-gates", "")
    ]


DIR = f"--config-dir={DROP_INS}"
CP, MAP = facts("cp-1"), facts("cp-1", kubelet_config=GATE)
IN_MAP = "ConfigMap kube-system/kubelet-config"
PATCH = "/p/kubeletconfiguration"


@pytest.mark.parametrize(
    ("why", "here", "host", "kubeadm", "places"),
    [
        ("the ConfigMap, which kubeadm writes to the node", MAP, disk(), True, [IN_MAP]),
        ("a file that kubeadm is about to write anew", CP, disk(more={CONFIG: GATE}), True, []),
        ("the ConfigMap once kubeadm has been there", MAP, disk(), False, []),
        ("the file then", CP, disk(more={CONFIG: GATE}), False, [CONFIG]),
        (
            "the file where the ConfigMap can't be read",
            replace(CP, kubelet_config=None),
            disk(more={CONFIG: GATE}),
            True,
            [CONFIG],
        ),
        ("a drop-in", CP, told(DIR, sub__9_conf=GATE), True, [f"{DROP_INS}/sub/9.conf"]),
        (
            "with another spelling",
            CP,
            told(f"--config_dir {DROP_INS}", a_conf=GATE),
            True,
            [f"{DROP_INS}/a.conf"],
        ),
        ("what is no drop-in", CP, told(DIR, a_yaml=GATE), True, []),
        ("taken out again", MAP, told(DIR, a_conf="featureGates: {SidecarContainers: null}"), True, []),
        ("all taken out", MAP, told(DIR, a_conf="featureGates:"), True, []),
        ("a flag", CP, told(FLAG), True, ["/etc/default/kubelet"]),
        ("one of two flags", CP, told(f"{FLAG} --feature_gates A=true"), True, ["/etc/default/kubelet"]),
        ("a patch", CP, disk(patches={f"{PATCH}0+merge.yaml": GATE}), True, [f"{PATCH}0+merge.yaml"]),
        ("a patch, too late", CP, disk(patches={f"{PATCH}0+merge.yaml": GATE}), False, []),
        (
            "a JSON patch",
            CP,
            disk(
                patches={
                    f"{PATCH}+json.yaml": "[{op: add, path: /featureGates/SidecarContainers, value: true}]"
                }
            ),
            True,
            [f"{PATCH}+json.yaml"],
        ),
        (
            "a JSON patch that takes it out",
            MAP,
            disk(patches={f"{PATCH}+json.yaml": "[{op: remove, path: /featureGates/SidecarContainers}]"}),
            True,
            [],
        ),
        (
            "a JSON patch in its place",
            MAP,
            disk(patches={f"{PATCH}+json.yaml": "[{op: replace, path: /featureGates, value: {A: true}}]"}),
            True,
            [],
        ),
        ("a patch of another target", CP, disk(patches={"/p/corednsdeployment.yaml": GATE}), True, []),
        ("a patch that is none", CP, disk(patches={f"{PATCH}.txt": GATE}), True, []),
    ],
)
def test_gates_of_the_kubelet(why, here, host, kubeadm, places):
    assert gates(here, host, kubeadm=kubeadm) == places, why
    assert gates(here, host, kubeadm=kubeadm, control_plane=False) == places, "a worker's are the same"


def test_a_kubelet_with_a_file_of_its_own():
    more = {"/etc/default/kubelet": "KUBELET_EXTRA_ARGS=--config=/etc/k.yaml", "/etc/k.yaml": GATE}
    assert gates(CP, disk(more=more)) == ["/etc/k.yaml"]
    assert gates(MAP, disk(more={**more, "/etc/k.yaml": "kind: KubeletConfiguration"})) == []


STRATEGIC = f"spec: {{containers: [{{name: kube-apiserver, command: [kube-apiserver, {FLAG}]}}]}}"
EXTRA = "apiServer.extraArgs in ConfigMap kube-system/kubeadm-config"


@pytest.mark.parametrize(
    ("extra", "patches", "changes", "places"),
    [
        ([FLAG], {}, {}, [EXTRA]),
        (["--feature-gates=kube:SidecarContainers=true"], {}, {}, [EXTRA]),
        (["--feature_gates=SidecarContainers=true", "--feature-gates=A=true"], {}, {}, [EXTRA]),
        ([FLAG], {}, {"kubeadm": False}, []),
        ([FLAG], {}, {"control_plane": False}, []),
        ([], {"/p/kube-apiserver1+strategic.yaml": STRATEGIC}, {}, ["/p/kube-apiserver1+strategic.yaml"]),
        (
            [],
            {"/p/kube-apiserver.json": f'[{{"op": "add", "value": "{FLAG}"}}]'},
            {},
            ["/p/kube-apiserver.json"],
        ),
        ([], {"/p/kube-apiserver.json": f'[{{"op": "test", "value": "{FLAG}"}}]'}, {}, []),
        ([], {"/p/kube-scheduler.yaml": STRATEGIC}, {}, []),
    ],
)
def test_gates_of_the_control_plane(extra, patches, changes, places):
    here = facts("cp-1", config=KubeadmConfig(extra_args={Component.APISERVER: tuple(extra)}))
    assert gates(here, disk(patches=patches), Component.APISERVER, **changes) == places


def test_a_manifest_that_kubeadm_writes_anew():
    here = facts("cp-1", flags={"kube-apiserver": {"feature-gates": "SidecarContainers=true"}})
    assert gates(here, disk(), Component.APISERVER) == []
    # Without the ConfigMap, it is the best that is known.
    blind = replace(here, versions=replace(here.versions, kubeadm_config=None))
    assert gates(blind, disk(), Component.APISERVER) == ["the manifest of kube-apiserver"]
    gaps = next_start(blind, disk(), kubeadm=True, control_plane=True).gaps
    assert "ConfigMap kube-system/kubeadm-config" in [gap.what for gap in gaps]


IN_PROXY = "ConfigMap kube-system/kube-proxy"


@pytest.mark.parametrize(
    ("disabled", "proxy", "changes", "places"),
    [
        (False, Proxy(present=True, config=GATE), {}, [IN_PROXY]),
        (False, Proxy(present=False, config=GATE), {}, [IN_PROXY]),  # it comes again
        (True, Proxy(present=True, config=GATE), {}, []),
        (False, Proxy(present=True, config=GATE), {"control_plane": False}, []),
        (False, Proxy(present=True, config=GATE), {"kubeadm": False}, []),
        (False, Proxy(present=True, words=(FLAG,)), {}, []),  # written anew
        (False, Proxy(), {}, []),
    ],
)
def test_gates_of_kube_proxy(disabled, proxy, changes, places):
    here = facts("cp-1", config=KubeadmConfig(proxy_disabled=disabled), proxy=proxy)
    assert gates(here, disk(), Component.KUBE_PROXY, **changes) == places


ALLOWED = facts("cp-1", kubelet_config="failCgroupV1: false")


@pytest.mark.parametrize(
    ("why", "here", "host", "allowed"),
    [
        ("nowhere", CP, disk(), False),
        ("in the ConfigMap", ALLOWED, disk(), True),
        ("in the file that is written anew", CP, disk(more={CONFIG: "failCgroupV1: false"}), False),
        ("taken back by a drop-in", ALLOWED, told(DIR, a_conf="failCgroupV1: true"), False),
        ("in a patch", CP, disk(patches={f"{PATCH}.yaml": "failCgroupV1: false"}), True),
        ("by a flag", CP, told("--fail-cgroupv1=false"), True),
        ("a flag counts most", ALLOWED, told("--fail_cgroupv1"), False),
        ("what is no truth", facts("cp-1", kubelet_config='failCgroupV1: "false"'), disk(), False),
    ],
)
def test_cgroup_v1_is_allowed_by_what_the_next_kubelet_reads(why, here, host, allowed):
    assert next_start(here, host, kubeadm=True, control_plane=True).allows_cgroup_v1 is allowed, why


def test_flags_of_a_kubelet_that_a_script_starts_are_those_that_run():
    own = {"/etc/systemd/system/kubelet.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/opt/start.sh"}
    running = ("--config", CONFIG, FLAG)
    worker = facts("worker-1")
    assert gates(worker, disk(more=own, running=running)) == ["the command line of the kubelet that runs"]
    # Where the unit starts the kubelet itself, its files are what counts.
    assert gates(worker, disk(running=running)) == []


@pytest.mark.parametrize(
    ("why", "here", "host", "gap"),
    [
        ("no unit, no process", CP, disk(command=Command()), "the kubelet's command line"),
        ("a file that can't be read", CP, disk(texts=Texts(disk().texts.read, ("/etc/x",))), "/etc/x"),
        ("no YAML", facts("cp-1", kubelet_config="{"), disk(), IN_MAP),
        ("no settings", facts("cp-1", kubelet_config="[]"), disk(), IN_MAP),
        ("a patch without sense", CP, disk(patches={f"{PATCH}.yaml": "{"}), f"{PATCH}.yaml"),
        ("no such file", CP, told("--config=/etc/k.yaml"), "/etc/k.yaml"),
    ],
)
def test_what_could_not_be_looked_at_is_said(why, here, host, gap):
    coming = next_start(here, host, kubeadm=True, control_plane=True)
    assert gap in [each.what for each in coming.gaps], why


def test_what_is_read_beside_the_units_files():
    assert further_paths(told(f"--config=/etc/k.yaml {DIR}")) == ["/etc/k.yaml", DROP_INS]
    assert further_paths(disk(texts=Texts())) == [CONFIG]
