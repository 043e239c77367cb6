"""A cluster of three control planes and a worker, as an upgrade sees one of its nodes."""

from dataclasses import replace

from kubectl_admin.control_plane.component import Component
from kubectl_admin.etcd.members.etcdctl import Listed, Status
from kubectl_admin.etcd.members.facts import Member, State
from kubectl_admin.etcd.members.pods import Etcd
from kubectl_admin.node.texts import Texts
from kubectl_admin.upgrade import unit
from kubectl_admin.upgrade.facts import STATIC, ClusterFacts, Disk, Mark, Proxy, Room
from kubectl_admin.upgrade.packages import Manager, Packages
from kubectl_admin.versions.facts import Evidence, Facts, Instance, KubeadmConfig, Node
from kubectl_admin.versions.version import Version

CONTROL_PLANES = ("cp-1", "cp-2", "cp-3")
OLD, NEW = Version(1, 36, 3), Version(1, 37, 2)
DIRECTORIES = ("/etc/kubernetes", "/var/lib/kubectl-admin", "/usr", "/var/lib/containerd")
ROOMY = {directory: Room(10 << 30, directory) for directory in DIRECTORIES}
# How kubeadm's packages start the kubelet.
FRAGMENT = "/usr/lib/systemd/system/kubelet.service"
DROP_IN = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
CONFIG = "/var/lib/kubelet/config.yaml"
PACKAGED = {
    FRAGMENT: "[Unit]\nDescription=kubelet\n\n[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n",
    DROP_IN: """# Note: this dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS \\
  $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
""",
    "/var/lib/kubelet/kubeadm-flags.env": 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.1"\n',
    CONFIG: "kind: KubeletConfiguration\n",
}


def facts(
    node: str,
    *,
    moved: tuple[str, ...] = (),
    written: Version | None = OLD,
    kubelet: Version = OLD,
    etcd: str = "3.6.16",
    etcds: dict[str, str] | None = None,
    up: tuple[str, ...] = CONTROL_PLANES,
    learner: str = "",
    cordoned: bool = False,
    ready: bool = True,
    mark: Mark | None = None,
    flags: dict[str, dict[str, str]] | None = None,
    config: KubeadmConfig | None = None,
    **changes: object,
) -> ClusterFacts:
    """The node among the others.

    moved: control planes that are at NEW. etcd, etcds: the version of members, and of some; "" for unknown.
    up: etcd members that answer. learner: one that does not vote.
    """
    members_at = {**dict.fromkeys(CONTROL_PLANES, etcd), **(etcds or {})}
    known = versions(moved, written, members_at, {node: kubelet})
    here = ClusterFacts(
        node=node,
        versions=replace(known, kubeadm_config=config or KubeadmConfig()),
        order=CONTROL_PLANES,
        etcd=members(up, learner) if node in CONTROL_PLANES else None,
        flags=flags or {},
        mark=mark,
        cordoned=cordoned,
        ready=ready,
        kubelet=kubelet,
        kubelet_config="kind: KubeletConfiguration\n",
        proxy=Proxy(present=True, config="kind: KubeProxyConfiguration\n"),
    )
    return replace(here, **changes)  # type: ignore[arg-type]


def only_one(here: ClusterFacts) -> ClusterFacts:
    """The same cluster without any other control plane."""
    parts = [each for each in here.versions.instances if each.node in (here.node, "worker-1")]
    return replace(here, versions=replace(here.versions, instances=tuple(parts)), order=(here.node,))


def versions(
    moved: tuple[str, ...], written: Version | None, etcds: dict[str, str], kubelets: dict[str, Version]
) -> Facts:
    """The versions of the whole cluster."""
    instances = [
        Instance(component, name, running=Evidence(NEW if name in moved else OLD, "itself"))
        for name in CONTROL_PLANES
        for component in STATIC
    ]
    instances += [
        Instance(Component.ETCD, name, running=Evidence.of(Version.find(etcd), "itself"))
        for name, etcd in etcds.items()
    ]
    names = (*CONTROL_PLANES, "worker-1")
    instances += [
        Instance(Component.KUBELET, name, claimed=Evidence(kubelets.get(name, OLD), "the Node object"))
        for name in names
    ]
    nodes = tuple(Node(name, "Ready", "", "Debian", "6.1.0", "containerd://2.2.9") for name in names)
    return Facts("lab", "https://lab", nodes, tuple(instances), kubeadm=written)


def members(up: tuple[str, ...], learner: str = "") -> State:
    """etcd with three members, those of `up` answering; learner: one that does not vote."""
    return State(
        context="lab",
        server="https://lab",
        etcd=Etcd((), ()),
        members=tuple(
            Member(
                id=number,
                name=name,
                node=name,
                listed=Listed(number, name, (), (), learner=name == learner),
                status=status(number) if name in up else None,
                problem="" if name in up else "no answer",
            )
            for number, name in enumerate(CONTROL_PLANES, 1)
        ),
    )


def status(number: int) -> Status:
    """What a member that is well says."""
    return Status(7, number, 100, 2, "3.6.16", leader=1, index=9, applied=9, size=1 << 20, in_use=1 << 20)


def disk(
    package: str = "1.36.3-1.1", kubeadm: str = "", more: dict[str, str] | None = None, **changes: object
) -> Disk:
    """A Debian host with packages of that version, kubeadm perhaps of another one; more: files of its own."""
    texts = {**PACKAGED, **(more or {})}
    installed = {"kubeadm": kubeadm or package, "kubelet": package, "kubectl": package}
    held = Packages(
        Manager.APT, installed, frozenset(installed), {"/etc/apt/sources.list.d/kubernetes.list": 36}
    )
    here = Disk(
        held,
        Version.find(installed["kubeadm"].partition("-")[0]),
        Version.find(package.partition("-")[0]),
        room=ROOMY,
        command=unit.command(texts),
        texts=Texts(texts),
    )
    return replace(here, **changes)  # type: ignore[arg-type]
