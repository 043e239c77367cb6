"""etcd and kube-apiserver as processes on this machine, at addresses that only this machine has.

A lab's addresses are a block of the range for benchmarks (RFC 2544, routed by nobody) that a «local» route
makes this machine's own: every node has a distinct address, servers can listen on those of control planes,
and where nobody listens, as on the kubelets' ports, a connection is refused at once and never leaves.
"""

import contextlib
import os
import signal
import ssl
import subprocess
import time
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from urllib.request import urlopen

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.progress import last_words

BLOCKS = tuple(IPv4Network("198.18.0.0/15").subnets(new_prefix=19))
MARK = "KUBECTL_ADMIN_LAB_FOLDER"  # in the environment of every process of a lab
PATIENCE = 120.0  # seconds until a server must be ready; it takes 5 on an idle machine
DEATH = 60.0  # seconds until a killed process must be gone
# Sets the host's name, by which API servers tell each other apart, for one process and its children.
AS_HOST = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"')


def claim_block(labs: Path, file: Path) -> IPv4Network:
    """A block of addresses that no lab in the folder `labs` has, noted in `file` and made this machine's.

    Raises LabError when all are taken, or without root.
    """
    with cache.locked(labs / ".network.lock"):
        taken = {other.read_text() for other in labs.glob(f"*/{file.parent.name}/{file.name}")}
        block = next((block for block in BLOCKS if str(block) not in taken), None)
        if block is None:
            raise LabError(f"all {len(BLOCKS)} blocks of addresses are taken by other labs")
        # Noted before it is made, so that a cut-off lab gives it back all the same.
        file.write_text(str(block))
    route("replace", block)
    return block


def give_back_block(file: Path) -> None:
    """Undo claim_block; nothing where there is nothing."""
    with contextlib.suppress(FileNotFoundError):
        block = IPv4Network(file.read_text())
        if str(block) in subprocess.check_output(["ip", "route", "show", "table", "local"], text=True):
            route("delete", block)
        file.unlink()


def start(folder: Path, name: str, command: Sequence[str | Path], *, host: str | None = None) -> int:
    """Start a server of the lab of this folder that outlives this process, with the log logs/NAME.log.

    host: the name under which it sees this machine. Returns the process' number.
    """
    argv = [*([*AS_HOST, host] if host else []), *map(str, command)]
    environment = {"PATH": os.environ["PATH"], MARK: f"{folder}:{name}"}
    log = log_of(folder, name)
    log.parent.mkdir(exist_ok=True)
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawnp(argv[0], argv, environment, file_actions=streams, setsid=True)


def await_ready(process: int, log: Path, url: str, context: ssl.SSLContext | None) -> None:
    """Return when a started server's health check answers 200; LabError if it has ended or takes too long."""
    name, end = log.stem, time.monotonic() + PATIENCE
    while not healthy(url, context):
        # Not looked for by its environment, which can't be read while it becomes another program.
        if os.waitpid(process, os.WNOHANG)[0]:
            raise LabError(f"{name} has ended: {last_words(log)}", log)
        if time.monotonic() > end:
            raise LabError(f"{name} is not ready after {PATIENCE:.0f} s: {last_words(log)}", log)
        time.sleep(0.1)


def healthy(url: str, context: ssl.SSLContext | None) -> bool:
    """Whether a health check answers 200."""
    try:
        with urlopen(url, timeout=5, context=context) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def stop(folder: Path, name: str | None = None) -> None:
    """Kill a server of the lab of this folder, or all of them; they are gone on return."""
    end = time.monotonic() + DEATH
    while found := processes(folder, name):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end:
            raise LabError(f"processes of {folder} can't be killed: {', '.join(map(str, found))}")
        time.sleep(0.02)


def processes(folder: Path, name: str | None = None) -> list[int]:
    """The processes of a server, or of all, by their environment: no list of them can be out of date."""
    mark = f"{MARK}={folder}:".encode() + (f"{name}\0".encode() if name else b"")
    found = []
    for entry in Path("/proc").iterdir():
        # A process may end while it is looked at, or be somebody else's.
        with contextlib.suppress(OSError):
            if entry.name.isdecimal() and mark in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def log_of(folder: Path, name: str) -> Path:
    """Where a server of the lab of this folder writes what it has to say."""
    return folder / "logs" / f"{name}.log"


def etcd_command(program: Path, folder: Path, name: str, address: str) -> list[str | Path]:
    """etcd as the only member; it never waits for the disk, since what it holds is worth nothing."""
    pki, client, peer = folder / "pki", f"https://{address}:2379", f"http://{address}:2380"
    return [
        program,
        f"--name={name}",
        f"--data-dir={folder}/etcd",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={name}={peer}",
        f"--cert-file={pki}/server.crt",
        f"--key-file={pki}/server.key",
        f"--trusted-ca-file={pki}/ca.crt",
        "--client-cert-auth",
        "--unsafe-no-fsync",
        f"--quota-backend-bytes={8 << 30}",
    ]


def apiserver_command(program: Path, pki: Path, address: str, etcd: str) -> list[str | Path]:
    """kube-apiserver with kubeadm's flags, as far as they mean something without kubelets.

    address: where it listens. etcd: the address of etcd.
    """
    return [
        program,
        f"--advertise-address={address}",
        f"--bind-address={address}",
        "--secure-port=6443",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        # It makes every new Node unready; the node lifecycle controller, which is not here, would end that.
        "--disable-admission-plugins=TaintNodesByCondition",
        f"--client-ca-file={pki}/ca.crt",
        f"--etcd-cafile={pki}/ca.crt",
        f"--etcd-certfile={pki}/etcd-client.crt",
        f"--etcd-keyfile={pki}/etcd-client.key",
        f"--etcd-servers=https://{etcd}:2379",
        f"--kubelet-client-certificate={pki}/kubelet-client.crt",
        f"--kubelet-client-key={pki}/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-cluster-ip-range=10.96.0.0/12",
        f"--tls-cert-file={pki}/server.crt",
        f"--tls-private-key-file={pki}/server.key",
    ]


def signer_command(program: Path, pki: Path, kubeconfig: Path) -> list[str | Path]:
    """kube-controller-manager of which nothing runs but what signs approved requests, with the lab's CA."""
    return [
        program,
        f"--kubeconfig={kubeconfig}",
        "--controllers=certificatesigningrequest-signing-controller",
        f"--cluster-signing-cert-file={pki}/ca.crt",
        f"--cluster-signing-key-file={pki}/ca.key",
        "--leader-elect=false",
        "--secure-port=0",
    ]


def route(action: str, block: IPv4Network) -> None:
    command = ["ip", "route", action, "local", str(block), "dev", "lo"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"«{' '.join(command)}»: {done.stderr.strip() or 'failed'}; is this root?")
