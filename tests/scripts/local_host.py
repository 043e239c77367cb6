"""A made-up control-plane node that restores by itself: manifests as kubeadm writes them, etcd's programs."""

import subprocess
import threading
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from kubectl_admin.etcd.restore.local.script import bare, printed
from kubectl_admin.etcd.restore.local.settings import Peer, Settings
from tests.fakes import control_plane_host
from tests.fakes.host import Shell

ID = "0123456789"
BUMP = 2_000_000_000
SNAPSHOT = b"a snapshot of etcd"
MEMBERS = tuple(
    Peer(f"cp-{each}", f"https://10.0.0.{each}:2380", (f"https://10.0.0.{each}:2379",)) for each in (1, 2, 3)
)
ETCD = """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/etcd.advertise-client-urls: https://10.0.0.1:2379
  labels:
    component: etcd
    tier: control-plane
  name: etcd
  namespace: kube-system
spec:
  containers:
  - command:
    - etcd
    - --advertise-client-urls=https://10.0.0.1:2379
    - --cert-file=/etc/kubernetes/pki/etcd/server.crt
    - --client-cert-auth=true
    - --data-dir=FOLDER/data
    - --initial-advertise-peer-urls=https://10.0.0.1:2380
    - --initial-cluster=cp-1=https://10.0.0.1:2380
    - --key-file=/etc/kubernetes/pki/etcd/server.key
    - --listen-client-urls=https://127.0.0.1:2379,https://10.0.0.1:2379
    - --name=cp-1
    - --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt
    image: registry.k8s.io/etcd:3.6.8-0
    name: etcd
    resources: {}
    volumeMounts:
    - mountPath: FOLDER/data
      name: etcd-data
    - mountPath: /etc/kubernetes/pki/etcd
      name: etcd-certs
  hostNetwork: true
  volumes:
  - hostPath:
      path: FOLDER/kubernetes/pki/etcd
      type: DirectoryOrCreate
    name: etcd-certs
  - hostPath:
      path: FOLDER/data
      type: DirectoryOrCreate
    name: etcd-data
status: {}
"""
APISERVER = """\
apiVersion: v1
kind: Pod
metadata:
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=10.0.0.1
    - --etcd-servers=https://127.0.0.1:2379
    - --secure-port=6443
    image: registry.k8s.io/kube-apiserver:v1.36.3
    name: kube-apiserver
    ports:
    - containerPort: 6443
      name: probe-port
      protocol: TCP
    readinessProbe:
      failureThreshold: 3
      httpGet:
        host: 10.0.0.1
        path: /readyz
        port: probe-port
        scheme: HTTPS
  hostNetwork: true
status: {}
"""
OTHER = """\
apiVersion: v1
kind: Pod
metadata:
  labels:
    component: NAME
  name: NAME
  namespace: kube-system
spec:
  containers:
  - command:
    - NAME
    - --leader-elect=true
    image: registry.k8s.io/NAME:v1.36.3
    name: NAME
status: {}
"""
ETCDUTL = """#!/bin/sh
case "$*" in
  version) echo "etcdutl version: 3.6.8"; exit ;;
  *--help) echo "FLAGS"; exit ;;
  "snapshot restore "*) ;;
  "snapshot status "*/now.db*--write-out=json)
    [ -e FOLDER/live ] || { echo "panic: page 3 already freed" >&2; exit 2; }
    echo "{\\"hash\\":7,\\"revision\\":$(cat FOLDER/live),\\"totalKey\\":3,\\"totalSize\\":4096}"; exit ;;
  "snapshot status "*--write-out=json)
    echo '{"hash":7,"revision":2000000074,"totalKey":3,"totalSize":4096}'; exit ;;
  "snapshot status "*) [ ! -e FOLDER/damaged ]; exit ;;
  *) exit 9 ;;
esac
echo "$*" >> FOLDER/asked
[ ! -e FOLDER/broken ] || { echo "Error: snapshot is broken" >&2; exit 1; }
for word; do case $word in --data-dir=*) directory=${word#*=} ;; esac; done
mkdir -p "$directory/member/snap"
cp "$3" "$directory/member/snap/db"
"""
# Other members can't be dialled, unless there is a file of their address.
ETCDCTL = """#!/bin/sh
if [ "$*" = version ]; then echo "etcdctl version: 3.6.8"; exit; fi
url=${1#--endpoints=https://}
shift 6
case "$1 $2" in
  "endpoint status")
    if [ "$url" = 127.0.0.1:2379 ]; then
      echo "[{\\"Status\\":{\\"header\\":{\\"revision\\":$(cat FOLDER/live)}}}]"
    elif [ -e "FOLDER/up-$url" ]; then
      cat "FOLDER/up-$url"; exit 1
    else
      echo 'desc = "transport: Error while dialing: dial tcp: connect: connection refused"'; exit 1
    fi ;;
  "get "*) [ -e FOLDER/quorum ] ;;
  "member list") cat FOLDER/quorum ;;
  "snapshot save") [ ! -e FOLDER/mute ] && echo saved > "$3" ;;
  *) exit 9 ;;
esac
"""
# What a kubelet and a worker do meanwhile: a word of the journal a second.
SLEEP = """#!/bin/sh
read -r word < FOLDER/words || exit 0
sed -i 1d FOLDER/words
echo etcd > FOLDER/var/restore/waits
echo "1764500002 $word" >> FOLDER/var/restore/journal
"""
# As etcd has members in its file, among other bytes.
DATABASE = b"\x00\x01live\xff" + b"".join(
    b'\x008e9e{"id":%d,"peerURLs":["https://10.0.0.%d:2380"],"name":"cp-%d","clientURLs":["https://10.0.0.%d:2379"]}'
    % (each, each, each, each)
    for each in (1, 2, 3)
)
LISTENS = "  sl  local_address rem_address   st\n   0: 0100007F:094B 00000000:0000 0A\n"


@dataclass
class LocalHost:
    """The node cp-1 in a folder."""

    shell: Shell
    folder: Path
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def __post_init__(self) -> None:
        control_plane_host.make(self.folder)
        (self.folder / "data/member/snap/db").write_bytes(DATABASE)
        for name in ("kubernetes/manifests", "kubernetes/pki/etcd", "kubelet"):
            (self.folder / name).mkdir(parents=True)
        for name in ("ca.crt", "server.crt", "server.key"):
            self.write(f"kubernetes/pki/etcd/{name}", f"{name}\n")
        self.write("kubelet/config.yaml", f"staticPodPath: {self.folder}/kubernetes/manifests\n")
        for name, text in {
            "etcd": ETCD,
            "kube-apiserver": APISERVER,
            **{name: OTHER.replace("NAME", name) for name in ("kube-controller-manager", "kube-scheduler")},
        }.items():
            self.write(f"kubernetes/manifests/{name}.yaml", text)
        self.write("proc/net/tcp", "")
        self.write("live", "50\n")
        self.write("words", "going\ncommitted\nserving\nrestored\n")
        self.write("snapshot.db", SNAPSHOT.decode())
        self.program("bin/sleep", SLEEP)
        self.start_etcd()

    def start_etcd(self) -> None:
        """A process that is etcd's to whoever looks."""
        process = subprocess.Popen(["/bin/sleep", "1000"])
        threading.Thread(target=process.wait, daemon=True).start()
        self.processes.append(process)
        there = f"proc/{process.pid}"
        self.write(f"{there}/comm", "etcd\n")
        self.write(f"{there}/cgroup", f"0::/kubepods.slice/pod{'0f' * 16}/cri-1.scope\n")
        root = self.folder / there / "root"
        self.program(f"{there}/root/usr/local/bin/etcdctl", ETCDCTL)
        self.program(
            f"{there}/root/usr/local/bin/etcdutl", ETCDUTL.replace("FLAGS", "--initial-memory-map-size")
        )
        inside = root / str(self.folder / "data")[1:]
        inside.parent.mkdir(parents=True)
        inside.symlink_to(self.folder / "data")
        # The other stand-in of these tests has an etcd that no process is.
        for each in ("11", "12"):
            (self.folder / f"proc/{each}/cgroup").write_text("0::/another\n")

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("FOLDER", str(self.folder)))

    def program(self, name: str, text: str) -> None:
        self.write(name, text)
        (self.folder / name).chmod(0o755)

    def manifest(self, name: str, old: str, new: str) -> None:
        """Changes a manifest."""
        path = self.folder / f"kubernetes/manifests/{name}.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def settings(self, **others: object) -> Settings:
        usual: dict[str, object] = {
            "id": ID,
            "digest": sha256(SNAPSHOT).hexdigest(),
            "revision": 74,
            "bump": BUMP,
            "members": MEMBERS,
        }
        return Settings(**(usual | others))  # type: ignore[arg-type]

    def text(self, settings: Settings | None) -> str:
        """The script, whose paths lead into the folder."""
        text = printed(settings, "1.0") if settings else bare()
        for path, there in {
            "proc=/proc ": f"proc={self.folder}/proc ",
            "/proc/": f"{self.folder}/proc/",
            "/run/systemd/system": f"{self.folder}/systemd",
            "/etc/systemd/system": f"{self.folder}/etc",
            "/var/lib/kubectl-admin": f"{self.folder}/var",
            "/var/lib/kubelet": f"{self.folder}/kubelet",
            "/etc/kubernetes/pki/ca.crt": f"{self.folder}/kubernetes/pki/ca.crt",
            "/var/lib/containerd": f"{self.folder}/containerd",
        }.items():
            assert path in text
            text = text.replace(path, there)
        return text

    def run(
        self, *arguments: str | Path, settings: Settings | None = None, bare: bool = False
    ) -> "subprocess.CompletedProcess[str]":
        """The script with these arguments."""
        self.write("restore.sh", "")
        (self.folder / "restore.sh").write_text(self.text(None if bare else settings or self.settings()))
        return subprocess.run(
            [*self.shell.argv, self.folder / "restore.sh", *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.shell.env(str(self.folder / "bin")),
            cwd="/",
            timeout=120,
        )

    def seen(self) -> dict[str, str]:
        """Everything that a refusal leaves as it is."""
        kept = ("data", "var", "etc", "kubernetes", "systemd/units", "systemd/enabled")
        files = [path for name in kept for path in (self.folder / name).rglob("*")]
        changed = (
            [
                line
                for line in (self.folder / "systemd/log").read_text().splitlines()
                if line.split()[0] in ("start", "stop", "enable", "disable", "restart")
            ]
            if (self.folder / "systemd/log").exists()
            else []
        )
        alive = [str(process.poll()) for process in self.processes]
        return {
            **{str(path): path.read_text(errors="replace") if path.is_file() else "" for path in files},
            "asked": " ".join([*changed, *alive]),
        }
