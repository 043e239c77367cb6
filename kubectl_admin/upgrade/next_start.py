"""The settings that the next kubelet, kube-proxy and control plane of a node read, each with its place. Pure.

kubeadm's step comes before the kubelet's, and writes much again: the kubelet's configuration from ConfigMap
kubelet-config, the static pods from ConfigMap kubeadm-config, kube-proxy's DaemonSet from its own template.
So a setting is judged only if it is still there after kubeadm's step.
Source: kubernetes/kubernetes cmd/kubeadm/app/phases/{kubelet,controlplane,etcd,addons/proxy,upgrade}.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from typing import Any

from kubectl_admin.cluster.decode import decode_yaml
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.flags import TRUE, dashed, flags
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.upgrade import patches
from kubectl_admin.upgrade.facts import ClusterFacts, Disk

GATES = "feature-gates"
KUBELET_DIRECTORY = "/var/lib/kubelet"  # Source: cmd/kubeadm/app/constants, as are all names here
KUBELET_CONFIG = f"{KUBELET_DIRECTORY}/config.yaml"
KUBEADM_FLAGS = f"{KUBELET_DIRECTORY}/kubeadm-flags.env"
# kubeadm itself lays it over the ConfigMap's on a node (feature gate NodeLocalCRISocket).
INSTANCE_CONFIG = f"{KUBELET_DIRECTORY}/instance-config.yaml"
EXTRA_ARGS = {
    Component.APISERVER: "apiServer.extraArgs",
    Component.CONTROLLER_MANAGER: "controllerManager.extraArgs",
    Component.SCHEDULER: "scheduler.extraArgs",
    Component.ETCD: "etcd.local.extraArgs",
}
RUNNING = "the command line of the kubelet that runs"
PROXY_PATCHES = "kubeproxydaemonset"  # a target of patches since kubeadm 1.37


class Fate(Enum):
    """The fate of a setting before the component restarts.

    STAYS: it is read.
    KUBEADM: kubeadm itself has set it, and removes it.
    REPLACED: kubeadm writes its file or object again, without it.
    """

    STAYS = auto()
    KUBEADM = auto()
    REPLACED = auto()


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a component from one place.

    flags: without dashes; feature gates are the value of «feature-gates» («A=true,B=false»), those of a
    configuration file as well. place: where they are, in words.
    """

    component: Component
    flags: Mapping[str, str]
    place: str
    fate: Fate = Fate.STAYS


@dataclass(frozen=True, slots=True)
class NextStart:
    """All that the next start of a node's components reads.

    settings: of two that contradict each other, the later one counts.
    allows_cgroup_v1: whether the kubelet starts on cgroup v1.
    gaps: all that could not be looked at.
    """

    settings: tuple[Settings, ...]
    allows_cgroup_v1: bool
    gaps: tuple[Gap, ...] = ()


def next_start(facts: ClusterFacts, disk: Disk, *, kubeadm: bool, control_plane: bool) -> NextStart:
    """All that the next start of the node's components reads.

    kubeadm: whether its step is to come. control_plane: whether the node runs a part of it; kube-proxy's come
    with the control plane's.
    """
    gaps = [Gap(path, "it exists and can't be read") for path in disk.texts.unread]
    if not disk.command.program and not disk.running:
        gaps.append(Gap("the kubelet's command line", "no systemd unit and no process shows it"))
    documents = [*kubelet_documents(facts, disk, gaps, kubeadm=kubeadm)]
    told = [*kubelet_flags(disk, kubeadm=kubeadm)]
    settings = [*configured_gates(documents), *told]
    if kubeadm and control_plane:
        settings += [*static_pods(facts, disk, gaps), *kube_proxy(facts, disk, gaps)]
    return NextStart(tuple(settings), allows_cgroup_v1(documents, told), tuple(gaps))


def kubelet_flags(disk: Disk, *, kubeadm: bool) -> Iterator[Settings]:
    """The kubelet's flags, from the files of its unit; from the running one where a script starts it."""
    command = disk.command
    words = [(word.place, word.text) for word in command.words]
    if not command.is_kubelet:
        words += [(RUNNING, text) for text in disk.running]
    for place, group in groupby(words, lambda word: word[0]):
        if found := canonical(flags((text for _, text in group), lists=(GATES, "feature_gates"))):
            fate = Fate.KUBEADM if kubeadm and place == KUBEADM_FLAGS else Fate.STAYS
            yield Settings(Component.KUBELET, found, place, fate)


def kubelet_documents(
    facts: ClusterFacts, disk: Disk, gaps: list[Gap], *, kubeadm: bool
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The kubelet's configuration, each part with its place, in the order in which they are merged.

    Source: cmd/kubelet/app/server.go, mergeKubeletConfigurations; kubeadm phases/kubelet/config.go.
    """
    told = kubelet_options(disk)
    path = told.get("config", "")
    if path == KUBELET_CONFIG and kubeadm and facts.kubelet_config is not None:
        yield from document("ConfigMap kube-system/kubelet-config", facts.kubelet_config, gaps)
        yield from patches.documents(disk.patches, "kubeletconfiguration", gaps)
        yield from document(INSTANCE_CONFIG, disk.texts.read.get(INSTANCE_CONFIG, ""), gaps)
    elif path in disk.texts.read:
        yield from document(path, disk.texts.read[path], gaps)
    elif path:
        gaps.append(Gap(path, "the kubelet's configuration does not exist"))
    if directory := told.get("config-dir", ""):
        for drop_in, text in disk.texts.below(directory).items():
            if drop_in.endswith(".conf"):
                yield from document(drop_in, text, gaps)


def kubelet_options(disk: Disk) -> Mapping[str, str]:
    """The kubelet's flags, wherever they are from; those of its unit count most."""
    running = {} if disk.command.is_kubelet else flags(disk.running)
    return canonical({**running, **flags(word.text for word in disk.command.words)})


def document(place: str, text: str, gaps: list[Gap]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A YAML document with its place; a gap where it is none."""
    try:
        documents = decode_yaml(text, place)
    except AdminError:
        documents = [text]
    if len(documents) == 1 and isinstance(documents[0], dict):
        yield place, documents[0]
    elif documents not in ([], [None]):
        gaps.append(Gap(place, "it is not a YAML document of settings"))


def configured_gates(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Settings]:
    """The feature gates of the kubelet's configuration; without those that a later part takes out."""
    found: dict[str, dict[str, str]] = {}
    for place, content in documents:
        if "featureGates" not in content:
            continue
        gates = content["featureGates"]
        if not isinstance(gates, dict):
            found.clear()
            continue
        for name, value in gates.items():
            if value is None:
                for others in found.values():
                    others.pop(str(name), None)
            else:
                found.setdefault(place, {})[str(name)] = str(value).lower()
    for place, gates in found.items():
        if gates:
            yield Settings(Component.KUBELET, {GATES: joined(gates)}, f"featureGates in {place}")


def allows_cgroup_v1(documents: Iterable[tuple[str, Mapping[str, Any]]], told: Iterable[Settings]) -> bool:
    """Whether the kubelet is told to start on cgroup v1: since 1.35 it does not by itself.

    Source: kubernetes/kubernetes pkg/kubelet/apis/config/v1beta1/defaults.go, FailCgroupV1.
    """
    fails = True
    for _, content in documents:
        if "failCgroupV1" in content:
            fails = content["failCgroupV1"] is not False
    for settings in told:
        if "fail-cgroupv1" in settings.flags:
            fails = settings.flags["fail-cgroupv1"] in TRUE
    return not fails


def static_pods(facts: ClusterFacts, disk: Disk, gaps: list[Gap]) -> Iterator[Settings]:
    """The flags of the static pods that kubeadm is about to write, and of those that it replaces."""
    config = facts.versions.kubeadm_config
    if config is None:
        gaps.append(Gap("ConfigMap kube-system/kubeadm-config", "its settings were not read"))
    for component, field in EXTRA_ARGS.items():
        extra = config.extra_args.get(component, ()) if config else ()
        # Without the ConfigMap, today's settings are the best guess at the next ones.
        fate = Fate.REPLACED if config else Fate.STAYS
        yield Settings(component, facts.flags.get(component, {}), f"the manifest of {component}", fate)
        place = f"{field} in ConfigMap kube-system/kubeadm-config"
        yield Settings(component, pod_flags(component, extra), place)
        for path, words in patches.words(disk.patches, str(component), gaps):
            yield Settings(component, pod_flags(component, words), path)


def kube_proxy(facts: ClusterFacts, disk: Disk, gaps: list[Gap]) -> Iterator[Settings]:
    """kube-proxy's settings by kubeadm's add-on phase, which comes with the last control plane."""
    config, proxy = facts.versions.kubeadm_config, facts.proxy
    if config and config.proxy_disabled:
        return
    for _, content in document("ConfigMap kube-system/kube-proxy", proxy.config or "", gaps):
        gates = content.get("featureGates")
        if isinstance(gates, dict):
            values = {str(name): str(value).lower() for name, value in gates.items() if value is not None}
            place = "featureGates in ConfigMap kube-system/kube-proxy"
            yield Settings(Component.KUBE_PROXY, {GATES: joined(values)}, place)
    place = "the command in DaemonSet kube-system/kube-proxy"
    yield Settings(Component.KUBE_PROXY, pod_flags(Component.KUBE_PROXY, proxy.words), place, Fate.REPLACED)
    for path, words in patches.words(disk.patches, PROXY_PATCHES, gaps):
        yield Settings(Component.KUBE_PROXY, pod_flags(Component.KUBE_PROXY, words), path)


def pod_flags(component: Component, words: Iterable[str]) -> Mapping[str, str]:
    """The flags among these words, as the component reads them."""
    return canonical(flags(words, lists=(GATES, "feature_gates")), component)


def canonical(found: Mapping[str, str], component: Component | None = None) -> Mapping[str, str]:
    """Flags by the names that count: «_» is «-» to Kubernetes' programs, and not to etcd."""
    return dict(found) if component is Component.ETCD else dashed(found, (GATES,))


def joined(gates: Mapping[str, str]) -> str:
    """Feature gates as a flag has them."""
    return ",".join(f"{name}={value}" for name, value in gates.items())


def further_paths(disk: Disk) -> list[str]:
    """Further paths to read once the command line is known: --config, and those below --config-dir."""
    told = kubelet_options(disk)
    paths = (told.get("config", ""), told.get("config-dir", ""))
    return [path for path in paths if path.startswith("/") and path not in disk.texts.read]
