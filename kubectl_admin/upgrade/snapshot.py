"""Where the snapshot of etcd goes that is taken before a control plane is touched."""

import os
from datetime import UTC, datetime
from pathlib import Path

from kubectl_admin.errors import UsageError
from kubectl_admin.etcd.save import save
from kubectl_admin.finding import Finding
from kubectl_admin.part_file import already_there
from kubectl_admin.upgrade.rules import SNAPSHOT_FILE


def findings(node: str, wanted: str, cluster: str, *, resumed: bool) -> list[Finding]:
    """A violation where the snapshot has no place: found before the first step, since the steps take long."""
    try:
        destination(wanted, cluster, resumed=resumed)
    except UsageError as error:
        return [
            SNAPSHOT_FILE.violation(
                subject="snapshot of etcd",
                evidence=error.what,
                fix=error.hint or "",
                objects=(f"node/{node}",),
            )
        ]
    return []


def destination(wanted: str, cluster: str, *, resumed: bool) -> Path:
    """The file for the snapshot, which is not there yet. wanted: as `--snapshot` says. cluster: its name.

    resumed: whether the upgrade has begun already: then a file of that name is the earlier part's, and stays;
    the new one is written beside it, with the time in its name, so that the same command resumes. Raises
    UsageError where it can't be created.
    """
    file = save.destination(wanted, cluster)
    if file is None:
        raise UsageError("the snapshot before an upgrade needs a file", "name one with --snapshot")
    if not os.path.isdir(file.parent):  # noqa: PTH112 - Path.is_dir raises for names that can't be
        raise UsageError(
            f"directory {file.parent} does not exist", "create it, or name another one with --snapshot"
        )
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise UsageError(f"directory {file.parent} is not writable", "name another one with --snapshot")
    if not os.path.lexists(file):
        return file
    if resumed and os.path.isfile(file):  # noqa: PTH113 - the same
        return file.with_name(f"{file.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}{file.suffix}")
    raise already_there(file, "name another file, or a directory, with --snapshot")
