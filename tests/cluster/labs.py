"""The labs that tests of this tier run on, and the program as a lab's administrator runs it."""

import base64
import contextlib
import functools
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import yaml

from tests.cluster import kubelets
from tests.lab import cache
from tests.lab.nodes import cluster, services, users
from tests.lab.nodes.lab import Lab
from tests.permissions import Stage
from tests.program import ROOT, RUN_TIMEOUT, Ended, environ, run

PATIENCE = 480  # seconds until a lab must be whole again after a fault
POLL_INTERVAL = 0.2  # seconds between two looks at it
KEPT = "KUBECTL_ADMIN_LAB_KEEP"  # in the environment: labs stay up after the tests
KUBELET_PORT = 10250
# Taints that the cluster takes away a while after a node is Ready again.
SHUNNED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


@contextmanager
def standing(name: str, **shape: Any) -> Iterator[Lab]:
    """A lab of that name and shape (see `cluster.up`), which goes in the end, unless it is to be kept."""
    try:
        yield cluster.up(name, **shape)
    finally:
        if not os.environ.get(KEPT):
            cluster.down(name)


def admin(lab: Lab, *arguments: str, timeout: float = RUN_TIMEOUT, **changes: str) -> Ended:
    """Runs `kubectl admin` as this lab's administrator, to its end within `timeout` seconds.

    changes: of its environment.
    """
    return run(*arguments, env=environ_of(lab, **changes), timeout=timeout)


def lab_command(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """A run of `python -m tests.lab`, with this on its stdin."""
    command = [sys.executable, "-m", "tests.lab", *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, text=True, check=False, cwd=ROOT, timeout=600
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
    while left := not_as_it_was(lab):
        assert time.monotonic() < end, f"the lab is not whole: {', '.join(left)}"
        time.sleep(POLL_INTERVAL)


def wait_until_serving(lab: Lab) -> None:
    """Return when every API server of a lab says that it is ready."""
    end = time.monotonic() + PATIENCE
    while silent := [each.name for each in lab.control_planes if not serves(each.address)]:
        assert time.monotonic() < end, f"no API server is ready on {', '.join(silent)}"
        time.sleep(POLL_INTERVAL)


def wait_until_reports_ready(lab: Lab, node: str, since: float) -> None:
    """Return when a node's kubelet has said that the node is Ready, at that time or later.

    since: seconds since 1970. After a loss of power the API goes on telling what was said before it, and the
    first that a new kubelet says is that its node is not Ready.
    """
    end = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):  # an API server may be about to begin
            told = ask(lab, f"/api/v1/nodes/{node}")
            # The API tells whole seconds.
            if is_ready(told) and all(at >= int(since) for at in kubelets.words(told)):
                return
        assert time.monotonic() < end, f"node {node} is not Ready again"
        time.sleep(POLL_INTERVAL)


def not_as_it_was(lab: Lab) -> list[str]:
    """What of a lab is not as `up` leaves it, by name.

    Whole: nodes and system pods are Ready by the word of the kubelets that run now, no node is cordoned,
    kubelets, API servers and services answer. No program is started to find that out, since every test ends
    with it.
    """
    beside = {"load balancer": services.load_balancer(lab), "package server": services.package_server(lab)}
    still = [f"the {name}" for name, service in beside.items() if not service.pid()]
    still += [f"the kubelet of {each.name}" for each in lab.nodes if not listens(each.address, KUBELET_PORT)]
    if still:
        return still
    try:
        told = {"node": ask(lab, "/api/v1/nodes"), "pod": ask(lab, "/api/v1/namespaces/kube-system/pods")}
    except OSError as error:
        return [f"the API ({error})"]
    things = {
        f"{kind}/{each['metadata']['name']}": each for kind, items in told.items() for each in items["items"]
    }
    missing = {f"pod/{part}-{each.name}" for each in lab.control_planes for part in cluster.CONTROL_PLANE}
    # Looked at after the API was asked, or what it said could be of before.
    running, now = kubelets.of(lab), time.time()
    unready = [
        name
        for name, each in things.items()
        if not is_ready(each) or is_shunned(each) or kubelets.is_of_before(each, running, now)
    ]
    silent = [f"the API server of {each.name}" for each in lab.control_planes if not serves(each.address)]
    return sorted(missing - things.keys()) + unready + silent


def listens(address: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        socket.create_connection((address, port), timeout=5).close()
    except OSError:
        return False
    return True


def ask(lab: Lab, path: str) -> Any:
    """What the API answers the lab's administrator through the load balancer; OSError where it does not."""
    server, context = administrator(lab.kubeconfig.read_text(encoding="utf-8"))
    with urlopen(f"{server}{path}", timeout=10, context=context) as answer:
        return json.load(answer)


@functools.lru_cache
def administrator(kubeconfig: str) -> tuple[str, ssl.SSLContext]:
    """The server of a kubeconfig, and its client certificate with the authority that it trusts."""
    config = yaml.safe_load(kubeconfig)
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    trusted = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=trusted)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which kubeadm's certificates need not pass
    with tempfile.NamedTemporaryFile() as file:  # ssl takes nothing but files
        for part in ("client-certificate-data", "client-key-data"):
            file.write(base64.b64decode(user[part]) + b"\n")
        file.flush()
        context.load_cert_chain(file.name)
    return cluster["server"], context


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


def is_shunned(thing: dict[str, Any]) -> bool:
    """Whether it is a node that new pods are kept from: cordoned, or not known to be Ready again."""
    taints = {each["key"] for each in thing["spec"].get("taints", ())}
    return bool(thing["spec"].get("unschedulable")) or not taints.isdisjoint(SHUNNED)


def is_ready(thing: dict[str, Any]) -> bool:
    """Whether a node or a pod says that it is Ready."""
    conditions = thing.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
