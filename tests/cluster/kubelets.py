"""The kubelets of a lab as processes of this machine, by which old words of the API are told from new ones.

A node that has lost its power, or whose kubelet has begun again, is as before for the API until its new
kubelet has said something; and the first that it says is that the node is not Ready.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.lab.nodes.lab import Lab

# Seconds after which what is said of a node is no word of the kubelet before: the cluster takes a node for
# lost after 40. What is still old then came with old data of etcd.
FIRST_WORD = 60.0
TICKS = os.sysconf("SC_CLK_TCK")  # of the clock by which the kernel counts a process' beginning, in a second


@dataclass(frozen=True)
class Kubelet:
    """When a node's kubelet began, and when the node itself did, in seconds since 1970."""

    began: float
    booted: float


def of(lab: Lab) -> dict[str, Kubelet]:
    """The kubelets that run, by the names of their nodes. No program is started to find that out."""
    homes = {identity(each.folder / "kubelet"): each.name for each in lab.nodes}
    found: dict[str, Kubelet] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if (process / "comm").read_text(encoding="utf-8") != "kubelet\n":
                continue
            node = homes.get(identity(process / "root/var/lib/kubelet"))
            parent, began = beginning(process)
            kubelet = Kubelet(began, beginning(Path("/proc", parent))[1])
            # What a kubelet starts is another kubelet for a moment.
            if node and (node not in found or began < found[node].began):
                found[node] = kubelet
    return found


def identity(path: Path) -> tuple[int, int]:
    """What is the same of a folder wherever it is mounted."""
    about = path.stat()
    return about.st_dev, about.st_ino


def beginning(process: Path) -> tuple[str, float]:
    """The parent of a process, and when it began, in seconds since 1970."""
    # After its name, which may have any characters.
    fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    up = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    return fields[1], time.time() - up + int(fields[19]) / TICKS


def is_of_before(thing: dict[str, Any], kubelets: Mapping[str, Kubelet], now: float) -> bool:
    """Whether what the API says of a node or a pod is of before its kubelet, or its node, has begun again.

    thing: as the API has it. now: in seconds since 1970.
    """
    spec, status = thing["spec"], thing.get("status", {})
    kubelet = kubelets.get(spec.get("nodeName") or thing["metadata"]["name"])
    if not kubelet:
        return False
    if "nodeName" in spec:
        states = (each.get("state", {}).get("running") for each in status.get("containerStatuses", ()))
        began = [state["startedAt"] for state in states if state and state.get("startedAt")]
        return any(moment(at) < int(kubelet.booted) for at in began)
    return now < kubelet.began + FIRST_WORD and any(at < int(kubelet.began) for at in words(thing))


def words(node: dict[str, Any]) -> list[float]:
    """When a kubelet has said last whether its node is Ready, in seconds since 1970; none if never."""
    conditions = node.get("status", {}).get("conditions", ())
    said = [each.get("lastHeartbeatTime") for each in conditions if each["type"] == "Ready"]
    return [moment(at) for at in said if at]


def moment(text: str) -> float:
    """A time of the API, which tells whole seconds, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()
