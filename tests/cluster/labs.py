"""The labs that tests of this tier run on, and the program as a lab's administrator runs it."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

from tests.lab import cache, cluster, users
from tests.lab.lab import Lab
from tests.permissions import Stage
from tests.program import ROOT, Ended, environ, run

PATIENCE = 240  # seconds until a lab must be whole again after a fault


@contextmanager
def standing(name: str, **shape: Any) -> Iterator[Lab]:
    """A lab of that name and shape (see `cluster.up`); it stays up where KUBECTL_ADMIN_LAB_KEEP is set."""
    yield cluster.up(name, **shape)
    if not os.environ.get("KUBECTL_ADMIN_LAB_KEEP"):
        cluster.down(name)


def admin(lab: Lab, *arguments: str, timeout: float = 60, **changes: str) -> Ended:
    """Runs `kubectl admin` as this lab's administrator, to its end within `timeout` seconds.

    changes: of its environment.
    """
    return run(*arguments, env=environ_of(lab, **changes), timeout=timeout)


def lab_command(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """A run of `python -m tests.lab`, with this on its stdin."""
    command = [sys.executable, "-m", "tests.lab", *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, cwd=ROOT, timeout=300
    )


def environ_of(lab: Lab, **changes: str) -> dict[str, str]:
    """The environment of this lab's administrator: its kubeconfig, and kubectl of its version on PATH.

    For `start` and `run_on_terminal` of tests/program.py.
    """
    kubectl = cache.root() / f"bin/kubernetes-{lab.release.kubernetes}"
    mine = {"PATH": f"{kubectl}:{os.environ['PATH']}", "KUBECONFIG": str(lab.kubeconfig)}
    return environ(**(mine | changes))


def stage_of(lab: Lab) -> Stage:
    """Where docs/permissions.md is tried on this lab."""
    servers = [f"https://{each.address}:6443" for each in lab.control_planes]
    return Stage(lab.kubeconfig, servers, lab.release.kubernetes, lambda who: users.user(lab, who))


def wait_until_whole(lab: Lab) -> None:
    """Return when a lab is as `up` leaves it; AssertionError with what is not where that takes too long."""
    end = time.monotonic() + PATIENCE
    while left := not_as_it_was(lab) if cluster.whole(lab) else ["a node, the load balancer or the API"]:
        assert time.monotonic() < end, f"the lab is not whole: {', '.join(left)}"
        time.sleep(0.5)


def not_as_it_was(lab: Lab) -> list[str]:
    """What of a lab is not as `up` leaves it, by name: nodes or system pods not Ready, cordoned nodes."""
    told = json.loads(lab.kubectl("get", "nodes,pods", "--namespace=kube-system", "--output=json"))["items"]
    things = {f"{each['kind'].lower()}/{each['metadata']['name']}": each for each in told}
    missing = {f"pod/{part}-{each.name}" for each in lab.control_planes for part in cluster.CONTROL_PLANE}
    unready = [
        name for name, each in things.items() if not is_ready(each) or each["spec"].get("unschedulable")
    ]
    silent = [f"the API server of {each.name}" for each in lab.control_planes if not serves(each.address)]
    return sorted(missing - things.keys()) + unready + silent


def serves(address: str) -> bool:
    """Whether the API server there says itself that it is ready; its pod may say so of one that has ended."""
    try:
        with urlopen(f"https://{address}:6443/readyz", timeout=10, context=anybody()) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def anybody() -> ssl.SSLContext:
    """No certificate is looked at: who answers at this address is a node of the lab."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def is_ready(thing: dict[str, Any]) -> bool:
    """Whether a node or a pod says that it is Ready."""
    conditions = thing.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
