"""Finds out what an upgrade of a node is planned by: in the cluster, and on the node's host."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_object, whole_number
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.cluster.nodes import read_node
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.paths import SYSTEM, SYSTEM_APPS
from kubectl_admin.control_plane import static_pods
from kubectl_admin.control_plane.component import ETCD
from kubectl_admin.control_plane.flags import command_line
from kubectl_admin.control_plane.pod import flags_of, static_pod
from kubectl_admin.control_plane.static_pods import LABEL
from kubectl_admin.drain.cordon import UPGRADE, Cordon
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members import gather as etcd_members
from kubectl_admin.etcd.members.facts import State
from kubectl_admin.etcd.members.flags import member_flags
from kubectl_admin.finding import Gap
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.node.texts import Texts, read_texts
from kubectl_admin.pool import ask_all
from kubectl_admin.upgrade import next_start, packages, unit
from kubectl_admin.upgrade.facts import ClusterFacts, CoreDNS, Disk, Mark, Proxy, Record, Room
from kubectl_admin.versions import gather as versions
from kubectl_admin.versions import processes
from kubectl_admin.versions.facts import Facts
from kubectl_admin.versions.version import Version

SURVEY = Script("upgrade", "upgrade-survey")
KUBERNETES = "/etc/kubernetes"
# Where a package of the kubelet, of each kind, reads flags of an administrator.
VARIABLES = (next_start.KUBEADM_FLAGS, "/etc/default/kubelet", "/etc/sysconfig/kubelet")
# Further facts of the cluster, and the permission for each; without it, the fact is a gap.
MORE = {
    "kubelet-config": ("ConfigMap kube-system/kubelet-config", "get configmaps in namespace kube-system"),
    "kube-proxy's": ("ConfigMap kube-system/kube-proxy", "get configmaps in namespace kube-system"),
    "DaemonSet": ("DaemonSet kube-system/kube-proxy", "list daemonsets.apps in namespace kube-system"),
    "CoreDNS": ("Deployment kube-system/coredns", "list deployments.apps in namespace kube-system"),
    "kubelet": ("this node's kubelet", "get nodes/proxy"),
}
GATHER_TIMEOUT = 120.0  # seconds for all that is asked of the API
KB = 1024
SIZE = 15  # digits of a size in KiB


def cluster_facts(cluster: Cluster, node: str, *, members: bool = True) -> ClusterFacts:
    """The node among the others. Raises AdminError where the API can't be asked.

    members: whether etcd's are asked, which takes long while one of them is restarted.
    """
    questions: dict[str, Callable[[], Any]] = {
        "node": lambda: read_node(cluster, node),
        "versions": lambda: versions.gather(cluster, lambda: None),
        "pods": lambda: static_pods.on_node(cluster, node),
        "control planes": lambda: list(cluster.list("/api/v1/nodes", [("labelSelector", LABEL)])),
        "kubelet-config": lambda: config_map(cluster, "kubelet-config", "kubelet"),
        "kube-proxy's": lambda: config_map(cluster, "kube-proxy", "config.conf"),
        "DaemonSet": lambda: proxy_words(cluster),
        "CoreDNS": lambda: coredns(cluster),
        "kubelet": lambda: processes.ask_kubelet(cluster, node, None),
    }
    answers = ask_all(questions, deadline=GATHER_TIMEOUT)
    found: dict[str, Any] = {}
    gaps: list[Gap] = []
    for name, answer in answers.items():
        if isinstance(answer, AdminError) and name not in MORE:
            raise answer
        if isinstance(answer, AdminError):
            gaps.append(processes.gap(MORE[name][0], answer, MORE[name][1]))
        else:
            found[name] = answer
    here, pods = found["node"], found["pods"]
    known: Facts = with_kubelet(found["versions"], node, found.get("kubelet"))
    etcd: State | None = None
    if members and any(static_pods.component_of(pod) == ETCD for pod in pods):
        etcd = etcd_members.gather(cluster, compare=False)
    info = here.get("status", {}).get("nodeInfo", {})
    return ClusterFacts(
        node,
        known,
        order(found["control planes"]),
        etcd,
        {name: flags_of(pod, name) for pod in pods if (name := static_pods.component_of(pod))},
        mark_of(here),
        bool(here["spec"].get("unschedulable")),
        is_ready(here),
        Version.find(str(info.get("kubeletVersion", ""))),
        found.get("kubelet-config"),
        Proxy(
            present=found["DaemonSet"] is not None if "DaemonSet" in found else None,
            words=found.get("DaemonSet") or (),
            config=found.get("kube-proxy's"),
        ),
        tuple(gaps),
        found.get("CoreDNS", CoreDNS()),
        is_drained(here),
        etcd_data(pods),
    )


def etcd_data(pods: Iterable[Mapping[str, Any]]) -> str:
    """The directory of the data of etcd's member among these static pods of one node, as its host has it.

    "" where there is no member, or it reads its settings from a file.
    """
    for pod in pods:
        part, settings = static_pod(pod), member_flags(pod)
        if part and part.component == ETCD and not settings.config_file:
            return part.on_host(settings.data_dir)
    return ""


def config_map(cluster: Cluster, name: str, key: str) -> str | None:
    """A ConfigMap's text under a key, in kube-system; None where there is none."""
    try:
        return str(cluster.get(f"{SYSTEM}/configmaps/{name}")["data"][key])
    except (NotFound, KeyError):
        return None


def proxy_words(cluster: Cluster) -> tuple[str, ...] | None:
    """The command of kubeadm's DaemonSet kube-proxy; None where there is none."""
    for found in versions.selected(cluster, f"{SYSTEM_APPS}/daemonsets", "k8s-app=kube-proxy"):
        if found["metadata"]["name"] == "kube-proxy":
            template = found["spec"]["template"]
            return tuple(command_line(template, template["spec"]["containers"][0])[1:])
    return None


def coredns(cluster: Cluster) -> CoreDNS:
    """CoreDNS as kubeadm finds it: by the name of its Deployment, whatever its labels are."""
    named = [("fieldSelector", "metadata.name=coredns")]
    if any(True for _ in cluster.list(f"{SYSTEM_APPS}/deployments", named)):
        return CoreDNS(present=True)
    return CoreDNS(present=False, configured=config_map(cluster, "coredns", "Corefile") is not None)


def returned_addons(cluster: Cluster, before: ClusterFacts) -> list[str]:
    """The add-ons that an upgrade has brought, in sentences. before: the facts before it."""
    addons: list[tuple[str, str, bool | None, Callable[[], bool]]] = [
        ("kube-proxy", "daemonset", before.proxy.present, lambda: proxy_words(cluster) is not None),
        ("coredns", "deployment", before.coredns.present, lambda: coredns(cluster).present is True),
    ]
    said = []
    for name, kind, present, comes in addons:
        try:
            if present is False and comes():
                said.append(
                    f"kubeadm has installed {name}, which was not there before: "
                    f"kubectl -n kube-system delete {kind},configmap {name} takes it away again"
                    + ("; Service kube-dns is kubeadm's own now, too" if name == "coredns" else "")
                )
        except AdminError as error:
            said.append(f"can't see whether kubeadm has installed {name} again: {error.what}")
    return said


def with_kubelet(known: Facts, node: str, answer: processes.KubeletAnswer | None) -> Facts:
    """The facts with until when the container runtime of this node is supported, by its kubelet."""
    if answer is None:
        return known
    nodes = (
        replace(each, runtime_support_ends=answer.runtime_support_ends) if each.name == node else each
        for each in known.nodes
    )
    return replace(known, nodes=tuple(nodes))


def order(nodes: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of control-plane nodes, the oldest first."""
    return tuple(
        node["metadata"]["name"]
        for node in sorted(
            nodes, key=lambda each: (each["metadata"].get("creationTimestamp", ""), each["metadata"]["name"])
        )
    )


def is_drained(node: Mapping[str, Any]) -> bool:
    """Whether a drain of this program says that it has cordoned the node."""
    cordon = Cordon.of(node)
    return cordon is not None and cordon.cordoned


def mark_of(node: Mapping[str, Any]) -> Mark | None:
    """The mark that an upgrade has left on the node; None where there is none that can be read."""
    try:
        said = decode_object((node["metadata"].get("annotations") or {})[UPGRADE], UPGRADE)
        return Mark(str(said["target"]), str(said["since"]), said["uncordon"] is True)
    except (KeyError, TypeError, AdminError):  # the node's own kubelet may write there what it likes
        return None


def mark_text(mark: Mark) -> str:
    """The annotation's value."""
    return json.dumps({"target": mark.target, "since": mark.since, "uncordon": mark.uncordon})


def disk(host: Host, facts: ClusterFacts, patches: str = "") -> Disk:
    """Facts of the host. patches: kubeadm's directory of them, «-» or "" for none.

    Raises AdminError where it can't be asked.
    """
    answer = host.script(SURVEY, KUBERNETES, facts.etcd_data or "-").decode("utf-8", "replace")
    here = with_texts(host, on_disk(answer, packages.survey(host)))
    found = read_texts(host, [patches]) if patches.startswith("/") else Texts()
    return replace(here, patches=found.read, texts=here.texts + Texts(unread=found.unread))


def with_texts(host: Host, here: Disk) -> Disk:
    """Facts of the host, with all files that its next kubelet reads."""
    texts = read_texts(host, [*unit.unit_paths(), *VARIABLES, next_start.INSTANCE_CONFIG])
    if missing := unit.command(texts.read).missing:
        texts += read_texts(host, [unit.readable(path) for path in missing])
    here = replace(here, texts=texts, command=unit.command(texts.read))
    return replace(here, texts=texts + read_texts(host, next_start.further_paths(here)))


def on_disk(answer: str, held: packages.Packages) -> Disk:
    """The script's answer, parsed, with the package manager's facts."""
    said: dict[str, list[str]] = {}
    for line in answer.splitlines():
        name, _, value = line.partition(" ")
        said.setdefault(name, []).append(value)

    def one(name: str) -> str:
        return said.get(name, [""])[0]

    rooms = [words for line in said.get("room", ()) if len(words := line.split(" ", 2)) == 3]
    return Disk(
        held,
        Version.find(one("kubeadm")),
        Version.find(one("kubelet")),
        one("systemd") == "yes",
        {"1": 1, "2": 2}.get(one("cgroup")),
        number(one("etcd-kilobytes")) * KB,
        {directory: Room(number(kilobytes) * KB, device) for kilobytes, device, directory in rooms},
        running=tuple(said.get("kubelet-argument", ["kubelet"])[1:]),
        records=dict(map(record, said.get("record", ()))),
        apiserver=one("apiserver") == "yes",
    )


def record(line: str) -> tuple[str, Record]:
    """A step and its record, «kubeadm v1.37.2 apply 0»; one that can't be read is of no target."""
    match line.split():
        case [step, goal, mode, code]:
            return step, Record(goal, mode, whole_number(code))
        case words:
            return words[0] if words else "", Record("", "", None)


def number(text: str) -> int:
    """A whole number; 0 for anything else."""
    return whole_number(text, SIZE) or 0
