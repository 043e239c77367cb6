"""Clusters of the lab: made with kubeadm as an administrator would, and taken away without a trace."""

import base64
import hashlib
import json
import secrets
import shutil
import string
import subprocess
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.lab import cache, machine
from tests.lab.errors import LabError
from tests.lab.nodes import network, node, services
from tests.lab.nodes.lab import LABEL, PODMAN, Lab, Node, Shape, find, folder_of, labs, names
from tests.lab.progress import Progress
from tests.lab.recipes import binaries, images, packages
from tests.lab.versions import RELEASES, Release, release

# Containers have the machine's memory, swap, kernel configuration and processors, and kubeadm counts them.
IGNORED = [
    "SystemVerification",
    "Swap",
    "Mem",
    "NumCPU",
    "FileContent--proc-sys-net-bridge-bridge-nf-call-iptables",
]
REMOVALS = 5  # times that podman is asked to remove containers
# Seconds for an answer of a lab's API server; who takes a busy lab for one that is broken removes it.
ANSWER_TIMEOUT = 30
CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")


def up(
    name: str,
    *,
    control_planes: int = 1,
    workers: int = 1,
    version: str = RELEASES[0].minor,
    progress: Progress | None = None,
) -> Lab:
    """A whole lab of that name and shape: the one that is up, or a fresh one.

    What is half-made or broken under that name is removed first. Raises LabError where a step fails (what was
    made stays for a look, and goes with the next `up` or `down`) or where another shape is up.
    """
    shape = Shape(release(version).kubernetes, control_planes, workers)
    progress = progress or Progress(f"lab {name}", folder_of(name) / "logs")
    with cache.locked(labs() / f".{name}.lock"):
        present = find(name)
        if present and present.complete and present.shape != shape and whole(present):
            raise LabError(f"lab {name} is up as {present.shape}; take it down before it is made as {shape}")
        if present and present.complete and whole(present):
            progress.say(f"is already up as {shape}")
            return present
        if _remove(name):
            progress.say("what was left of it was not whole and has been removed")
        with cache.in_use():
            return _make(name, shape, progress)


def down(name: str) -> bool:
    """Take a lab away, whatever state it is in; False where there was nothing of that name."""
    folder_of(name)
    with cache.locked(labs() / f".{name}.lock"):
        removed = _remove(name)
    cache.prune()
    return removed


def whole(lab: Lab) -> bool:
    """Whether everything of the lab runs and its API server answers through the load balancer."""
    if not {each.container for each in lab.nodes} <= set(_containers(lab.name, running=True)):
        return False
    if not services.load_balancer(lab).pid() or not services.package_server(lab).pid():
        return False
    try:
        return lab.kubectl("get", "--raw", "/readyz", f"--request-timeout={ANSWER_TIMEOUT}s") == "ok"
    except LabError:
        return False


def wait_until_ready(lab: Lab, timeout: int = 180) -> None:
    """Wait until all nodes and the control plane's pods are Ready and CoreDNS and kube-proxy run everywhere.

    LabError after `timeout` seconds for one of them.
    """
    limit = f"--timeout={timeout}s"
    lab.kubectl("wait", "--for=condition=Ready", "nodes", "--all", limit, timeout=timeout + 10)
    for what in ("daemonset/kube-proxy", "deployment/coredns"):
        lab.kubectl("-n", "kube-system", "rollout", "status", what, limit, timeout=timeout + 10)
    static = [f"pod/{part}-{each.name}" for each in lab.control_planes for part in CONTROL_PLANE]
    for state in ("create", "condition=Ready"):
        wait = ["wait", f"--for={state}", *static, limit]
        lab.kubectl("-n", "kube-system", *wait, timeout=timeout + 10)


def build_all(versions: list[str], progress: Progress) -> None:
    """Everything that labs of these versions need; all versions, and etcd's others, where none is named."""
    with cache.in_use():
        for row in [release(version) for version in versions] or RELEASES:
            _ingredients(row, progress)
        if not versions:
            binaries.everything(progress)
    cache.prune()


def import_images(lab: Lab, version: str, progress: Progress, nodes: Sequence[str] = ()) -> None:
    """Put the images of another version onto nodes (all where none is named), as a registry would offer them.

    Its packages are served to all nodes then, too. A node that has the images is left alone.
    """
    row = release(version)
    packages.repository(row, progress)
    archive = images.archive(row, progress)

    def bring(each: Node) -> None:
        if not node.has_image(each, images.names(row)[0]):
            with progress.step(f"{each.name}: import the images of {row.kubernetes}", f"{each.name}-images"):
                node.import_images(each, archive)

    chosen = [lab.node(name) for name in nodes] or lab.nodes
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(bring, chosen))


@dataclass(frozen=True)
class _Ingredients:
    image: str
    store: Path


@dataclass(frozen=True)
class _Secrets:
    token: str
    certificate_key: str


def _ingredients(row: Release, progress: Progress) -> _Ingredients:
    machine.ensure(machine.RUNTIME, progress)
    binaries.release(row, progress)
    return _Ingredients(node.image(row, progress), images.store(row, progress))


def _make(name: str, shape: Shape, progress: Progress) -> Lab:
    progress.say(f"makes {shape} (control planes + workers of Kubernetes)")
    ingredients = _ingredients(release(shape.version), progress)
    with cache.locked(labs() / ".network.lock"):
        taken = [other.network.index for other in map(find, names()) if other]
        lab = Lab(name, shape, network.free(taken))
        lab.save()
        network.create(lab.network)
    machine.allow_many_watchers(progress)
    services.start(lab)
    with ThreadPoolExecutor(max_workers=8) as pool:
        booted = {each.name: pool.submit(_boot, lab, each, ingredients, progress) for each in lab.nodes}
        _form(lab, booted, pool, progress)
    with progress.step("pod network, then all nodes Ready, CoreDNS and kube-proxy running", "ready"):
        _connect_pods(lab)
        wait_until_ready(lab)
    lab = replace(lab, complete=True)
    lab.save()
    progress.say(f"is up: export KUBECONFIG={lab.kubeconfig}")
    return lab


def _boot(lab: Lab, machine: Node, ingredients: _Ingredients, progress: Progress) -> None:
    with progress.step(f"{machine.name}: start", f"{machine.name}-start") as step:
        node.boot(lab, machine, ingredients.image, ingredients.store, step)


def _form(lab: Lab, booted: dict[str, Future[None]], pool: ThreadPoolExecutor, progress: Progress) -> None:
    """Make a cluster of the nodes as they come up: the first, then the others, control planes one by one.

    (Members join etcd one at a time; workers need not wait for them.)
    """
    first, *others = lab.control_planes
    keys = _Secrets(f"{secrets.token_hex(3)}.{secrets.token_hex(8)}", secrets.token_hex(32))
    booted[first.name].result()
    with progress.step(f"{first.name}: kubeadm init", f"{first.name}-kubeadm") as step:
        node.write(first, "/root/kubeadm.yaml", _config(lab, first, keys, "init"), 0o600)
        command = ["kubeadm", "init", "--config", "/root/kubeadm.yaml", "--upload-certs"]
        step.run([*PODMAN, "exec", first.container, *command], timeout=300, tied=True)
    kubeconfig = lab.exec(first.name, ["cat", "/etc/kubernetes/admin.conf"]).stdout
    lab.kubeconfig.touch(mode=0o600)
    lab.kubeconfig.write_text(kubeconfig, encoding="utf-8")
    authority = _authority(kubeconfig)

    def join(each: Node) -> None:
        booted[each.name].result()
        with progress.step(f"{each.name}: kubeadm join", f"{each.name}-kubeadm") as step:
            node.write(each, "/root/kubeadm.yaml", _config(lab, each, keys, "join", authority), 0o600)
            command = ["kubeadm", "join", "--config", "/root/kubeadm.yaml"]
            step.run([*PODMAN, "exec", each.container, *command], timeout=300, tied=True)

    def join_in_turn() -> None:
        for each in others:
            join(each)

    joins = [pool.submit(join_in_turn), *(pool.submit(join, worker) for worker in lab.workers)]
    for joined in joins:
        joined.result()


def _config(lab: Lab, each: Node, keys: _Secrets, act: str, authority: str = "") -> str:
    files = [f"kubeadm-{act}.yaml"]
    if act == "join" and each.control_plane:
        files.append("kubeadm-join-control-plane.yaml")
    text = "".join((cache.FILES / file).read_text(encoding="utf-8") for file in files)
    return string.Template(text).substitute(
        lab=lab.name,
        version=lab.shape.version,
        node=each.name,
        address=each.address,
        endpoint=f"{lab.network.gateway}:{services.API_PORT}",
        token=keys.token,
        certificate_key=keys.certificate_key,
        authority=authority,
        ignored=json.dumps(IGNORED),
    )


def _authority(kubeconfig: str) -> str:
    """What pins the cluster's authority in a join: the hash of its public key."""
    cluster = yaml.safe_load(kubeconfig)["clusters"][0]["cluster"]
    certificate = x509.load_pem_x509_certificate(base64.b64decode(cluster["certificate-authority-data"]))
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(public).hexdigest()}"


def _connect_pods(lab: Lab) -> None:
    """What a network add-on does: the subnet that the cluster gave each node becomes its pods' network."""
    # The controller-manager gives it, which may be elected only when all nodes have joined.
    lab.kubectl("wait", "--for=jsonpath={.spec.podCIDR}", "nodes", "--all", "--timeout=120s", timeout=130)
    items = json.loads(lab.kubectl("get", "nodes", "-o", "json"))["items"]
    node.set_pod_networks(lab, {item["metadata"]["name"]: item["spec"]["podCIDR"] for item in items})


def _remove(name: str) -> bool:
    """Remove every container, process, link and file of a lab; the record goes last."""
    lab, folder = find(name), folder_of(name)
    containers = _containers(name)
    _remove_containers(containers)
    if lab:
        services.stop(lab)
        network.remove(lab.network)
    there = bool(lab or containers or folder.exists())
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)
    return there


def _remove_containers(names: Sequence[str]) -> None:
    """Remove containers, whatever state they are in; LabError where one can't be."""
    if not names:
        return
    remove = [*PODMAN, "rm", "--force", "--ignore", "--time", "0", "--volumes", *names]
    # podman gives processes that it has killed seconds to be gone, and a busy machine may need more.
    for _ in range(REMOVALS):
        done = subprocess.run(remove, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
    raise LabError(f"podman can't remove {', '.join(names)}: {done.stderr.strip()}")


def _containers(name: str, *, running: bool = False) -> list[str]:
    """The containers of a lab by their names; with `running` only those."""
    if not shutil.which("podman"):
        return []
    # By name, since what a killed podman leaves may have no label yet.
    query = [*PODMAN, "ps", "--format={{.Names}}", f"--filter=name=^{LABEL}-{name}-(cp|worker)-[0-9]+$"]
    query += ["--filter=status=running"] if running else ["--all", "--external"]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()
