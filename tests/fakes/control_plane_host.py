"""A control plane's host in a folder, with stand-ins for systemd and the processes of etcd and kubelet."""

from collections.abc import Iterable
from pathlib import Path

from kubectl_admin.cluster.exec import Exec
from kubectl_admin.etcd.restore.on_nodes.status import DIRECTORY, UNITS
from tests.fakes.host import Machine

CONTAINER = "c0ffee" * 8  # the id of etcd's
# Units are files that hold their state; what a started worker writes into its journal is in `first`, and what
# one that is stopped has written in `last`.
SYSTEMCTL = """#!/bin/sh
cd FOLDER/systemd || exit 9
echo "$*" >> log
name=$2
case $1 in
  show) echo "MainPID=$(cat main 2> /dev/null || echo 0)"; echo NRestarts=0 ;;
  is-active) cat "units/$name" 2> /dev/null || { echo inactive; exit 3; }
    [ "$(cat "units/$name")" = active ] ;;
  is-enabled) [ -e "enabled/$name" ] && echo enabled || { echo disabled; exit 1; } ;;
  enable) [ -e "FOLDER/etc/$name" ] && : > "enabled/$name" ;;
  disable) rm -f "enabled/$name" ;;
  start) echo active > "units/$name"; cat first >> FOLDER/var/restore/journal 2> /dev/null || : ;;
  stop) rm -f "units/$name"; cat last >> FOLDER/var/restore/journal 2> /dev/null || : ;;
  list-units | daemon-reload) ;;
  *) exit 9 ;;
esac
"""
# A job is done when its start is.
SYSTEMD_RUN = """#!/bin/sh
while :; do case $1 in --*) shift ;; *) break ;; esac; done
"$@" > /dev/null 2>&1 < /dev/null
:
"""


def make(folder: Path, programs: Path | None = None) -> None:
    """The host's files. programs: with etcdctl and etcdutl, for etcd's container."""
    for name in ("systemd/units", "systemd/enabled", "bin", "etc", "proc/11/root/usr/local/bin", "var"):
        (folder / name).mkdir(parents=True)
    (folder / "data/member/snap").mkdir(parents=True)
    (folder / "data/member/snap/db").write_bytes(b"live")
    (folder / "data/member").chmod(0o750)
    (folder / "proc/uptime").write_text("100.5 0\n")
    (folder / "proc/11/cgroup").write_text(f"0::/kubepods/pod{'0' * 32}/{CONTAINER}\n")
    (folder / "proc/11/comm").write_text("etcd\n")
    (folder / "proc/12").mkdir()
    (folder / "proc/12/cgroup").write_text("0::/kubepods/another\n")
    (folder / "proc/12/comm").write_text("etcd\n")
    for name, text in {"systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN}.items():
        (folder / "bin" / name).write_text(text.replace("FOLDER", str(folder)))
        (folder / "bin" / name).chmod(0o755)
    (folder / "systemd/first").write_text("1764500001 armed\n")
    for name in ("etcdctl", "etcdutl") if programs else ():
        (root(folder) / "usr/local/bin" / name).symlink_to(programs / name)
    # Etcd sees its data under the same path.
    inside = root(folder) / str(folder / "data")[1:]
    inside.parent.mkdir(parents=True)
    inside.symlink_to(folder / "data")


def root(folder: Path) -> Path:
    """The root of etcd's container."""
    return folder / "proc/11/root"


class ControlPlaneHost(Machine):
    """The same as the only node of a cluster; the paths of all scripts lead into the folder."""

    def __init__(self, folder: Path, path: str) -> None:
        super().__init__(f"{folder}/bin:{path}", systemd=f"{folder}/systemd")
        self.folder = folder

    def exec(self, *where: str, stdin: Iterable[bytes] | None, timeout: float | None) -> Exec:
        *rest, command = where
        words = [
            word.replace("/proc/", f"{self.folder}/proc/")
            .replace(DIRECTORY, f"{self.folder}/var/restore")
            .replace(UNITS, f"{self.folder}/etc")
            for word in command
        ]
        return super().exec(*rest, words, stdin=stdin, timeout=timeout)  # type: ignore[arg-type]
