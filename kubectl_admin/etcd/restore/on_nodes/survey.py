"""Facts of a control plane's host that a restore needs. Nothing is changed there."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.members.pods import EtcdPod
from kubectl_admin.etcd.restore.on_nodes.manifests import Manifests, manifests_of
from kubectl_admin.etcd.restore.on_nodes.status import DIRECTORY, Earlier, earlier_of
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.node.script import Script
from kubectl_admin.node.texts import read_texts

SURVEY = Script("etcd", "restore-survey")


@dataclass(frozen=True, slots=True)
class Survey:
    """Facts of a host.

    manifests: of its kubelet. beside: whether their parent is on their file system, so that they can be moved
    there. etcdctl, etcdutl: paths in etcd's root, "" where its image has none. same: whether etcd itself has
    the data directory at the same place. member: owner «UID:GID» and mode of the directory that etcd runs
    with, "" where there is none. mount: whether that is a mount of its own, which can't be renamed. database:
    bytes of etcd's present database. free_data, free_state: bytes free for etcd's data and for this program's
    directory; shared: whether they are on one file system. earlier: a restore that is there already. unit:
    systemd's word for its unit. systemd: whether jobs can run there.
    """

    node: str
    manifests: Manifests
    beside: bool
    etcdctl: str
    etcdutl: str
    same: bool
    member: str
    mount: bool
    database: int
    free_data: int
    free_state: int
    shared: bool
    earlier: Earlier
    unit: str
    systemd: bool


def survey(host: Host, container: str, data: str) -> Survey:
    """Reads what the host has.

    container: the runtime's id of etcd's container. data: etcd's data directory. Raises AdminError where the
    host can't be asked, or its kubelet has no directory of manifests.
    """
    answer = host.script(SURVEY, container, data, DIRECTORY).decode("utf-8", "replace")
    found = dict(line.split(" ", 1) for line in answer.splitlines() if " " in line)
    path = found.get("manifests", "")
    if not path:
        raise AdminError(
            f"node {host.node}: its kubelet has no directory of static pods",
            "a restore by this program takes a control plane of kubeadm's static pods",
        )
    texts = read_texts(host, [path])
    return survey_of(host.node, found, manifests_of(path, texts.read, texts.unread))


def survey_all(hosts: Hosts, members: Iterable[EtcdPod]) -> dict[str, Survey]:
    """The facts of all control planes' hosts, by node. members: etcd's pods. Raises AdminError."""

    def ask(pod: EtcdPod) -> Survey:
        with hosts.open(pod.node) as host:
            return survey(host, pod.container_id, pod.flags.data_dir)

    return hosts.need_all({pod.node: partial(ask, pod) for pod in members})


def survey_of(node: str, found: dict[str, str], manifests: Manifests) -> Survey:
    """The facts of the script's answer, values by names. Raises AdminError for one that makes no sense."""
    try:
        free_data, device = found["free-data"].split()
        free_state, other = found["free-state"].split()
        return Survey(
            node=node,
            manifests=manifests,
            beside=found.get("beside") == "yes",
            etcdctl=found.get("etcdctl", ""),
            etcdutl=found.get("etcdutl", ""),
            same=found.get("same") == "yes",
            member=found.get("member", ""),
            mount="mount" in found,
            database=int(found.get("database", "0")),
            free_data=int(free_data),
            free_state=int(free_state),
            shared=device == other,
            earlier=earlier_of(found["restore"]),
            unit=found["unit"],
            systemd="systemd" in found,
        )
    except (KeyError, ValueError):
        raise AdminError(f"node {node}: unexpected answer of the host: {str(found)[:80]}") from None
