"""The state before a restore, on the operator's disk: the rollback that needs no node.

FILE.before/, beside the snapshot FILE, holds a verified snapshot of now (snapshot.db), all Node objects
(nodes.json), all volumes with their handles (volumes.json) and, once these are whole, operation.json. A
directory without that is half, and of no use. None is ever overwritten: the next one is FILE.before-2.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_object
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.restore.consequences.collect import ATTACHMENTS, CONTENTS, NODES, VOLUMES, Resource
from kubectl_admin.etcd.restore.consequences.gather import PAGE, VERSIONS, path_of
from kubectl_admin.etcd.restore.record import Record
from kubectl_admin.etcd.save import choose_member
from kubectl_admin.etcd.save.save import SavedSnapshot, SnapshotOptions, Watch, save_snapshot
from kubectl_admin.locks import Lock, is_named, lock
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.part_file import PartFile, settle_directory

SNAPSHOT, NODES_FILE, VOLUMES_FILE = "snapshot.db", "nodes.json", "volumes.json"
OPERATION, API_BACK, FINISHED = "operation.json", "api-back.json", "finished.json"
KINDS = {
    NODES: "Node",
    VOLUMES: "PersistentVolume",
    CONTENTS: "VolumeSnapshotContent",
    ATTACHMENTS: "VolumeAttachment",
}
RIGHTS = (
    *(Right("list", resource, group=group) for group, resource in KINDS),
    *choose_member.RIGHTS,
)
MOST = 1000  # directories beside one snapshot
BLOCK = 1 << 20  # bytes
LONGEST = 16 << 20  # bytes of operation.json
# An object a line: it is read again in little memory, and kubectl takes the file.
HEAD, TAIL = b'{"apiVersion": "v1", "kind": "List", "items": [\n', b"\n]}\n"


@dataclass(frozen=True, slots=True)
class Before:
    """A directory that is whole. snapshot: what was saved; None where an earlier run has saved it."""

    directory: Path
    record: Record
    snapshot: SavedSnapshot | None = None

    def nodes(self) -> Iterator[dict[str, Any]]:
        """The Node objects of before. Raises AdminError where the file is not the one that was written."""
        return self._objects(NODES_FILE)

    def volumes(self) -> Iterator[tuple[Resource, dict[str, Any]]]:
        """The volumes, their snapshots and attachments of before, with what each is. Raises as `nodes`."""
        resources = {kind: resource for resource, kind in KINDS.items()}
        for item in self._objects(VOLUMES_FILE):
            if resource := resources.get(str(item.get("kind"))):
                yield resource, item

    def note_api_back(self) -> float:
        """When the restored API has first been seen, in seconds since 1970: now, unless that is known."""
        path = self.directory / API_BACK
        with suppress(OSError, ValueError, KeyError, TypeError):
            return float(json.loads(path.read_bytes())["seconds"])
        return self._note_time(API_BACK)

    def note_finished(self) -> None:
        """Notes that all nodes are restored, and all that follows was seen done."""
        self._note_time(FINISHED)

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to do of the restore: a run with the same snapshot is another one."""
        return (self.directory / FINISHED).is_file()

    def _note_time(self, name: str) -> float:
        now = time.time()
        # A disk that is full here must not keep the cluster from being put right.
        with suppress(AdminError), PartFile(self.directory / name, force=True) as draft:
            draft.write(json.dumps({"seconds": now}).encode())
            draft.publish()
        return now

    def _objects(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.directory / name
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                if digest != self.record.files.get(name):
                    raise AdminError(
                        f"{path} is not as it was written", "restore it from where it was copied"
                    )
                file.seek(0)
                for line in file:
                    if line.startswith(b"{") and line != HEAD:
                        yield decode_object(line.rstrip().removesuffix(b","), str(path))
        except OSError as error:
            raise AdminError(f"{path} can't be read: {error.strerror}") from error


def save(
    hosts: Hosts,
    snapshot: Path,
    record: Record,
    *,
    watch: Watch,
    options: SnapshotOptions | None = None,
    save_snapshot: Callable[..., SavedSnapshot] = save_snapshot,
) -> Before:
    """Saves the state of now into a new directory beside the snapshot that is to be restored.

    record: without its files. watch: opens the display of a phase. save_snapshot: as save.save_snapshot.
    Raises AdminError for all that goes wrong; nothing is left then.
    """
    with claimed(snapshot) as directory:
        files: dict[str, str] = {}
        with explained(hosts.cluster, RIGHTS):
            files[NODES_FILE] = write_list(directory / NODES_FILE, objects(hosts.cluster, NODES))
            volumes = (
                one for kind in (VOLUMES, CONTENTS, ATTACHMENTS) for one in objects(hosts.cluster, kind)
            )
            files[VOLUMES_FILE] = write_list(directory / VOLUMES_FILE, volumes)
        file = directory / SNAPSHOT
        with PartFile(file, force=True) as draft:
            saved = replace(save_snapshot(hosts, options or SnapshotOptions(), draft, watch=watch), file=file)
            draft.publish()
        if saved.verdict.snapshot:
            files[SNAPSHOT] = saved.verdict.snapshot.sha256
        whole = replace(record, files=files)
        # Last of all: from here on the directory counts.
        with PartFile(directory / OPERATION) as draft:
            draft.write(whole.text())
            draft.publish()
        return Before(directory, whole, saved)


def load(directory: Path) -> Before:
    """The directory that an earlier run has written. Raises UsageError where it is none, or not whole."""
    path = directory / OPERATION
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST)
    except OSError as error:
        raise UsageError(
            f"{path} can't be read: {error.strerror}",
            "name the directory FILE.before that the run has written whose restore is to be resumed",
        ) from error
    return Before(directory, Record.of(decode_object(text, str(path)), path))


def latest(snapshot: Path) -> Path | None:
    """The newest whole directory of a snapshot; None where there is none.

    Raises UsageError for one of another user: whatever is in it would be made in the cluster.
    """
    whole = [path for path in directories(snapshot) if is_whole(path)]
    if not whole:
        return None
    descriptor = own_directory(whole[-1])
    if descriptor is None:
        raise UsageError(
            f"{whole[-1]} is another user's, so no restore is resumed from it",
            "resume as that user; or copy the snapshot into a directory of your own",
        )
    os.close(descriptor)
    return whole[-1]


def is_whole(directory: Path) -> bool:
    """Whether everything is in a directory."""
    return (directory / OPERATION).is_file()


def directories(snapshot: Path) -> Iterator[Path]:
    """The directories beside a snapshot that may be there, in the order in which they are made."""
    base = f"{snapshot.name}.before"
    yield from (snapshot.with_name(f"{base}-{n}" if n > 1 else base) for n in range(1, MOST + 1))


@contextmanager
def claimed(snapshot: Path) -> Iterator[Path]:
    """A directory of this run's own beside the snapshot; gone at the end unless it is whole then."""
    path, descriptor = claim(snapshot)
    try:
        yield path
        settle_directory(path.parent)
    finally:
        if not is_whole(path):
            for name in (SNAPSHOT, NODES_FILE, VOLUMES_FILE):
                (path / name).unlink(missing_ok=True)
            with suppress(OSError):  # somebody has put something there
                path.rmdir()
        os.close(descriptor)


def claim(snapshot: Path) -> tuple[Path, int]:
    """The first directory that is free, and its descriptor, which holds it against other runs.

    One that a killed run has left half is taken again.
    """
    for path in directories(snapshot):
        try:
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
            descriptor = own_directory(path)
        except OSError as error:
            raise UsageError(
                f"{path} can't be made: {error.strerror}", "put the snapshot elsewhere"
            ) from error
        if descriptor is not None:
            # A run that has just ended may have made it whole in this very moment.
            if lock(descriptor) is not Lock.TAKEN and is_named(descriptor, path) and not is_whole(path):
                os.fchmod(descriptor, 0o700)
                return path, descriptor
            os.close(descriptor)
    raise UsageError(f"there are {MOST:,} directories {snapshot}.before… already", "move the old ones away")


def own_directory(path: Path) -> int | None:
    """The open directory; None for what is none, or another user's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (NotADirectoryError, FileNotFoundError, PermissionError):
        return None
    except OSError as error:
        if path.is_symlink():
            return None
        raise error
    about = os.fstat(descriptor)
    if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid():
        return descriptor
    os.close(descriptor)
    return None


def objects(cluster: Cluster, resource: Resource) -> Iterator[dict[str, Any]]:
    """All objects of a resource, whole, and with their kind, which items of a list lack."""
    group, _ = resource
    version = VERSIONS[resource]
    try:
        for item in cluster.list(path_of(resource), page=PAGE):
            yield {"apiVersion": f"{group}/{version}" if group else version, "kind": KINDS[resource], **item}
    except NotFound:
        return


def write_list(path: Path, items: Iterable[Mapping[str, Any]]) -> str:
    """Writes objects as a List, one a line; returns the file's sha256 in hex."""
    digest = hashlib.sha256()
    with PartFile(path, force=True) as draft:

        def write(data: bytes | bytearray) -> None:
            digest.update(data)
            draft.write(data)

        pending, between = bytearray(HEAD), b""
        for item in items:
            pending += between + json.dumps(item).encode()
            between = b",\n"
            if len(pending) >= BLOCK:
                write(pending)
                pending = bytearray()
        write(pending + TAIL)
        draft.publish()
    return digest.hexdigest()
