"""Leftovers of killed runs: debug pods, and directories and jobs on the hosts of nodes.

Later runs remove the leftovers of processes of this machine that have ended. `sweep` removes its debug
pods, those of one namespace: node-exec, etcd-snapshot, etcd-open, certs renew, certs rollback and
drain-upgrade call it before they open a host. `sweep_host` removes its directories on one host, and anybody's
that are of no use since the host was restarted: etcd-snapshot, etcd-open, certs renew and certs rollback call
it where they work. The rest may be at work on another machine: `kubectl admin cleanup`
shows it, and removes it when a person says so.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.node import manifest
from kubectl_admin.node.host import Host
from kubectl_admin.node.operation import Owner
from kubectl_admin.node.script import Script
from kubectl_admin.node.workspace import STATE, discard

LIST = Script("node", "leftovers")
OPERATION = re.compile(r"[0-9a-f]{10}")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")  # of a directory
MOST = 1000  # directories of a host that are looked at; a host that was taken over may name any number
# Of an upgrade: the only record of the holds, repositories and packages that its node had. It is there only
# while the upgrade is at work, or half way.
UPGRADE = "upgrade"
# Of a restore of etcd: its plan, its journal and its worker, by which alone a node resumes it, and which say
# where the data of before are.
RESTORE = "restore"
# Data of etcd, of before a restore or restored, that lie beside those which etcd runs with.
ASIDE = re.compile(r"\.kubectl-admin-[0-9a-f]{10}-(old|new|new\.part)")
SELECTOR = ",".join(f"{label}={value}" for label, value in manifest.LABELS.items())


@dataclass(frozen=True, slots=True)
class LeftPod:
    """A debug pod. finished: whether its container has ended. owner: None where its note can't be read."""

    namespace: str
    name: str
    node: str
    created: str
    finished: bool
    owner: Owner | None

    @property
    def operation(self) -> str:
        """Whose it is: «0123456789» of «kubectl-admin-0123456789-…»."""
        return self.name.split("-")[2]

    @property
    def is_abandoned(self) -> bool:
        """Whether certainly nobody uses it."""
        return self.finished or (self.owner is not None and self.owner.has_ended())


@dataclass(frozen=True, slots=True)
class LeftDirectory:
    """A directory of an operation on a host. active: whether its job runs, or a file is sent from it.

    over: whether its job has ended, as at a restart of the host, and it is of no use without. parent: the
    directory that it is in.
    """

    node: str
    name: str
    active: bool
    owner: Owner | None
    over: bool = False
    parent: str = STATE

    @property
    def path(self) -> str:
        """Where it is on the host."""
        return f"{self.parent}/{self.name}"

    @property
    def is_abandoned(self) -> bool:
        """Whether certainly nobody will ask for it again: jobs with a name of their own are kept for that."""
        private = OPERATION.fullmatch(self.name) is not None
        return private and (self.over or (self.owner is not None and self.owner.has_ended()))

    @property
    def is_half_way(self) -> bool:
        """Whether an upgrade that nobody works at needs it to resume, or to put back what was there."""
        return self.name == UPGRADE and not self.active

    @property
    def is_restore(self) -> bool:
        """Whether it is a restore of etcd, in whatever state, or data that one has put aside."""
        return self.name == RESTORE or self.parent != STATE


def pods(cluster: Cluster, namespace: str | None = None) -> Iterator[LeftPod]:
    """The debug pods of one namespace, or of the whole cluster."""
    path = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
    for pod in cluster.list(path, [("labelSelector", f"{SELECTOR},{manifest.OPERATION}")]):
        if is_ours(pod):
            yield left_pod(pod)


def is_ours(pod: Mapping[str, Any]) -> bool:
    """Whether a pod was made by this tool: labels may be on anything."""
    name, operation = pod["metadata"]["name"], manifest.operation_of(pod)
    named = OPERATION.fullmatch(operation) and name.startswith(f"kubectl-admin-{operation}-")
    return bool(named) and not pod["metadata"].get("ownerReferences")


def left_pod(pod: Mapping[str, Any]) -> LeftPod:
    """Read from a pod's object."""
    about = pod["metadata"]
    return LeftPod(
        about["namespace"],
        about["name"],
        pod["spec"].get("nodeName", ""),
        about.get("creationTimestamp", ""),
        pod.get("status", {}).get("phase") in ("Succeeded", "Failed"),
        Owner.parse(about.get("annotations", {}).get(manifest.OWNER, "")),
    )


def directories(host: Host, data: str = "") -> list[LeftDirectory]:
    """The directories of operations on a host, this run's own left out; MOST at most.

    data: etcd's data directory, in which restores put data aside; "" where it is not known.
    """
    answer = host.script(LIST, STATE, data).decode("utf-8", "replace")
    found = []
    own = host.operation.id
    for line in islice(answer.splitlines(), MOST):
        match line.split(" ", 2):
            case [name, ("yes" | "no" | "over") as word, owner] if name != own and NAME.fullmatch(name):
                whose = Owner.parse(owner)
                found.append(LeftDirectory(host.node, name, word == "yes", whose, over=word == "over"))
            case ["aside", name] if data and ASIDE.fullmatch(name):
                found.append(LeftDirectory(host.node, name, False, None, parent=data))
    return found


def delete_pod(cluster: Cluster, pod: LeftPod) -> None:
    """Deletes a pod."""
    with suppress(NotFound):
        cluster.delete(f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}")


def sweep(cluster: Cluster, namespace: str) -> None:
    """Removes debug pods that certainly nobody uses; one that can't be removed now is left to another run."""
    with suppress(AdminError):
        for pod in pods(cluster, namespace):
            if pod.is_abandoned:
                with suppress(AdminError):  # one that is kept from going keeps no others
                    delete_pod(cluster, pod)


def sweep_host(host: Host) -> None:
    """Removes the directories on a host that certainly nobody uses any more, with their jobs."""
    with suppress(AdminError):
        for directory in directories(host):
            if directory.is_abandoned:
                with suppress(AdminError):
                    discard(host, directory.name)
