"""Upstream's support of each minor, and each minor's needs: a dated table that ships with the program."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.decode import decode_object
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.versions.version import Version


@dataclass(frozen=True, slots=True)
class Support:
    """How long a minor gets patches, and the newest patch seen when the table was made."""

    end: date
    latest: Version


@dataclass(frozen=True, slots=True)
class Requirements:
    """A minor's demands on the rest of the machine.

    etcd: the version that kubeadm installs with it.
    etcd_before: the version that etcd must have before that step; None where no such gate exists.
    containerd: the oldest tested patch of each line of containerd; a line that is not named is not tested.
    kernels: kernel lines that kubeadm's system check accepts; «6+» is 6 and every later major.
    cgroup: the cgroup version that the kubelet wants (2 since 1.35), or None for any.
    """

    etcd: Version | None = None
    etcd_before: Version | None = None
    containerd: tuple[Version, ...] = ()
    kernels: tuple[str, ...] = ()
    cgroup: int | None = None


HINT = "--data takes a file like kubectl_admin/data/upstream.json; docs/skew.md describes it"


@dataclass(frozen=True, slots=True)
class Upstream:
    """The whole table, by minor (36 for 1.36).

    Source: kubernetes.io/releases, containerd's RELEASES.md, etcd's upgrade guides, as the file itself notes.
    """

    taken: date
    support: Mapping[int, Support]
    requirements: Mapping[int, Requirements]

    @property
    def newest(self) -> int:
        """The newest minor that the table knows."""
        return max(self.support)


def load(file: Path | None = None) -> Upstream:
    """Reads the table that ships with the program, or `file` instead of it.

    Raises UsageError where the file can't be read or is not such a table.
    """
    try:
        text = (file or resources.files("kubectl_admin") / "data/upstream.json").read_text("utf-8")
        return _parsed(decode_object(text, "it"))
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", HINT) from None
    except (AdminError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{file} is not a table of upstream's versions: {_why(error)}", HINT) from None


def _why(error: Exception) -> str:
    """Why a file is not such a table, without what it holds instead."""
    match error:
        case UnicodeDecodeError():
            return "it is not UTF-8 text"
        case AdminError():
            return error.what.partition(":")[0]  # «it is not JSON», and then all of it
        case KeyError():
            return f"it has no {error}"
    return str(error)


def _parsed(table: Mapping[str, Any]) -> Upstream:
    return Upstream(
        taken=date.fromisoformat(table["taken"]),
        support={
            Version.parse(minor).minor: Support(date.fromisoformat(row["end"]), Version.parse(row["latest"]))
            for minor, row in table["minors"].items()
        },
        requirements={
            Version.parse(minor).minor: _requirements(row) for minor, row in table["needs"].items()
        },
    )


def _requirements(row: Mapping[str, Any]) -> Requirements:
    return Requirements(
        etcd=Version.parse(row["etcd"]) if "etcd" in row else None,
        etcd_before=Version.parse(row["etcd_before"]) if "etcd_before" in row else None,
        containerd=tuple(Version.parse(text) for text in row.get("containerd", ())),
        kernels=tuple(str(line) for line in row.get("kernels", ())),
        cgroup=row.get("cgroup"),
    )
