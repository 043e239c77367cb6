"""A prepared restore is armed on its nodes, or removed there; one that is over is pruned."""

from collections.abc import Callable

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.on_nodes.plan import NodePlan
from kubectl_admin.etcd.restore.on_nodes.status import DIRECTORY, UNIT, UNITS
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script

ARM, REMOVE, PRUNE = (Script("etcd", f"restore-{name}") for name in ("arm", "remove", "prune"))
PRUNE_TIMEOUT = 300.0  # seconds to remove gigabytes from a slow disk


def unit(plan: NodePlan) -> str:
    """The unit's text. «%» is systemd's in paths, too."""
    paths = (DIRECTORY, plan.data, plan.manifests, plan.parked)
    return unit_of(" ".join(path.replace("%", "%%") for path in paths))


def unit_of(paths: str) -> str:
    """The same for these directories. It resumes after a restart of the node, before the kubelet starts
    anything.

    Source: systemd.unit(5), systemd.service(5).
    """
    return f"""\
[Unit]
Description=kubectl-admin: restore of etcd
Before=kubelet.service
RequiresMountsFor={paths}
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStartPre=/bin/sh {DIRECTORY}/worker settle
ExecStart=/bin/sh {DIRECTORY}/worker run
Restart=on-failure
RestartSec=1
TimeoutStartSec=600
UMask=0077
OOMScoreAdjust=-900

[Install]
WantedBy=multi-user.target
"""


def arm(host: Host, plan: NodePlan, *, check: Callable[[], None] = lambda: None) -> None:
    """Has the worker of a prepared restore wait for the word to begin, and sees it wait.

    check: called right before each attempt. Raises AdminError where it is not prepared, or does not wait.
    """
    answer = host.script(ARM, DIRECTORY, plan.id, UNITS, unit(plan), before=check)
    if answer.strip() != b"armed":
        raise AdminError(f"node {host.node}: unexpected answer to the start of {UNIT}: {answer[:80]!r}")


def remove(host: Host, id_: str) -> bool:
    """Stops the worker of a restore that has not begun, and removes all that was prepared for it; also of one
    that has left all as it was.

    Whether there was one. Only for a restore whose word to begin is certainly not given and never will be
    (Go.settle): a worker that has read it and not yet written so is stopped like any other.
    Another one than this stays. Raises AdminError for one that has begun, or has restored.
    """
    answer = host.script(REMOVE, DIRECTORY, id_, UNITS).strip()
    if answer not in (b"removed", b"none"):
        raise AdminError(f"node {host.node}: unexpected answer to a removal: {answer[:80]!r}")
    return answer == b"removed"


def prune(host: Host, data: str, parked: str) -> int:
    """Removes all that restores which are over, or were never armed, have left on a host: directory and
    the data that are aside.

    data: etcd's data directory; its directory «member» stays in any case. parked: as in the plan. The bytes
    that were freed. Raises AdminError where a restore is not over.
    """
    answer = host.script(PRUNE, DIRECTORY, data, UNITS, parked, timeout=PRUNE_TIMEOUT)
    lines = answer.decode("utf-8", "replace").splitlines()
    for line in lines:
        if line.startswith("kept "):
            host.say(f"node {host.node}: {line.removeprefix('kept ')} was not removed: it is in use")
    freed = [line.removeprefix("removed ") for line in lines if line.startswith("removed ")]
    if len(freed) != 1 or not freed[0].isdecimal():
        raise AdminError(f"node {host.node}: unexpected answer to a removal: {answer[:80]!r}")
    return int(freed[0])
