"""The rights that a user needs for a drain and for an uncordon (docs/permissions.md).

Rights that a preview can do without are not among them: it has a gap then.
"""

from kubectl_admin.cluster.access import Right
from kubectl_admin.drain.filters import Flags

WORKLOADS = (Right("list", "replicasets", group="apps"), Right("list", "statefulsets", group="apps"))


def drain_rights(flags: Flags, *, dry_run: bool) -> list[Right]:
    """For a drain, or for the preview of one."""
    seen = [Right("get", "nodes"), Right("list", "pods")]
    if dry_run:
        return seen
    moved = Right("delete", "pods") if flags.disable_eviction else Right("create", "pods/eviction")
    return [*seen, Right("patch", "nodes"), Right("watch", "pods"), moved]


def uncordon_rights(*, dry_run: bool, wait: bool) -> list[Right]:
    """For an uncordon. wait: whether it waits for the workloads that a drain has moved."""
    if dry_run:
        return [Right("list", "nodes")]
    changes = [Right(verb, "nodes") for verb in ("list", "watch", "patch")]
    return [*changes, *(WORKLOADS if wait else ())]
