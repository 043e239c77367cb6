"""What an archive holds, once it is open: files of each control plane, and facts of its snapshot. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kubectl_admin.backup.facts import Manifest
from kubectl_admin.backup.judge import SavedFiles
from kubectl_admin.backup.links import Linked
from kubectl_admin.backup.named_by_files import documents
from kubectl_admin.backup.named_by_kubelet import named_by_kubelet
from kubectl_admin.backup.named_files import NamedFiles, named_files
from kubectl_admin.backup.node_keys import keys_of
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.control_plane.component import APISERVER
from kubectl_admin.control_plane.pod import StaticPod, static_pod
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.look.facts import SnapshotFacts
from kubectl_admin.etcd.stored.kinds import PREFIX
from kubectl_admin.pool import ODD

MANIFESTS = "/etc/kubernetes/manifests/"


@dataclass(frozen=True)
class NodeContents:
    """The files of a control plane, by their paths there. links: where each leads, by its path."""

    node: str
    files: Mapping[str, bytes] = field(repr=False)
    links: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def contents(self) -> Linked[bytes]:
        """Each file by any path that leads there."""
        return Linked(self.files, self.links)

    @cached_property
    def pods(self) -> tuple[StaticPod, ...]:
        """The parts of the control plane that its manifests start."""
        return tuple(
            pod
            for path, data in sorted(self.files.items())
            if path.startswith(MANIFESTS)
            for pod in _pods(self.node, path, data)
        )

    def saved(self, unread: Mapping[str, str]) -> SavedFiles:
        """As the judge has them. unread: paths that could not be saved, with why."""
        texts = Linked(
            {path: data.decode("utf-8", "replace") for path, data in self.files.items()}, self.links
        )
        named: tuple[NamedFiles, ...] = (
            *(named_files(pod, texts) for pod in self.pods),
            named_by_kubelet(self.node, texts),
        )
        keys = keys_of(self.node, self.pods, self.contents)
        return SavedFiles(named, self.contents, Linked(unread, self.links), keys)


@dataclass(frozen=True)
class Contents:
    """All of an archive. snapshot: None where it holds none."""

    manifest: Manifest
    nodes: tuple[NodeContents, ...] = ()
    snapshot: SnapshotFacts | None = None


def prefix_of(nodes: Iterable[NodeContents]) -> str:
    """Below which key of etcd the API servers store objects."""
    found = (pod.flags.get("etcd-prefix") for one in nodes for pod in one.pods if pod.component == APISERVER)
    return next(filter(None, found), PREFIX)


def _pods(node: str, path: str, data: bytes) -> Iterator[StaticPod]:
    """Those in a manifest; none in a file that is no manifest, which the kubelet passes over as well."""
    try:
        for one in documents(data.decode("utf-8", "replace"), path):
            found: dict[str, Any] = dict(mapping(one))
            if found.get("kind") == "Pod" and (pod := static_pod(_bound(found, node))):
                yield pod
    except (AdminError, *ODD):
        return


def _bound(pod: dict[str, Any], node: str) -> dict[str, Any]:
    return {**pod, "spec": {**mapping(pod.get("spec")), "nodeName": node}}
