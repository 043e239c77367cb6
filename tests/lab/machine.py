"""This machine's own packages: what the lab needs is installed when it is missing, and said."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.progress import Progress

# What runs the nodes; the rest is asked for where it is used.
RUNTIME = ("podman", "runc", "conmon", "iproute2", "iptables", "util-linux", "haproxy")

INOTIFY = {"max_user_instances": 4096, "max_user_watches": 524288}


def ensure(packages: Sequence[str], progress: Progress) -> None:
    """Install those Debian packages that this machine lacks; LabError without root or where apt fails."""
    with cache.locked(cache.root() / ".apt.lock"):
        missing = [package for package in packages if not _installed(package)]
        if not missing:
            return
        if os.geteuid() != 0:
            raise LabError(f"root is needed to install {', '.join(missing)}")
        with progress.step(f"install OS packages on this machine: {', '.join(missing)}", "apt") as step:
            env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            step.run(["apt-get", "update", "-qq"], env=env)
            step.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], env=env)
        if "haproxy" in missing and shutil.which("systemctl"):
            # Debian starts a service of its own; the lab runs one process per lab instead.
            subprocess.run(["systemctl", "disable", "--now", "haproxy"], capture_output=True, check=False)


def allow_many_watchers(progress: Progress) -> None:
    """Raise this machine's inotify limits where they are low.

    All nodes share those of root, and with 128 instances a fourth kube-proxy ends with «too many open files».
    """
    for name, needed in INOTIFY.items():
        setting = Path("/proc/sys/fs/inotify", name)
        present = int(setting.read_text(encoding="utf-8"))
        if present < needed:
            progress.say(f"raises fs.inotify.{name} of this machine from {present} to {needed}")
            setting.write_text(str(needed), encoding="utf-8")


def _installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f", "${Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "install ok installed"
