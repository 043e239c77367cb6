"""An apt repository per minor, of the shape of pkgs.k8s.io and signed, with kubeadm, kubelet and kubectl."""

import shutil
from pathlib import Path

from tests.lab import cache, machine
from tests.lab.progress import Progress, Step
from tests.lab.recipes import binaries
from tests.lab.versions import Release

SIGNER = "Kubernetes lab <lab@localhost>"
NAMES = ("kubeadm", "kubelet", "kubectl")
FILES = cache.FILES / "packages"  # FILES/NAME/ is laid over the package's root


def repository(row: Release, progress: Progress) -> Path:
    """The repository's folder of one minor, also linked into `web_root()`: Packages, InRelease, debs, key."""
    programs = binaries.kubernetes(row.kubernetes, progress)
    key = signing_key(progress)
    recipe = cache.fingerprint(Path(__file__), FILES, key.read_text(encoding="utf-8"))

    def make(folder: Path) -> None:
        machine.ensure(["apt-utils", "gnupg", "dpkg"], progress)
        with progress.step(f"make the packages of {row.kubernetes}", f"packages-{row.kubernetes}") as step:
            for name in NAMES:
                _package(name, f"{row.kubernetes}-1.1", programs / name, folder, step)
            _index(folder, step)
            shutil.copy(key, folder / "Release.key")

    made = cache.once(cache.root() / "repositories" / f"{row.kubernetes}-{recipe}", make)
    _serve(made, row.minor)
    return made


def web_root() -> Path:
    """What the labs' web servers offer: core:/stable:/vMINOR/deb/ of every minor that was made."""
    folder = cache.root() / "repositories" / "web"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def signing_key(progress: Progress) -> Path:
    """The public key (armoured) of this machine's lab repositories; the pair is made on first use."""

    def make(folder: Path) -> None:
        machine.ensure(["gnupg"], progress)
        with progress.step("make a key for the package repositories", "signing-key") as step:
            folder.chmod(0o700)
            gpg = ["gpg", "--homedir", folder, "--batch"]
            step.run([*gpg, "--passphrase", "", "--quick-generate-key", SIGNER, "rsa3072", "sign", "never"])
            (folder / "public.asc").write_text(step.run([*gpg, "--armor", "--export", SIGNER]))
            step.run(["gpgconf", "--homedir", folder, "--kill", "all"])

    return cache.once(cache.root() / "signing-key", make) / "public.asc"


def _serve(repository: Path, minor: str) -> None:
    link = web_root() / "core:/stable:" / f"v{minor}" / "deb"
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(".deb.fresh")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(repository)
    fresh.rename(link)


def _package(name: str, version: str, program: Path, out: Path, step: Step) -> None:
    root = out / f".{name}"
    (root / "usr/bin").mkdir(parents=True)
    if (FILES / name).exists():
        shutil.copytree(FILES / name, root, dirs_exist_ok=True)
    (root / "DEBIAN").mkdir(exist_ok=True)
    depends = "Depends: iptables, mount, util-linux\n" if name == "kubelet" else ""
    control = (
        f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: {SIGNER}\n{depends}"
        f"Section: admin\nPriority: optional\nDescription: {name} of Kubernetes, as built for the lab\n"
    )
    (root / "DEBIAN/control").write_text(control, encoding="utf-8")
    shutil.copy(program, root / "usr/bin" / name)
    step.run(
        [
            "dpkg-deb",
            "-Zgzip",
            "-z1",
            "--root-owner-group",
            "--build",
            root,
            f"{out}/{name}_{version}_amd64.deb",
        ]
    )
    shutil.rmtree(root)


def _index(folder: Path, step: Step) -> None:
    (folder / "Packages").write_text(step.run(["apt-ftparchive", "packages", "."], cwd=folder))
    step.run(["gzip", "--keep", "Packages"], cwd=folder)
    (folder / "Release").write_text(step.run(["apt-ftparchive", "release", "."], cwd=folder))
    home = cache.root() / "signing-key"
    gpg = ["gpg", "--homedir", home, "--batch", "--local-user", SIGNER]
    step.run([*gpg, "--clearsign", "--output", "InRelease", "Release"], cwd=folder)
    step.run(["gpgconf", "--homedir", home, "--kill", "all"])
