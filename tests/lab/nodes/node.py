"""A node: a podman container with systemd, containerd and the packages that kubeadm needs."""

import json
import shutil
import subprocess
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.nodes import network, services
from tests.lab.nodes.lab import LABEL, PODMAN, Lab, Node
from tests.lab.progress import Progress, Step
from tests.lab.recipes import binaries, packages, rootfs
from tests.lab.versions import CONTAINERD, Release

IMAGES = f"localhost/{LABEL}"
# What a machine without CAP_SYS_RESOURCE can grant, too.
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096")
# What systemd needs, spelled out: on cgroups v1, podman's own --systemd would give all nodes this machine's
# one systemd hierarchy, in which each would see (and manage) the others' services.
SYSTEMD = (
    *("--systemd=false", "--cgroupns=private", "--env=container=podman", "--stop-signal=SIGRTMIN+3"),
    *("--tmpfs=/run:rw,exec,size=512m", "--tmpfs=/run/lock", "--tmpfs=/tmp:rw,exec"),
)
# On real storage: overlay can't lie on overlay, and etcd's data must outlive its container.
KEPT = ("containerd", "kubelet", "etcd")


def image(row: Release, progress: Progress) -> str:
    """The name of podman's image of a node of this release; made if it is not there. All labs share it."""
    debian = rootfs.debian(progress)
    containerd = binaries.containerd(progress)
    repository = packages.repository(row, progress)
    base = f"{IMAGES}/debian:{debian.name}"
    recipe = cache.fingerprint(
        debian.name, CONTAINERD, repository.name, cache.FILES / "Containerfile", cache.FILES / "node"
    )
    name = f"{IMAGES}/node:{row.kubernetes}-{recipe}"
    with cache.locked(cache.root() / ".podman-images.lock"):
        if not _has(name):
            with progress.step(
                f"make the node image of {row.kubernetes}", f"node-image-{row.kubernetes}"
            ) as step:
                if not _has(base):
                    _import(debian, base, step)
                _build(row, base, containerd, repository, name, step)
    return name


def boot(lab: Lab, node: Node, image: str, store: Path, step: Step) -> None:
    """Make the node, its containerd's store a copy of `store`, and wait until systemd has started all."""
    for part in KEPT:
        (node.folder / part).mkdir(parents=True, exist_ok=True)
    (node.folder / "etcd").chmod(0o700)
    _fill_store(node.folder / "containerd", store, step)
    command = [*PODMAN, "run", "--detach", "--name", node.container, "--hostname", node.name]
    command += ["--label", f"{LABEL}={lab.name}", "--privileged", *SYSTEMD]
    command += ["--network=none", "--no-hosts", *LIMITS]
    command += [f"--volume={node.folder / part}:/var/lib/{part}" for part in KEPT]
    command.append(image)
    step.run(command, tied=True)
    _connect(lab, node)
    wait = [*PODMAN, "exec", node.container, "systemctl", "is-system-running", "--wait"]
    step.run(wait, timeout=120, tied=True)


def _fill_store(folder: Path, store: Path, step: Step) -> None:
    """Layers and blobs never change once they are there, so links do for them; databases are copied."""
    step.run(["cp", "--archive", "--link", f"{store}/.", folder], tied=True)
    for database in folder.rglob("*.db"):
        database.unlink()
        shutil.copy2(store / database.relative_to(folder), database)


def stop(node: Node) -> None:
    """Cut the node's power: nothing in it gets a chance to say goodbye."""
    _podman("kill", "--signal", "KILL", node.container)
    _podman("wait", node.container)


def start(lab: Lab, node: Node) -> None:
    """Give the node its power back, and its cable."""
    _podman("start", node.container)
    _connect(lab, node)


def running(node: Node) -> bool:
    """Whether the node has power."""
    return _state(node).get("Status") == "running"


def pid(node: Node) -> int:
    """The node's first process as this machine counts; LabError where it does not run."""
    number = int(_state(node).get("Pid", 0))
    if number == 0:
        raise LabError(f"node {node.name} is not running")
    return number


def set_pod_networks(lab: Lab, subnets: dict[str, str]) -> None:
    """Give every node's pods their subnet (the node's podCIDR), and every node the way to the others'."""
    (lab.folder / "pod-networks.json").write_text(json.dumps(subnets, indent=1), encoding="utf-8")
    template = json.loads((cache.FILES / "cni.json").read_text(encoding="utf-8"))
    for node in lab.nodes:
        template["plugins"][0]["ipam"]["ranges"] = [[{"subnet": subnets[node.name]}]]
        write(node, "/etc/cni/net.d/10-lab.conflist", json.dumps(template, indent=1))
        _route(lab, node)


def write(node: Node, path: str, text: str, mode: int = 0o644) -> None:
    """Put a file onto a node."""
    script = 'cat > "$1" && chmod "$2" "$1"'
    _podman("exec", "--interactive", node.container, "sh", "-c", script, "sh", path, f"{mode:o}", given=text)


def has_image(node: Node, name: str) -> bool:
    """Whether the node's containerd has that image."""
    command = [*PODMAN, "exec", node.container, "ctr", "--namespace", "k8s.io", "images", "list", "--quiet"]
    told = subprocess.run([*command, f"name=={name}"], capture_output=True, text=True, check=False)
    return name in told.stdout.split()


def import_images(node: Node, archive: Path) -> None:
    """Import a docker-archive into the node's containerd, read where it lies on this machine."""
    inside = ["nsenter", "--target", str(pid(node)), "--mount"]
    with archive.open("rb") as stream:
        done = subprocess.run(
            [*inside, "ctr", "--namespace", "k8s.io", "images", "import", "-"],
            stdin=stream,
            capture_output=True,
            check=False,
        )
    if done.returncode != 0:
        raise LabError(
            f"import of images on node {node.name}: {done.stderr.decode(errors='replace').strip()}"
        )


def _connect(lab: Lab, node: Node) -> None:
    network.plug(lab.network, node.number, pid(node))
    hosts = [("127.0.0.1", "localhost"), *((peer.address, peer.name) for peer in lab.nodes)]
    hosts.append((lab.network.gateway, services.PACKAGES_HOST))
    write(node, "/etc/hosts", "".join(f"{address} {name}\n" for address, name in hosts))
    # No name server is in reach; CoreDNS wants one named all the same.
    write(node, "/etc/resolv.conf", f"nameserver {lab.network.gateway}\n")
    _route(lab, node)


def _route(lab: Lab, node: Node) -> None:
    """Routes to the other nodes' pods; one to the node's own would take its pods' network away."""
    record = lab.folder / "pod-networks.json"
    subnets = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    for peer in lab.nodes:
        if peer != node and peer.name in subnets:
            network.route(pid(node), subnets[peer.name], peer.address)


def _state(node: Node) -> dict[str, object]:
    query = [*PODMAN, "container", "inspect", "--format", "json", node.container]
    told = subprocess.run(query, capture_output=True, text=True, check=False)
    return dict(json.loads(told.stdout)[0]["State"]) if told.returncode == 0 else {}


def _podman(*arguments: str, given: str | None = None) -> None:
    done = subprocess.run([*PODMAN, *arguments], input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"podman {' '.join(arguments[:2])}: {done.stderr.strip()}")


def _has(name: str) -> bool:
    return subprocess.run([*PODMAN, "image", "exists", name], check=False).returncode == 0


def _import(debian: Path, name: str, step: Step) -> None:
    tar = subprocess.Popen(["tar", "-C", debian, "-c", "."], stdout=subprocess.PIPE)
    step.run([*PODMAN, "import", "-", name], stdin=tar.stdout)
    if tar.wait() != 0:
        raise LabError(f"tar of {debian} ended with {tar.returncode}", step.log)


def _build(row: Release, base: str, containerd: Path, repository: Path, name: str, step: Step) -> None:
    context = cache.root() / "work" / f"node-{row.kubernetes}"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(cache.FILES / "node", context / "node")
    shutil.copytree(containerd, context / "containerd")
    arguments = {"DEBIAN": base, "MINOR": row.minor, "SOURCE": services.PACKAGES_URL}
    command = [*PODMAN, "build", "--network", "none", "--volume", f"{repository}:/repository:ro"]
    command += [f"--build-arg={key}={value}" for key, value in arguments.items()]
    command += ["--tag", name, "--file", str(cache.FILES / "Containerfile"), str(context)]
    step.run(command)
    shutil.rmtree(context)
