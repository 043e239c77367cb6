"""The Debian root that nodes are made of, as a folder."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab import cache, machine
from tests.lab.progress import Progress
from tests.lab.versions import DEBIAN

# What a small Debian server has that is to become a node, and busybox for the image that tests run in pods.
PACKAGES = (
    *(
        "systemd",
        "systemd-sysv",
        "dbus",
        "apt-utils",
        "ca-certificates",
        "gnupg",
        "curl",
        "openssl",
        "procps",
    ),
    *("util-linux", "mount", "kmod", "iproute2", "iptables", "conntrack", "ethtool", "socat"),
    *("containernetworking-plugins", "runc", "busybox-static", "zstd"),
)
UNNEEDED = ("var/cache/apt/archives", "usr/share/doc", "usr/share/man", "usr/share/locale")


def debian(progress: Progress) -> Path:
    """The folder with a bare Debian and the packages that a node needs."""
    return bootstrapped(DEBIAN, PACKAGES, progress)


def bootstrapped(
    name: str, packages: Sequence[str], progress: Progress, commands: Sequence[str] = ()
) -> Path:
    """The folder with a bare Debian and these packages, made by debootstrap.

    name: what it is called in the cache. commands: of a shell in it, once the packages are there.
    """
    recipe = cache.fingerprint(DEBIAN, *packages, *UNNEEDED, *commands)

    def make(folder: Path) -> None:
        machine.ensure(["debootstrap"], progress)
        with progress.step(f"make a Debian root ({name}, about 2 minutes)", "debootstrap") as step:
            include = f"--include={','.join(packages)}"
            step.run(["debootstrap", "--variant=minbase", include, DEBIAN, folder, *_mirror()])
            for command in commands:
                step.run(["chroot", folder, "sh", "-c", command])
            for part in UNNEEDED:
                shutil.rmtree(folder / part, ignore_errors=True)
            (folder / "var/cache/apt/archives/partial").mkdir(parents=True)

    return cache.once(cache.root() / "rootfs" / f"{name}-{recipe}", make)


def _mirror() -> list[str]:
    """The mirror that this machine's apt uses for the same Debian; nothing where it uses none."""
    query = ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)"]
    env = {**os.environ, "LC_ALL": "C"}
    told = subprocess.run(
        [*query, "Created-By: Packages"], capture_output=True, text=True, env=env, check=False
    )
    for line in told.stdout.splitlines():
        codename, component, uri = line.split(" ", 2)
        if (codename, component) == (DEBIAN, "main"):
            return [uri]
    return []
