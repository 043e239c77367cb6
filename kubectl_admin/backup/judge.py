"""What a backup lacks, while it is made: nothing of this stops it, and all of it is said. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kubectl_admin.backup import differences, rules
from kubectl_admin.backup.differences import Keys
from kubectl_admin.backup.facts import Lost, SavedNode
from kubectl_admin.backup.named_files import NamedFiles
from kubectl_admin.control_plane.component import APISERVER, CONTROLLER_MANAGER, ETCD, SCHEDULER, Component
from kubectl_admin.finding import Finding
from kubectl_admin.report.text import printable, some_of

COMPARED = (APISERVER, CONTROLLER_MANAGER, SCHEDULER, ETCD, Component.KUBELET.value)


@dataclass(frozen=True, slots=True)
class SavedFiles:
    """The files of one control plane.

    named: by each part of it. there: the paths that were saved. unread: those that are there and could not be
    saved, with why. keys: by the files that were.
    """

    named: tuple[NamedFiles, ...]
    there: Collection[str]
    unread: Mapping[str, str] = field(default_factory=dict)
    keys: Keys | None = None


def judge(nodes: Sequence[SavedNode], files: Mapping[str, SavedFiles]) -> list[Finding]:
    """All that the backup lacks. nodes: of the cluster. files: of the control planes that were saved."""
    return [
        *_of_nodes(nodes, files),
        *_of_files(files),
        *_of_versions([node for node in nodes if node.control_plane]),
        *differences.judge([one.keys for one in files.values() if one.keys]),
        *of_lost(lost(files)),
    ]


def lost(files: Mapping[str, SavedFiles]) -> tuple[Lost, ...]:
    """All that is named on these nodes and that no archive of theirs can bring back."""
    found = [
        *(each for one in files.values() for named in one.named for each in named.lost),
        *(Lost(path, why, node) for node, one in files.items() for path, why in one.unread.items()),
    ]
    return tuple(dict.fromkeys(found))


def _of_nodes(nodes: Sequence[SavedNode], files: Mapping[str, SavedFiles]) -> Iterator[Finding]:
    for node in nodes:
        if node.control_plane and node.name not in files:
            yield rules.NODE_NOT_SAVED.violation(
                subject=f"node {node.name}",
                evidence=f"its files are not in the backup: {printable(node.why or 'nobody has said why')}",
                fix="make another backup when it is well; its certificates can be made again by kubeadm join",
                objects=[f"node/{node.name}"],
            )


def _of_files(files: Mapping[str, SavedFiles]) -> Iterator[Finding]:
    """Files that are named and not there: it is the same one on many nodes, mostly."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for node, one in files.items():
        for each in (each for named in one.named for each in named.files):
            if each.is_sure and each.path not in one.there and each.path not in one.unread:
                lacking.setdefault((each.path, each.by), []).append(node)
    for (path, by), some in lacking.items():
        yield rules.FILE_NOT_SAVED.violation(
            subject=printable(path),
            evidence=f"{printable(by)} names it, and it is not there on {some_of(some)}",
            fix="what uses it does not start again without it: put it back",
            objects=[f"node/{node}" for node in some],
        )


def _of_versions(control_planes: Sequence[SavedNode]) -> Iterator[Finding]:
    for component in COMPARED:
        by_version: dict[str, list[str]] = {}
        for node in control_planes:
            if version := node.versions.get(component):
                by_version.setdefault(version, []).append(node.name)
        if len(by_version) > 1:
            yield rules.MIXED_VERSIONS.violation(
                subject=component,
                evidence="; ".join(
                    f"{printable(version)} on {some_of(some)}" for version, some in by_version.items()
                ),
                fix="is an upgrade under way? make another backup when it has come to its end",
                objects=[f"node/{name}" for some in by_version.values() for name in some],
            )


def of_lost(found: Sequence[Lost]) -> Iterator[Finding]:
    """What no archive brings back."""
    alike: dict[tuple[str, str], list[str]] = {}
    for one in found:
        alike.setdefault((one.what, one.why), []).append(one.node)
    for (what, why), some in alike.items():
        nodes = [node for node in some if node]
        where = f" on {some_of(nodes)}" if nodes else ""
        yield rules.NOT_RESTORABLE.warning(
            subject=printable(what),
            evidence=f"it is not in the backup{where}: {printable(why)}",
            fix="keep it, and write down how it is brought back; a restore needs it",
            objects=[f"node/{node}" for node in nodes],
        )
