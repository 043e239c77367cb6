"""How fast the output of a command comes, and in how much memory, beside `kubectl exec` in the same run.

    python -m benchmarks.exec_throughput [--megabytes 0 200 1000] [--rounds 5]

A stand-in API server in a process of its own sends prepared WebSocket messages of 32 KiB over TLS, as fast as
they are taken. Each client is a process of its own, too, that writes what comes to /dev/null; rounds are
interleaved and the median counts. «MB/s» leaves out what the client takes for an empty output.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

MEGABYTE = 1_000_000
MESSAGE = 32 * 1024
POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "p", "namespace": "default"},
    "spec": {"containers": [{"name": "c"}]},
    "status": {"phase": "Running"},
}

# This project's client: asks for so many megabytes and writes them to stdout.
CLIENT = """
import os, sys
from kubectl_admin.cluster import kubeconfig
from kubectl_admin.cluster.connection import Cluster
cluster = Cluster.connect(kubeconfig.resolve(kubeconfig.Overrides(), os.environ))
length = 0
for _, data in cluster.exec("default", "p", "c", ["send", sys.argv[1]]):
    os.write(1, data)
    length += len(data)
assert length == int(sys.argv[1]) * 1_000_000, length
"""
# Runs a command and says its seconds and peak memory in KiB. In a small process of its own, since a child's
# peak counts from what its parent held.
LAUNCHER = """
import os, sys, time
start = time.perf_counter()
null = os.open("/dev/null", os.O_WRONLY)
child = os.posix_spawn(
    sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)]
)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
assert status == 0, sys.argv
print(seconds, usage.ru_maxrss)
"""
# What kubectl asks for before it executes anything.
PODS = {"name": "pods", "singularName": "pod", "kind": "Pod", "namespaced": True, "verbs": ["get"]}
ANSWERS = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [PODS]},
    "/api/v1/namespaces/default/pods/p": POD,
}


@dataclass(frozen=True)
class Run:
    """What one process took."""

    seconds: float
    peak: int  # bytes


def main() -> None:
    """Measures, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sizes = [0, *options.megabytes]
    with tempfile.TemporaryDirectory() as folder:
        server, kubeconfig = start_server(Path(folder))
        try:
            runs = measure(sizes, options.rounds, kubeconfig)
        finally:
            server.kill()
            server.wait()
    print(table(sizes, runs))


def measure(sizes: list[int], rounds: int, kubeconfig: Path) -> dict[tuple[str, int], list[Run]]:
    """Runs every client with every size in every round; one round more, the first, warms up."""
    environ = {"KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent)}
    environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    runs: dict[tuple[str, int], list[Run]] = {}
    for number in range(rounds + 1):
        for size in sizes:
            for name, command in (
                (
                    "kubectl exec",
                    [str(Path(sys.executable).with_name("kubectl")), "exec", "p", "--", "send", str(size)],
                ),
                ("kubectl-admin", [sys.executable, "-c", CLIENT, str(size)]),
            ):
                run = run_client(command, environ)
                if number:
                    runs.setdefault((name, size), []).append(run)
                print(f"{number}/{rounds} {name} {size} MB: {run.seconds:.2f} s", file=sys.stderr)
    return runs


def table(sizes: list[int], runs: dict[tuple[str, int], list[Run]]) -> str:
    """Medians, as a table."""
    from tabulate import tabulate

    rows = []
    for size in sizes[1:]:
        speeds = {}
        for name in ("kubectl exec", "kubectl-admin"):
            seconds = statistics.median(run.seconds for run in runs[name, size])
            empty = statistics.median(run.seconds for run in runs[name, 0])
            speeds[name] = size / (seconds - empty)
            peak = max(run.peak for run in runs[name, size]) / MEGABYTE
            ratio = speeds[name] / speeds["kubectl exec"]
            rows.append([name, size, f"{seconds:.2f}", f"{speeds[name]:.0f}", f"{peak:.0f}", f"{ratio:.2f}"])
    heads = ["client", "MB", "seconds in all", "MB/s", "peak memory MB", "speed : kubectl"]
    return tabulate(rows, heads, disable_numparse=True, colalign=("left", *["right"] * 5))


def run_client(command: list[str], environ: dict[str, str]) -> Run:
    """Runs a client, its output thrown away; what it took by the kernel's count."""
    done = subprocess.run(
        [sys.executable, "-IS", "-c", LAUNCHER, *command],
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, peak = done.stdout.split()
    return Run(float(seconds), int(peak) * 1024)


def start_server(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """The stand-in server as a process, and a kubeconfig for it."""
    import yaml
    from cryptography import x509

    from tests.unit.cluster.conftest import new_authority

    authority = new_authority("kubernetes")
    pair = authority.issue("kube-apiserver", x509.IPAddress(ip_address("127.0.0.1")))
    (folder / "server.pem").write_bytes(pair.certificate + pair.key)
    command = [sys.executable, "-m", "benchmarks.exec_throughput", "serve", str(folder / "server.pem")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    assert process.stdout
    url = f"https://127.0.0.1:{process.stdout.readline().strip()}"
    cluster = {"server": url, "certificate-authority-data": authority.data}
    entries = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "config").write_text(yaml.safe_dump(entries))
    return process, folder / "config"


def serve(certificate: str) -> None:
    """The stand-in server; prints its port first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=converse, args=(raw, context), daemon=True).start()


def converse(raw: socket.socket, context: ssl.SSLContext) -> None:
    """Answers on one connection: what kubectl wants to know first, or as many bytes as the command says."""
    with context.wrap_socket(raw, server_side=True) as connection:
        file = connection.makefile("rb")
        while line := file.readline():
            headers = {}
            while (header := file.readline().decode().strip()) != "":
                name, _, value = header.partition(": ")
                headers[name.lower()] = value
            if "upgrade" in headers:
                send(connection, line.decode(), headers)
                return
            body = json.dumps(ANSWERS[line.decode().split()[1].partition("?")[0]]).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)


def send(connection: ssl.SSLSocket, line: str, headers: dict[str, str]) -> None:
    """Consents to the WebSocket and sends the output, the exit code and the end."""
    key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324 - RFC 6455
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n" + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    left = int(re.findall(r"command=(\d+)", line)[0]) * MEGABYTE
    whole = message(b"\1" + os.urandom(MESSAGE - 1))
    while left >= MESSAGE - 1:
        connection.sendall(whole)
        left -= MESSAGE - 1
    connection.sendall(message(b"\1" + bytes(left)))
    connection.sendall(message(b'\3{"metadata":{},"status":"Success"}'))
    connection.sendall(b"\x88\x02" + struct.pack("!H", 1000))
    connection.recv(1024)  # the client's own close


def message(data: bytes) -> bytes:
    """A binary WebSocket message."""
    return b"\x82\x7f" + struct.pack("!Q", len(data)) + data


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", certificate]:
            serve(certificate)
        case _:
            main()
