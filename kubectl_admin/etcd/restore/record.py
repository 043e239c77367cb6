"""A restore as operation.json has it, for the run that resumes it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from kubectl_admin.cluster.decode import mapping, whole_number
from kubectl_admin.errors import UsageError

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Record:
    """A restore, as operation.json has it: all that a later run must know to resume it.

    id: of the operation. sha256: of the snapshot that is restored. revision: its newest one. bump: by how
    much revisions are raised. cluster: the UID of namespace kube-system. nodes: of the control plane, that
    take part. members: peer URLs by the names of etcd's members. began: seconds since 1970. left: nodes that
    the snapshot has and the cluster of before has not. prefix: kube-apiserver's --etcd-prefix. planned:
    whatever else was planned, as plain data. files: the sha256 of the others in the directory, by name.
    """

    id: str
    sha256: str
    revision: int
    bump: int
    cluster: str
    nodes: tuple[str, ...]
    members: Mapping[str, str]
    began: float
    left: tuple[str, ...] = ()
    prefix: str = "/registry"
    planned: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def base(self) -> int:
        """The revision with which the restored etcd begins: whatever is written there has a later one."""
        return self.revision + self.bump

    def has_changed(self, version: object) -> bool:
        """Whether an object of that resourceVersion was written since the restore, and is not the snapshot's.

        Source: KEP-5504: an API server's resourceVersions are numbers, and etcd's revisions.
        """
        number = whole_number(version, digits=19)
        return number is not None and number > self.base

    def text(self) -> bytes:
        """The file."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2).encode() + b"\n"

    @classmethod
    def of(cls, said: Mapping[str, Any], path: Path) -> Self:
        """The record that a file has. path: names it in the UsageError for anything else."""
        if said.get("format") != FORMAT:
            raise UsageError(
                f"{path} is of another version of this program", "resume with the version that has begun"
            )
        try:
            return cls(
                id=str(said["id"]),
                sha256=str(said["sha256"]),
                revision=int(said["revision"]),
                bump=int(said["bump"]),
                cluster=str(said["cluster"]),
                nodes=tuple(map(str, said["nodes"])),
                members={str(name): str(url) for name, url in said["members"].items()},
                began=float(said["began"]),
                left=tuple(map(str, said.get("left") or ())),
                prefix=str(said.get("prefix") or ""),
                planned=mapping(said.get("planned")),
                files={str(name): str(digest) for name, digest in said["files"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise UsageError(f"{path} is not as this program writes it") from error
