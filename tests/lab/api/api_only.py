"""A cluster of nothing but its API: real kube-apiservers and etcd as processes, objects for all else.

For what needs a real API server but no running pod: API behaviour, permissions, thousands of nodes.
"""

import shutil
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

from tests.lab import cache, keys, machine
from tests.lab.api import processes
from tests.lab.api.fill import fill
from tests.lab.api.sketch import Sketch
from tests.lab.api.sketch_objects import objects
from tests.lab.errors import LabError
from tests.lab.nodes import lab
from tests.lab.progress import Progress
from tests.lab.recipes import binaries
from tests.lab.versions import release

LARGEST = 8000  # nodes; so many have an address
FOLDER = "api-only"  # in the lab's folder: there as long as anything of the lab is
ADMIN = "kubernetes-admin"
SIGNER = "kube-controller-manager"
Say = Callable[[str], None]


def up(name: str, version: str, nodes: int, progress: Say, sketch: Sketch | None = None) -> Path:
    """Bring a lab up, or find it up, and return its administrator's kubeconfig.

    version: of Kubernetes, out of the lab's table. nodes: how many Nodes there shall be; the first three are
    control planes, each with an API server of its own. sketch: what else the cluster is like; its version,
    nodes and network are not looked at.
    Raises LabError; what was made stays for a look, and goes with the next `up` or `down`.
    """
    if nodes > LARGEST:
        raise LabError(f"there are addresses for {LARGEST:,} nodes, not for {nodes:,}")
    folder = folder_of(name)
    shape = f"{release(version).kubernetes} with {nodes:,} nodes"
    with lock(name):
        if lab.find(name):
            raise LabError(f"lab {name} is up with nodes; take it down first")
        if kubeconfig(name).exists() and processes.processes(folder):
            present = (folder / "shape").read_text(encoding="utf-8")
            if present != shape:
                raise LabError(f"lab {name} is up as {present}; take it down before it is made as {shape}")
            progress(f"is already up as {present}")
            return kubeconfig(name)
        if remove(folder):
            progress("what was left of it was not whole and has been removed")
        with cache.in_use():
            make(name, replace(sketch or Sketch(), version=version, nodes=nodes), progress)
        (folder / "shape").write_text(shape, encoding="utf-8")
        # Last of all: while it is not there, the lab is not whole.
        user(name, ADMIN, ["system:masters"]).rename(kubeconfig(name))
    return kubeconfig(name)


def down(name: str) -> None:
    """Take a lab away, whatever state it is in; nothing happens where there is none."""
    with lock(name):
        remove(folder_of(name))


def exists(name: str) -> bool:
    """Whether there is a lab of this name, half-made ones included."""
    return folder_of(name).is_dir()


def names() -> list[str]:
    """The names of all labs of this kind, half-made ones included."""
    return sorted(folder.parent.name for folder in lab.labs().glob(f"*/{FOLDER}"))


def kubeconfig(name: str) -> Path:
    """The administrator's kubeconfig of a lab; there when the lab is whole."""
    return folder_of(name) / "kubeconfig"


def user(name: str, who: str, groups: Sequence[str] = ()) -> Path:
    """The kubeconfig of a user with a client certificate of the lab's CA, made anew.

    What a user may do is for RBAC to say: at first, what every authenticated user may.
    """
    folder = folder_of(name)
    pki = folder / "pki"
    keys.issue(pki, who, who, groups=groups)
    server = f"https://{Sketch(network=block(folder)).address(0)}:6443"
    return keys.write_kubeconfig(pki / f"{who}.kubeconfig", name, server, pki, who)


def stop_apiserver(name: str, node: str) -> None:
    """End the API server of a control plane as if its machine had died; it is gone on return."""
    processes.stop(folder_of(name), apiserver(node))


def start_apiserver(name: str, node: str) -> None:
    """Start the API server of a control plane, by the node's name; it is ready on return."""
    folder = folder_of(name)
    number = int(node.removeprefix("cp-"))
    first, address = (Sketch(network=block(folder)).address(index) for index in (0, number - 1))
    row = release((folder / "version").read_text(encoding="utf-8"))
    program = cache.root() / f"bin/kubernetes-{row.kubernetes}/kube-apiserver"
    command = processes.apiserver_command(program, folder / "pki", address, etcd=first)
    process = processes.start(folder, apiserver(node), command, host=node)
    log = processes.log_of(folder, apiserver(node))
    processes.await_ready(process, log, f"https://{address}:6443/readyz", trust(folder))


def start_signer(name: str) -> None:
    """Start what signs approved requests for certificates; it works some seconds later."""
    folder = folder_of(name)
    row = release((folder / "version").read_text(encoding="utf-8"))
    program = cache.root() / f"bin/kubernetes-{row.kubernetes}/{SIGNER}"
    command = processes.signer_command(program, folder / "pki", kubeconfig(name))
    processes.start(folder, SIGNER, command)


def stop_signer(name: str) -> None:
    """End it; it is gone on return."""
    processes.stop(folder_of(name), SIGNER)


def make(name: str, sketch: Sketch, progress: Say) -> None:
    """Everything of a lab but its kubeconfig."""
    folder, row = folder_of(name), sketch.release
    builds = Progress(f"lab {name}", cache.logs())
    machine.ensure(["hostname", "iproute2", "util-linux"], builds)
    binaries.kubernetes(row.kubernetes, builds)
    programs = binaries.etcd(row.etcd, builds)

    folder.mkdir(parents=True)
    (folder / "version").write_text(row.kubernetes, encoding="utf-8")
    sketch = replace(sketch, network=processes.claim_block(lab.labs(), folder / "block"))
    # Without a node there is still an API server.
    planes = [sketch.name(index) for index in range(max(1, min(sketch.control_planes, sketch.nodes)))]
    addresses = [sketch.address(index) for index in range(len(planes))]
    keys.make(folder / "pki", addresses)

    progress(f"starts etcd {row.etcd} and kube-apiserver {row.kubernetes} of {planes[0]} at {addresses[0]}")
    etcd = processes.etcd_command(programs / "etcd", folder, planes[0], addresses[0])
    processes.start(folder, "etcd", etcd)
    start_apiserver(name, planes[0])
    progress(f"writes the objects of a cluster of {sketch.nodes:,} nodes")
    fill(addresses[0], trust(folder, ADMIN), objects(sketch), progress)
    if planes[1:]:
        progress(f"starts kube-apiserver of {', '.join(planes[1:])}")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda plane: start_apiserver(name, plane), planes[1:]))
    progress("is up")


def remove(folder: Path) -> bool:
    """Take everything of a lab away; False where there was nothing."""
    if not folder.is_dir():
        return False
    processes.stop(folder)
    processes.give_back_block(folder / "block")
    shutil.rmtree(folder.parent)
    return True


def folder_of(name: str) -> Path:
    """Where all files of a lab are."""
    return lab.folder_of(name) / FOLDER


def lock(name: str) -> AbstractContextManager[None]:
    """The lock under which labs of this name, of either kind, are made and removed."""
    lab.folder_of(name)
    return cache.locked(lab.labs() / f".{name}.lock")


def block(folder: Path) -> IPv4Network:
    """The addresses of a lab's nodes."""
    return IPv4Network((folder / "block").read_text(encoding="utf-8"))


def apiserver(node: str) -> str:
    """What the API server of a control plane is called among the lab's processes and logs."""
    return f"kube-apiserver-{node}"


def trust(folder: Path, who: str | None = None) -> ssl.SSLContext:
    """TLS with the lab's servers, as nobody or as the holder of a certificate."""
    context = ssl.create_default_context(cafile=folder / "pki/ca.crt")
    if who:
        context.load_cert_chain(folder / f"pki/{who}.crt", folder / f"pki/{who}.key")
    return context
