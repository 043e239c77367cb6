"""What health has asked, and the same asked by hand: with kubectl and curl, one request after another.

    python -m benchmarks.health_by_hand FILE health [OPTIONS]

runs the program and writes into FILE what it has asked. So no request can be missing by hand, nor be one too
many. By hand each port of a node is forwarded by a `kubectl port-forward` of its own, each of its paths asked
by a `curl` of its own, with the user's client certificate where TLS is spoken; each request to the API is a
`kubectl get --raw`, which knows the path and decodes nothing. Nobody types: the next begins when one is done.
"""

import json
import re
import socket
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process import environment
from tests.lab import cache
from tests.lab.versions import RELEASES

KUBECTL = str(cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kubectl")
WHERE = re.compile(r"port (\d+) of pod ([^/]+)/(\S+)")
# Its arguments: kubectl, a folder, namespace, pod and port, and those of what is done with the port.
FORWARDED = """\
kubectl=$1 folder=$2 namespace=$3 pod=$4 port=$5
shift 5
: > "$folder/forwarded"
"$kubectl" --namespace "$namespace" port-forward "$pod" ":$port" > "$folder/forwarded" &
trap "kill $!" EXIT
until local=$(sed -n 's/^Forwarding from 127.0.0.1:\\([0-9]*\\).*/\\1/p' "$folder/forwarded") && [ "$local" ]
do kill -0 $! && sleep 0.01 || exit; done
ask() {
  for path; do
    curl --silent --show-error --insecure --cert "$folder/user.crt" --key "$folder/user.key" \\
      --output /dev/null "$scheme://127.0.0.1:$local$path" || exit
  done
}
look_up() {
  exec 3<>"/dev/tcp/127.0.0.1/$local"
  printf %b "$1" >&3
  head --bytes 2 <&3 >/dev/null
}
"""
ASK, LOOK_UP = 'scheme=$1\nshift\nask "$@"\n', 'look_up "$1"\n'


@dataclass
class Asked:
    """What was asked. api: paths and queries of the API server. connections: opened to it.

    ports: the paths asked of each port, by «scheme namespace pod port». names: those that were looked up, in
    bytes, by «namespace pod port» of the DNS server.
    """

    api: list[str] = field(default_factory=list)
    ports: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    connections: int = 0

    @property
    def requests(self) -> int:
        """How many requests that are."""
        return len(self.api) + sum(map(len, self.ports.values())) + len(self.names)


def asked_by(command: list[str], kubeconfig: Path, folder: Path) -> Asked:
    """What the program asks with this command line."""
    said = folder / "asked.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks.health_by_hand", str(said), *command],
        check=True,
        env=environment(kubeconfig),
        stdout=subprocess.DEVNULL,
    )
    return Asked(**json.loads(said.read_text()))


def keep_certificate(kubeconfig: Path, folder: Path) -> None:
    """Writes the user's client certificate where curl finds it."""
    command = [KUBECTL, f"--kubeconfig={kubeconfig}", "config", "view", "--raw", "--minify", "--output=json"]
    user = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["users"][0]["user"]
    for name, kept in (("client-certificate-data", "user.crt"), ("client-key-data", "user.key")):
        (folder / kept).write_bytes(b64decode(user[name]))


def by_hand(asked: Asked, kubeconfig: Path, folder: Path) -> float:
    """Seconds for the same, one after another."""
    env = environment(kubeconfig)
    start = time.perf_counter()
    for location in asked.api:
        subprocess.run([KUBECTL, "get", "--raw", location], check=True, env=env, stdout=subprocess.DEVNULL)
    for where, paths in asked.ports.items():
        scheme, *place = where.split()
        forwarded(ASK, [*place, scheme, *paths], folder, env)
    for where, question in asked.names.items():
        forwarded(LOOK_UP, [*where.split(), question], folder, env)
    return time.perf_counter() - start


def forwarded(work: str, arguments: list[str], folder: Path, env: Mapping[str, str]) -> None:
    """Does something with a port that is forwarded for it."""
    words = ["bash", "-c", FORWARDED + work, "by-hand", KUBECTL, str(folder), *arguments]
    subprocess.run(words, check=True, env=env)


def watch(asked: Asked) -> None:
    """Has the program note what it asks."""
    from kubectl_admin.cluster.secured import Secured
    from kubectl_admin.cluster.transport import Transport
    from kubectl_admin.health.asking import dns, exchange

    connect, send, answer_to, ask = socket.socket.connect, Transport.send, exchange.answer_to, dns.ask

    def connected(self: socket.socket, address: Any) -> None:
        asked.connections += isinstance(address, tuple)
        connect(self, address)

    def sent(self: Transport, method: str, path: str, *more: Any, **further: Any) -> Any:
        if method != "GET":
            raise AssertionError(f"{method} {path}: only what is read can be asked by hand")
        asked.api.append(path)
        return send(self, method, path, *more, **further)

    def answered(stream: Any, path: str, limit: int, what: str, **more: Any) -> Any:
        scheme = "https" if isinstance(stream, Secured) else "http"
        asked.ports.setdefault(f"{scheme} {place_of(what)}", []).append(path)
        return answer_to(stream, path, limit, what, **more)

    def looked_up(stream: Any, name: str, kind: int, what: str) -> Any:
        question = (
            dns.HEADER.pack(1, dns.RECURSION, 1, 0, 0, 0) + dns.encode_name(name) + bytes([0, kind, 0, 1])
        )
        message = len(question).to_bytes(2) + question
        asked.names[place_of(what)] = "".join(f"\\x{byte:02x}" for byte in message)
        return ask(stream, name, kind, what)

    socket.socket.connect = connected  # type: ignore[method-assign, assignment]
    Transport.send = sent  # type: ignore[method-assign]
    exchange.answer_to, dns.ask = answered, looked_up  # type: ignore[attr-defined]


def place_of(what: str) -> str:
    """Namespace, pod and port that an error would name."""
    found = WHERE.fullmatch(what)
    assert found, what
    return f"{found[2]} {found[3]} {found[1]}"


def main() -> None:
    """Runs the program, and writes down what it has asked."""
    from kubectl_admin import cli

    said, asked = Path(sys.argv[1]), Asked()
    sys.argv = ["kubectl-admin", *sys.argv[2:]]
    watch(asked)
    try:
        cli.main()
    finally:
        said.write_text(json.dumps(asdict(asked)))


if __name__ == "__main__":
    main()
