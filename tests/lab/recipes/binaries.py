"""Programs built from their Go modules (and pause from C), each kept under bin/NAME-VERSION/."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from tests.lab import cache, machine
from tests.lab.errors import LabError
from tests.lab.progress import Progress, Step
from tests.lab.versions import CLOUDNATIVE_PG, CONTAINERD, COREDNS, MORE_ETCD, PAUSE, RELEASES, Release

KUBERNETES_PROGRAMS = (
    "kubeadm",
    "kubelet",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubectl",
)


def everything(progress: Progress) -> None:
    """All programs of all releases, and the etcd versions that stand beside them."""
    for row in RELEASES:
        release(row, progress)
    for version in MORE_ETCD:
        etcd(version, progress)


def release(row: Release, progress: Progress) -> None:
    """All programs that a cluster of this release needs, and no others."""
    kubernetes(row.kubernetes, progress)
    etcd(row.etcd, progress)
    containerd(progress)
    coredns(progress)
    pause(progress)


def kubernetes(version: str, progress: Progress) -> Path:
    """The folder with kubeadm, kubelet, kubectl and the control plane's programs."""
    packages = [f"k8s.io/kubernetes/cmd/{program}" for program in KUBERNETES_PROGRAMS]
    return _built(_Recipe("kubernetes", version, packages, minutes=9), progress)


def etcd(version: str, progress: Progress) -> Path:
    """The folder with etcd, etcdctl and etcdutl."""
    packages = [f"go.etcd.io/etcd/{part}/v3" for part in ("server", "etcdctl", "etcdutl")]
    return _built(_Recipe("etcd", version, packages, minutes=2), progress)


def containerd(progress: Progress) -> Path:
    """The folder with containerd, its shim and ctr."""
    module = "github.com/containerd/containerd/v2"
    packages = [f"{module}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")]
    stamp = f"-X {module}/version.Version=v{CONTAINERD}"
    tags = "no_btrfs,no_devmapper,no_zfs,no_aufs"
    return _built(_Recipe("containerd", CONTAINERD, packages, stamp, tags, minutes=3), progress)


def coredns(progress: Progress) -> Path:
    """The folder with coredns."""
    return _built(_Recipe("coredns", COREDNS, ["github.com/coredns/coredns"], minutes=3), progress)


def cloudnative_pg(progress: Progress) -> Path:
    """The folder with CloudNativePG's operator, `manager`."""
    packages = ["github.com/cloudnative-pg/cloudnative-pg/cmd/manager"]
    return _built(_Recipe("cloudnative-pg", CLOUDNATIVE_PG, packages, minutes=6), progress)


def pause(progress: Progress) -> Path:
    """The folder with pause, linked statically."""
    source = cache.FILES / "pause.c"

    def make(folder: Path) -> None:
        machine.ensure(["gcc", "libc6-dev"], progress)
        with progress.step(f"build pause {PAUSE}", f"build-pause-{PAUSE}") as step:
            define = f'-DVERSION="{PAUSE}"'
            step.run(["gcc", "-static", "-Os", "-Wall", "-s", define, "-o", folder / "pause", source])

    return cache.once(_folder("pause", f"{PAUSE}-{cache.fingerprint(source)}"), make)


@dataclass(frozen=True)
class _Recipe:
    name: str
    version: str
    packages: Sequence[str]
    stamp: str = ""
    tags: str = ""
    minutes: int = 1  # about how long a cold build takes on two cores


def _folder(name: str, version: str) -> Path:
    return cache.root() / "bin" / f"{name}-{version}"


def _built(recipe: _Recipe, progress: Progress) -> Path:
    def make(folder: Path) -> None:
        module = folder / "module"
        module.mkdir()
        title = f"build {recipe.name} {recipe.version} (about {recipe.minutes} minutes on two cores)"
        with progress.step(title, f"build-{recipe.name}-{recipe.version}") as step:
            _compile(recipe, module, folder, step)
        shutil.rmtree(module)

    return cache.once(_folder(recipe.name, recipe.version), make)


def _compile(recipe: _Recipe, module: Path, out: Path, step: Step) -> None:
    env = _environment()
    go_mod, stamp = f"module lab.local/{recipe.name}\n\ngo 1.26.0\n", recipe.stamp
    if recipe.name == "kubernetes":
        go_mod, stamp = _kubernetes_module(recipe.version, step, env), _kubernetes_stamp(recipe.version)
    (module / "go.mod").write_text(go_mod, encoding="utf-8")
    for package in recipe.packages:
        step.run([_go(), "get", f"{package}@v{recipe.version}"], cwd=module, env=env)
    tags = ["-tags", recipe.tags] if recipe.tags else []
    flags = ["-trimpath", "-ldflags", f"-s -w {stamp}", *tags]
    step.run([_go(), "build", *flags, "-o", f"{out}/", *recipe.packages], cwd=module, env=env)
    if (out / "server").exists():  # etcd's main package is called so
        (out / "server").rename(out / "etcd")


def _kubernetes_module(version: str, step: Step, env: dict[str, str]) -> str:
    """A module that needs this Kubernetes, its staging modules taken from where they are published.

    Kubernetes' own go.mod replaces the staging modules (required as v0.0.0) by folders of its repository,
    which a module download does not have; v1.X.Y of one is v0.X.Y of the others.
    """
    step.run([_go(), "mod", "download", f"k8s.io/kubernetes@v{version}"], env=env)
    modules = step.run([_go(), "env", "GOMODCACHE"], env=env).strip()
    theirs = Path(modules, f"cache/download/k8s.io/kubernetes/@v/v{version}.mod").read_text(encoding="utf-8")
    staging = sorted(set(re.findall(r"^\s*(k8s\.io/[a-z0-9-]+) v0\.0\.0(?:\s|$)", theirs, re.MULTILINE)))
    language = re.search(r"^go (\S+)", theirs, re.MULTILINE)
    if not staging or not language:
        raise LabError(f"the go.mod of k8s.io/kubernetes v{version} is not of the known shape")
    published = "v0." + version.split(".", 1)[1]
    minor = ".".join(language[1].split(".")[:2])
    lines = [
        f"module lab.local/kubernetes\n\ngo {language[1]}\n\ngodebug default=go{minor}\n",
        f"require k8s.io/kubernetes v{version}\n\nreplace (",
        *(f"\t{module} => {module} {published}" for module in staging),
        ")",
    ]
    return "\n".join(lines) + "\n"


def _kubernetes_stamp(version: str) -> str:
    major, minor, _ = version.split(".")
    commit = sha1(f"v{version}\n".encode(), usedforsecurity=False).hexdigest()  # stands for the unknown one
    values = {
        "gitVersion": f"v{version}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": commit,
        "buildDate": "2026-01-01T00:00:00Z",
    }
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(f"-X {place}.{key}={value}" for place in places for key, value in values.items())


def _environment() -> dict[str, str]:
    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod -buildvcs=false"}


def go_module(module: str) -> Path:
    """The folder with the source of «PATH@vVERSION»."""
    command = [_go(), "mod", "download", "-json", module]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())
    return Path(json.loads(told.stdout)["Dir"])


def _go() -> str:
    """Go's command, also where its usual folder is not on PATH."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not found:
        raise LabError("Go 1.26 or newer is needed to build Kubernetes, and there is no «go» on PATH")
    return found
