"""What the tests of nodes' hosts share: a connection as the program has it, and what is left in a cluster."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kubectl_admin.cluster import kubeconfig
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.node import host
from kubectl_admin.node.debug_pod import Options
from kubectl_admin.node.host import Host
from kubectl_admin.node.manifest import LABELS
from kubectl_admin.node.operation import Operation
from tests.cluster.labs import environ_of
from tests.lab.nodes.lab import Lab
from tests.program import PROGRAM, ROOT, Child

STATE = "/var/lib/kubectl-admin"


def connection(lab: Lab) -> Cluster:
    """The lab's API, for its administrator."""
    overrides = kubeconfig.Overrides(kubeconfig=str(lab.kubeconfig))
    return Cluster.connect(kubeconfig.resolve(overrides, {}))


@contextmanager
def opened(
    lab: Lab, node: str, said: list[str] | None = None, operation: Operation | None = None
) -> Iterator[Host]:
    """The host of a node, for an operation of this process unless another one is given."""
    say = (said if said is not None else []).append
    operation = operation or Operation.begin()
    with host.opened(connection(lab), node, operation, Options(), say) as there:
        yield there


def started(lab: Lab, *arguments: str) -> Child[bytes]:
    """The program, started as the lab's administrator, with a pipe for each of its streams."""
    pipe = subprocess.PIPE
    return Child[bytes](
        [*PROGRAM, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, env=environ_of(lab), cwd=ROOT
    )


def pods(lab: Lab) -> list[str]:
    """The names of all debug pods in the cluster."""
    selector = ",".join(f"{label}={value}" for label, value in LABELS.items())
    listed = lab.kubectl("get", "pods", "--all-namespaces", f"--selector={selector}", "--output=json")
    return [each["metadata"]["name"] for each in json.loads(listed)["items"]]


def folders(lab: Lab, node: str) -> list[str]:
    """What is in the tool's folder on a node's host."""
    return lab.exec(node, ["sh", "-c", f"ls {STATE} 2> /dev/null || true"]).stdout.split()


def ended_process() -> str:
    """The note of an owner that ran on this machine and has ended."""
    text = "from kubectl_admin.node.operation import Owner; print(Owner.of_process())"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()
