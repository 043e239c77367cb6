"""The files of a control plane's host: kubeadm's, the kubelet's, and all that it was told to use.

They are read in rounds: a file that names others tells only when it is here. They stay in memory, and hold
keys: no message has anything of them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kubectl_admin.backup import ustar
from kubectl_admin.backup.gather.host_files import TOGETHER, Answer, Found, ask, can_be_asked
from kubectl_admin.backup.judge import SavedFiles
from kubectl_admin.backup.links import Linked
from kubectl_admin.backup.named_by_kubelet import named_by_kubelet
from kubectl_admin.backup.named_files import NamedFiles, named_files
from kubectl_admin.backup.node_keys import keys_of
from kubectl_admin.backup.paths import Placing
from kubectl_admin.backup.ustar import Type
from kubectl_admin.control_plane.pod import StaticPod
from kubectl_admin.node.host import Host

WITHOUT = "/etc/kubernetes/tmp"  # kubeadm's backups of former days
# Those that a flag names come between the two, for there is a limit to all together. «/»: all below it.
FIRST = (
    "/etc/kubernetes/pki/",
    "/etc/kubernetes/pki/etcd/",
    "/etc/kubernetes/manifests/",
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/scheduler.conf",
)
BESIDES = (
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/instance-config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/var/lib/kubelet/pki/",
    "/etc/default/kubelet",
    "/etc/sysconfig/kubelet",
    "/etc/systemd/system/kubelet.service",
    "/etc/systemd/system/kubelet.service.d/",
    "/usr/lib/systemd/system/kubelet.service",
    "/usr/lib/systemd/system/kubelet.service.d/",
    "/usr/local/lib/systemd/system/kubelet.service",
    "/usr/local/lib/systemd/system/kubelet.service.d/",
    "/etc/kubernetes/",
)
ROUNDS = 5
TRIES = 3  # of a file that changes while it is read


@dataclass(frozen=True, slots=True)
class NodeFiles:
    """The files of a node in the order of an archive, and what is told of them."""

    found: tuple[Found, ...]
    saved: SavedFiles


def read(host: Host, pods: Sequence[StaticPod]) -> NodeFiles:
    """The files of a control plane. pods: its parts, as they run there.

    Raises AdminError where the host can't be asked, or answers something else.
    """
    # No host's script gives what a reader of an archive would refuse.
    seen = _Seen(Placing(f"node {host.node}: the answer about its files"))
    wanted = [*FIRST, *_paths(_named(host.node, pods, {})), *BESIDES]
    for _ in range(ROUNDS):
        asking = seen.not_asked(wanted)
        if not asking:
            break
        seen.take(asking, ask(host, asking, TOGETHER - seen.size, without=WITHOUT))
        wanted = [*seen.changes, *_paths(_named(host.node, pods, seen.texts()))]
    return _node_files(host.node, pods, seen)


@dataclass
class _Seen:
    """What has come of a host so far. changes: files that changed while they were read, and how often."""

    placing: Placing
    found: dict[str, Found] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    changes: Counter[str] = field(default_factory=Counter)
    _asked: set[str] = field(default_factory=set)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(len(one.content) for one in self.found.values())

    @property
    def links(self) -> dict[str, str]:
        """Where each link leads."""
        return {path: one.entry.target for path, one in self.found.items() if one.entry.type is Type.LINK}

    def contents(self) -> Linked[bytes]:
        """The content of each file."""
        of_files = {path: one.content for path, one in self.found.items() if one.entry.type is Type.FILE}
        return Linked(of_files, self.links)

    def texts(self) -> Linked[str]:
        """The same as text."""
        of_files = {
            path: one.content.decode("utf-8", "replace")
            for path, one in self.found.items()
            if one.entry.type is Type.FILE
        }
        return Linked(of_files, self.links)

    def not_asked(self, paths: Iterable[str]) -> list[str]:
        """Those for which the host is still to be asked."""
        known = Linked(self.found, self.links)
        return [
            path
            for path in dict.fromkeys(paths)
            if path not in self._asked and path not in known and can_be_asked(path)
        ]

    def take(self, asked: Iterable[str], answer: Answer) -> None:
        """Adds an answer; raises AdminError for one that holds what no archive may."""
        self._asked.update(asked)
        for one in answer.found:
            if one.path not in self.found:
                self.placing.place(one.entry)
                self.found[one.path] = one
        self.unread = {**answer.unread, **self.unread}
        self.changes.update(answer.changed)
        self._asked -= {path for path, times in self.changes.items() if times < TRIES}

    def settle(self) -> None:
        """What can't be kept is unread, with why."""
        self.unread |= {
            path: "it changes while it is read" for path in self.changes if path not in self.found
        }
        for path, one in list(self.found.items()):
            try:
                ustar.header(one.entry)
            except ustar.Unfit as why:
                self.unread[path] = f"an archive has no room for it: {why}"
                del self.found[path]


def _node_files(node: str, pods: Sequence[StaticPod], seen: _Seen) -> NodeFiles:
    seen.settle()
    found = tuple(seen.found[path] for path in sorted(seen.found))
    files = seen.contents()
    saved = SavedFiles(
        named=_named(node, pods, seen.texts()),
        there=files,
        unread=Linked(seen.unread, seen.links),
        keys=keys_of(node, pods, files),
    )
    return NodeFiles(found, saved)


def _named(node: str, pods: Iterable[StaticPod], texts: Mapping[str, str]) -> tuple[NamedFiles, ...]:
    return (*(named_files(pod, texts) for pod in pods), named_by_kubelet(node, texts))


def _paths(named: Iterable[NamedFiles]) -> Iterator[str]:
    return (file.path for one in named for file in one.files)
