"""A made-up control-plane node for the worker of a restore: directories, a kubelet, an etcd, time."""

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.etcd.restore.on_nodes import steps
from kubectl_admin.node.script import Script
from tests.fakes.host import Shell

ID = "0123456789"
PREFIX = f"/kubectl-admin/restore/{ID}/"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
WORKER = Script("etcd", "restore-worker")
END_TIMEOUT = 300  # seconds; one takes less than one on an idle machine
DEADLINE = 1000  # seconds of the node's own time, which only passes while its worker sleeps

# Before each program that changes something: is all as it must be, and is it the moment to be killed?
CHECK = """
read -r calls < WORLD/calls
calls=$((calls + 1))
echo "$calls" > WORLD/calls
echo "${0##*/} $*" >> WORLD/log
violation() { echo "$1, before ${0##*/} $*" >> WORLD/violations; }
read -r kubelet < WORLD/kubelet
side=''
if [ -e WORLD/data/member ]; then
  read -r side < WORLD/data/member/side
else
  [ ! -e WORLD/manifests/etcd.yaml ] || violation "etcd.yaml without data"
  [ "$kubelet" != active ] || violation "a kubelet without data"
fi
if [ -e WORLD/manifests/kube-apiserver.yaml ] && [ "$side" = new ]; then
  read -r majority < WORLD/majority
  [ "$(grep -c /ack/ WORLD/keys-new)" -ge "$majority" ] || violation "an API server on restored data"
fi
read -r kill_at < WORLD/kill-at
if [ "$calls" = "$kill_at" ]; then
  read -r worker < WORLD/pid
  kill -KILL "$worker"
  exit 1
fi
"""
REAL = CHECK + 'PATH=${PATH#*:}\nexec "${0##*/}" "$@"\n'
# It acts at once: what a kubelet starts is there.
SYSTEMCTL = (
    CHECK
    + """
case "$*" in
  "is-active kubelet.service") echo "$kubelet" ;;
  "stop kubelet.service") [ -e WORLD/stuck ] || echo inactive > WORLD/kubelet ;;
  "start --no-block kubelet.service") echo active > WORLD/kubelet ;;
  "disable kubectl-admin-restore.service") echo disabled > WORLD/unit ;;
  *) exit 9 ;;
esac
"""
)
# The member that runs, or another node's; a side that is silent has no majority.
ETCDCTL = (
    CHECK
    + """
endpoint=${1#--endpoints=}
shift 6
if [ "$endpoint" = https://127.0.0.1:2379 ]; then
  [ -e WORLD/manifests/etcd.yaml ] && [ "$kubelet" = active ] && [ ! -e WORLD/silent-$side ] || exit 1
  keys=WORLD/keys-$side
else
  keys=WORLD/${endpoint#https://}
  [ -e "$keys" ] || exit 1
fi
put() {
  if [ -e "$keys-full" ]; then echo "etcdserver: mvcc: database space exceeded" >&2; exit 1; fi
  grep -qx -- "$1" "$keys" || echo "$1" >> "$keys"
}
case "$1 $2" in
  "get --prefix") sed 's/$/\\n/' "$keys" ;;
  "put "*) put "$2"; echo OK ;;
  "alarm disarm") rm -f "$keys-full" ;;
  "member list") cat "WORLD/members-$side" ;;
  "txn ")
    read -r compared
    read -r _
    read -r _ key _
    compared=${compared#*\\"}
    if grep -qx -- "${compared%%\\"*}" "$keys"; then put "$key"; echo SUCCESS; else echo FAILURE; fi ;;
  *) exit 9 ;;
esac
"""
)
# Nobody waits, and time passes all the same.
SLEEP = """
read -r now _ < WORLD/proc/uptime
if [ "$now" -ge DEADLINE ]; then kill -KILL "$(cat WORLD/pid)"; fi
echo "$((now + 1)) 0" > WORLD/proc/uptime.part
PATH=${PATH#*:}
mv WORLD/proc/uptime.part WORLD/proc/uptime
if [ -e WORLD/at-$((now + 1)) ]; then . WORLD/at-$((now + 1)); fi
"""
CURL = """[ -e WORLD/manifests/kube-apiserver.yaml ] && [ "$(cat WORLD/kubelet)" = active ]\n"""


@dataclass
class World:
    """The node cp-1 of several. folder: where all of it is."""

    shell: Shell
    folder: Path
    count: int

    def __post_init__(self) -> None:
        for name in ("dir", "data", "manifests", "bin", "proc/sys/kernel/random"):
            (self.folder / name).mkdir(parents=True)
        programs = dict.fromkeys(("mv", "sync", "mkdir"), REAL) | {"sleep": SLEEP, "curl": CURL}
        for name, text in (programs | {"systemctl": SYSTEMCTL}).items():
            self._program(f"bin/{name}", text)
        self._program("dir/etcdctl", ETCDCTL)
        self.write("calls", "0\n")
        self.write("kill-at", "0\n")
        self.write("kubelet", "active\n")
        self.write("majority", f"{self.count // 2 + 1}\n")
        self.write("proc/uptime", "100 0\n")
        self.write("proc/sys/kernel/random/boot_id", "a-boot\n")
        for side in ("old", "new"):
            listed = [f"{node}a, started, {node}, {url}, -, false\n" for node, url in self.urls()]
            self.write(f"members-{side}", "".join(listed))
        self.keys("old")
        self.keys("new")
        self.write("dir/steps", steps.text())
        self.write("dir/worker", WORKER.text())
        self.write("dir/plan", self.plan())
        for component in COMPONENTS:
            self.write(f"manifests/{component}.yaml", f"{component}\n")
        self.write("manifests/kube-vip.yaml", "another\n")
        for side, directory in {"old": "member", "new": f".kubectl-admin-{ID}-new"}.items():
            self.write(f"data/{directory}/side", f"{side}\n")
            self.write(f"data/{directory}/snap/db", f"{side}\n")

    def _program(self, name: str, text: str) -> None:
        text = text.replace("WORLD", str(self.folder)).replace("DEADLINE", str(DEADLINE))
        self.write(name, f"#!/bin/sh\n{text}")
        (self.folder / name).chmod(0o755)

    @property
    def nodes(self) -> list[str]:
        return [f"cp-{number}" for number in range(1, self.count + 1)]

    def urls(self) -> list[tuple[str, str]]:
        return [(node, f"https://10.0.0.{number}:2380") for number, node in enumerate(self.nodes, 1)]

    def plan(self, **others: object) -> str:
        """The plan file. others: keys instead of the usual ones."""
        values = {
            "id": ID,
            "node": "cp-1",
            "nodes": " ".join(self.nodes),
            "data": self.folder / "data",
            "endpoint": "https://127.0.0.1:2379",
            "cacert": "/pki/ca.crt",
            "cert": "/pki/client.crt",
            "key": "/pki/client.key",
            "peers": " ".join(f"{node}=https://{node}" for node in self.nodes[1:]),
            "members": " ".join(f"{node}={url}" for node, url in self.urls()),
            "manifests": self.folder / "manifests",
            "parked": self.folder / "parked",
            "proc": self.folder / "proc",
            "decide": 40,
            "grace": 5,
            "armed": 40,
            "again": 10,
        } | others
        pods = [f"pod {component} {component}.yaml" for component in COMPONENTS]
        lines = [f"{key.replace('_', '-')} {value}" for key, value in values.items()]
        return "\n".join([*lines, *pods, "health kube-apiserver https://127.0.0.1:6443/readyz", ""])

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def keys(self, side: str, *keys: str) -> None:
        """The keys in the etcd of a side: those of other nodes, to begin with."""
        self.write(f"keys-{side}", "".join(f"{PREFIX}{key}\n" for key in keys))

    def peer(self, node: str, *keys: str) -> None:
        """What the etcd of another node answers."""
        self.write(node, "".join(f"{PREFIX}{key}\n" for key in keys))

    def seen(self, side: str) -> set[str]:
        """The keys in the etcd of a side."""
        return {line.removeprefix(PREFIX) for line in self.read(f"keys-{side}").splitlines()}

    def read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def run(self, what: str = "run", kill_at: int = 0) -> "subprocess.CompletedProcess[bytes]":
        """The worker until its end. kill_at: killed at that call of a program that changes something."""
        self.write("kill-at", f"{kill_at}\n")
        self.write("calls", "0\n")
        command = 'echo $$ > "$1/pid"; exec "$2" "$1/dir/worker" "$3"'
        done = subprocess.run(
            [*self.shell.argv, "-c", command, "sh", self.folder, self.shell.argv[0], what],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=self.shell.env(str(self.folder / "bin")),
            timeout=END_TIMEOUT,
        )
        assert self.read("violations") == ""
        return done

    def ended(self, kill_at: int = 0) -> str:
        """Runs the worker, which has to end; its last word."""
        done = self.run(kill_at=kill_at)
        assert (done.returncode, done.stderr) == (0, b""), self.read("dir/log")
        assert (self.read("unit"), self.read("dir/waits")) == ("disabled\n", "nothing\n")
        return self.words()[-1]

    def words(self) -> list[str]:
        """The journal."""
        return [line.split()[-1] for line in self.read("dir/journal").splitlines()]

    def layout(self) -> tuple[str, list[str], str]:
        """The data that etcd runs with, the manifests that the kubelet sees, and whether it runs."""
        manifests = sorted(path.stem for path in (self.folder / "manifests").iterdir())
        for path in (self.folder / "manifests").iterdir():
            assert path.read_text() == f"{'another' if path.stem == 'kube-vip' else path.stem}\n"
        return self.read("data/member/side").strip(), manifests, self.read("kubelet").strip()

    def arrange(self, directories: dict[str, str], manifests: Iterable[str], kubelet: str) -> None:
        """Data by directory, the manifests that the kubelet sees (the others are parked), and the kubelet."""
        shutil.rmtree(self.folder / "data")
        for directory, side in directories.items():
            self.write(f"data/{directory}/side", f"{side}\n")
            self.write(f"data/{directory}/snap/db", f"{side}\n")
        (self.folder / "parked").mkdir()
        for component in set(COMPONENTS) - set(manifests):
            name = f"{component}.yaml"
            (self.folder / "manifests" / name).rename(self.folder / "parked" / name)
        self.write("kubelet", f"{kubelet}\n")
