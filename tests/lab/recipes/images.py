"""Container images from built programs, under the names that kubeadm expects, and containerd's filled store.

An image is one layer of files and a few lines of JSON, so the archives are written here, byte for byte the
same from the same files; no registry and no other image tool is needed.
"""

import hashlib
import io
import json
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.progress import Progress
from tests.lab.recipes import binaries, rootfs
from tests.lab.versions import CONTAINERD, Release

REGISTRY = "registry.k8s.io"
# For pods that tests run: a shell, a web server, a DNS client.
BUSYBOX = "localhost/lab/busybox:1"


@dataclass(frozen=True)
class Image:
    """An image of one layer: where each file of it comes from, symbolic links, what it runs."""

    name: str
    files: Mapping[str, Path]
    links: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] = ()
    path: str = "/usr/local/bin"
    folders: Sequence[str] = ()


def names(row: Release) -> list[str]:
    """The names under which kubeadm of this release looks for its images, kube-apiserver first."""
    programs = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    others = (f"etcd:{row.etcd_tag}", f"coredns/coredns:{row.coredns_tag}", f"pause:{row.pause_tag}")
    tagged = [f"{program}:v{row.kubernetes}" for program in programs]
    return [f"{REGISTRY}/{image}" for image in (*tagged, *others)]


def archive(row: Release, progress: Progress) -> Path:
    """A docker-archive with all images of this release, as «ctr images import» takes it."""
    images = of_release(row, progress)
    recipe = cache.fingerprint(Path(__file__), cache.FILES / "pause.c", str(sorted(map(repr, images))))

    def make(folder: Path) -> None:
        with progress.step(f"make the images of {row.kubernetes}", f"images-{row.kubernetes}"):
            write_archive(images, folder / "images.tar")

    return cache.once(cache.root() / "images" / f"{row.kubernetes}-{recipe}", make) / "images.tar"


def store(row: Release, progress: Progress) -> Path:
    """containerd's root folder with this release's images imported and unpacked.

    A node's own store is a copy of it: two seconds instead of an import on every node.
    """
    images = archive(row, progress)
    containerd = binaries.containerd(progress)
    recipe = cache.fingerprint(str(images.parent.name), CONTAINERD)

    def make(folder: Path) -> None:
        with progress.step(
            f"fill containerd's store for {row.kubernetes}", f"store-{row.kubernetes}"
        ) as step:
            address = folder / "containerd.sock"
            flags = ["--root", folder / "root", "--state", folder / "state", "--address", address]
            with step.log.open("ab") as log:
                server = subprocess.Popen([containerd / "containerd", *flags], stdout=log, stderr=log)
            try:
                _wait_for(address, server)
                ctr = [containerd / "ctr", "--address", address, "--namespace", "k8s.io"]
                step.run([*ctr, "images", "import", images])
            finally:
                server.terminate()
                server.wait()

    return cache.once(cache.root() / "stores" / f"{row.kubernetes}-{recipe}", make) / "root"


def of_release(row: Release, progress: Progress) -> list[Image]:
    """The images that kubeadm of this release asks for, and the one that tests run in pods."""
    kubernetes = binaries.kubernetes(row.kubernetes, progress)
    etcd = binaries.etcd(row.etcd, progress)
    coredns = binaries.coredns(progress) / "coredns"
    pause = binaries.pause(progress) / "pause"
    debian = rootfs.debian(progress)
    apiserver, controller_manager, scheduler, proxy, etcd_name, coredns_name, pause_name = names(row)
    etcd_programs = {f"usr/local/bin/{name}": etcd / name for name in ("etcd", "etcdctl", "etcdutl")}
    return [
        Image(apiserver, {"usr/local/bin/kube-apiserver": kubernetes / "kube-apiserver"}),
        Image(
            controller_manager,
            {"usr/local/bin/kube-controller-manager": kubernetes / "kube-controller-manager"},
        ),
        Image(scheduler, {"usr/local/bin/kube-scheduler": kubernetes / "kube-scheduler"}),
        _kube_proxy(proxy, kubernetes / "kube-proxy", debian),
        Image(etcd_name, etcd_programs),
        Image(coredns_name, {"coredns": coredns}, entrypoint=["/coredns"]),
        Image(pause_name, {"pause": pause}, entrypoint=["/pause"]),
        _busybox(debian),
    ]


def _kube_proxy(name: str, program: Path, debian: Path) -> Image:
    """kube-proxy with iptables and its modules, conntrack, modprobe, a shell, and the libraries of all."""
    modules = sorted((debian / "usr/lib/x86_64-linux-gnu/xtables").glob("*.so"))
    tools = [debian / "usr/sbin" / tool for tool in ("xtables-nft-multi", "conntrack")]
    tools += [debian / "usr/bin" / tool for tool in ("kmod", "dash")]
    files = {str(file.relative_to(debian)): file for file in (*tools, *modules)}
    # libxt_statistic needs libm: without it every Service is dead and kube-proxy still calls itself healthy.
    files |= _libraries([*tools, *modules], debian)
    calls = [f"{base}{suffix}" for base in ("iptables", "ip6tables") for suffix in ("", "-save", "-restore")]
    links = {f"usr/sbin/{call}": "xtables-nft-multi" for call in calls}
    links |= {"usr/sbin/modprobe": "../bin/kmod", "usr/bin/sh": "dash"}
    links |= {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
    files["usr/local/bin/kube-proxy"] = program
    path = "/usr/local/bin:/usr/sbin:/usr/bin"
    return Image(name, files, links, path=path, folders=["tmp", "run", "etc"])


def _busybox(debian: Path) -> Image:
    """A shell and its tools, a web server, and clients of DNS and the web.

    Debian's static busybox crashes where it looks up a name or an address, as its wget and nc do; its
    nslookup goes another way. Hence curl and getent.
    """
    program = debian / "usr/bin/busybox"
    told = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    links = {f"bin/{applet}": "busybox" for applet in told.stdout.split() if applet != "busybox"}
    clients = [debian / "usr/bin" / name for name in ("curl", "getent")]
    files = {"bin/busybox": program, **{str(file.relative_to(debian)): file for file in clients}}
    files |= _libraries(clients, debian)
    links |= {"lib": "usr/lib", "lib64": "usr/lib64"}
    return Image(BUSYBOX, files, links, ["/bin/sh"], path="/bin:/usr/bin", folders=["tmp", "etc"])


def _libraries(programs: Sequence[Path], debian: Path) -> dict[str, Path]:
    """The shared libraries of programs of that root: the path that the loader asks for, and the file."""
    inside = [f"/{program.relative_to(debian)}" for program in programs]
    told = _in_root(debian, "ldd", *inside)
    asked = sorted({word for word in told.split() if word.startswith("/") and not word.endswith(":")})
    real = _in_root(debian, "realpath", *asked).split()
    usr = [word.lstrip("/") if word.startswith("/usr") else f"usr{word}" for word in asked]
    return {name: debian / file.lstrip("/") for name, file in zip(usr, real, strict=True)}


def _in_root(debian: Path, *argv: str) -> str:
    return subprocess.run(["chroot", debian, *argv], capture_output=True, text=True, check=True).stdout


def write_archive(images: Sequence[Image], path: Path) -> None:
    """Write the images as one docker-archive; the same input gives the same bytes."""
    manifest = []
    written: set[str] = set()
    with tarfile.open(path, "w") as out:
        for image in images:
            layer = path.with_name("layer.tar")
            _write_layer(image, layer)
            with layer.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            config = json.dumps(
                {
                    "architecture": "amd64",
                    "os": "linux",
                    "config": {"Env": [f"PATH={image.path}"], "Entrypoint": list(image.entrypoint)},
                    "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
                    "history": [{"created_by": "the lab"}],
                }
            ).encode()
            config_name = f"{hashlib.sha256(config).hexdigest()}.json"
            _add(out, config_name, config)
            if digest not in written:
                out.add(layer, f"{digest}.tar", filter=_plain)
                written.add(digest)
            layer.unlink()
            manifest.append({"Config": config_name, "RepoTags": [image.name], "Layers": [f"{digest}.tar"]})
        _add(out, "manifest.json", json.dumps(manifest).encode())


def _write_layer(image: Image, path: Path) -> None:
    parents = {str(parent) for name in (*image.files, *image.links) for parent in Path(name).parents}
    with tarfile.open(path, "w") as layer:
        for name in sorted((parents | set(image.folders)) - {"."}):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            layer.addfile(folder)
        for name, target in sorted(image.links.items()):
            link = tarfile.TarInfo(name)
            link.type, link.linkname, link.mode = tarfile.SYMTYPE, target, 0o777
            layer.addfile(link)
        for name, source in sorted(image.files.items()):
            layer.add(source, name, filter=_plain)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _add(out: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    out.addfile(member, io.BytesIO(data))


def _wait_for(socket: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise LabError("containerd did not start")
        time.sleep(0.1)
