"""`kubectl admin etcd-snapshot` beside the same by hand, on one cluster with one database.

    python -m benchmarks.etcd_snapshot [--megabytes 1000] [--rounds 3] [--link 100]

A lab of one control plane; its etcd is filled with objects like those of a cluster. By hand is what courses
teach: a debug pod in which etcdctl saves, another one in which base64 sends it through `kubectl exec`, and
nothing is verified. Whole commands, in turn; the median of each, and of the ratios round by round. Then the
node's network is slowed to --link Mbit/s, and the peer is etcdctl run from here against the member.
"""

import argparse
import base64
import http.client
import json
import os
import random
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab import cache
from tests.lab.nodes import cluster
from tests.lab.nodes.lab import Lab
from tests.lab.recipes import images

NAME = "bench"
NODE = "cp-1"
PKI = "/etc/kubernetes/pki/etcd"
OBJECTS = 100  # in one transaction
WRITERS = 8
KUBE_SYSTEM = ("-n", "kube-system")


def main() -> None:
    """Prints a row a way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--link", type=float, default=100.0, help="Mbit/s of the slow link; 0 leaves it out.")
    options = parser.parse_args()
    made = cluster.up(NAME, workers=0)
    folder = made.folder / "bench"
    folder.mkdir(exist_ok=True)
    fill(made, folder, options.megabytes)
    here = {**os.environ, "KUBECONFIG": str(made.kubeconfig)}
    ours = {tool: lambda tool=tool: etcd_snapshot(folder, tool, here) for tool in ("gzip", "zstd", "none")}
    print("| way | seconds | against by hand |\n|---|---|---|")
    compare({"by hand": lambda: by_hand(made, folder), **ours}, options.rounds)
    if options.link:
        print(f"\n| over {options.link:g} Mbit/s | seconds | against etcdctl |\n|---|---|---|")
        with made.faults.network(NODE, delay_ms=1, rate_mbit=options.link):
            compare({"etcdctl from here": lambda: etcdctl_from_here(made, folder), **ours}, options.rounds)


def compare(ways: dict[str, Callable[[], None]], rounds: int) -> None:
    """Runs the ways in turn, and prints each one's median and by how much it is faster than the first."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            taken[name].append(time.perf_counter() - began)
            print(f"{number + 1}/{rounds} {name}: {taken[name][-1]:.1f} s", file=sys.stderr)
    first = next(iter(taken.values()))
    for name, seconds in taken.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(first, seconds, strict=True))
        print(f"| {name} | {statistics.median(seconds):.1f} | {ratio:.2f} times as fast |", flush=True)


def etcd_snapshot(folder: Path, tool: str, environ: dict[str, str]) -> None:
    """This project's way."""
    program = Path(sys.executable).parent / "kubectl-admin"
    command = [program, "etcd-snapshot", "-o", folder / "ours.db", "--force", f"--compress={tool}"]
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)


def by_hand(made: Lab, folder: Path) -> None:
    """Two debug pods, one that saves and one that sends; then everything is put away."""
    credentials = (f"--cacert=/host{PKI}/ca.crt", f"--cert=/host{PKI}/healthcheck-client.crt")
    save = ("etcdctl", "--endpoints=https://127.0.0.1:2379", *credentials)
    save += (f"--key=/host{PKI}/healthcheck-client.key", "snapshot", "save", "/host/tmp/snapshot")
    debug(made, images.names(made.release)[4], *save)
    saver = newest(made)
    made.kubectl(
        *KUBE_SYSTEM,
        "wait",
        f"pod/{saver}",
        "--for=jsonpath={.status.phase}=Succeeded",
        "--timeout=300s",
        timeout=310,
    )
    debug(made, images.BUSYBOX, "sleep", "1000")
    sender = newest(made, saver)
    made.kubectl(*KUBE_SYSTEM, "wait", f"pod/{sender}", "--for=condition=Ready", "--timeout=60s")
    kubectl = cache.root() / f"bin/kubernetes-{made.release.kubernetes}/kubectl"
    send = [kubectl, "--kubeconfig", made.kubeconfig, *KUBE_SYSTEM, "exec", sender, "--"]
    with (folder / "by-hand.db").open("wb") as out:
        sending = subprocess.Popen([*send, "base64", "-w0", "/host/tmp/snapshot"], stdout=subprocess.PIPE)
        subprocess.run(["base64", "-d"], stdin=sending.stdout, stdout=out, check=True)
        assert sending.wait() == 0
    made.kubectl(*KUBE_SYSTEM, "exec", sender, "--", "rm", "/host/tmp/snapshot")
    made.kubectl(*KUBE_SYSTEM, "delete", "pod", saver, sender, "--grace-period=1")


def debug(made: Lab, image: str, *command: str) -> None:
    """`kubectl debug` of the node."""
    flags = ("--profile=sysadmin", "--image-pull-policy=Never", f"--image={image}")
    made.kubectl(*KUBE_SYSTEM, "debug", f"node/{NODE}", *flags, "--", *command)


def newest(made: Lab, other: str = "") -> str:
    """The debug pod that is not the other one."""
    told = made.kubectl(
        *KUBE_SYSTEM, "get", "pods", "-l", "app.kubernetes.io/managed-by=kubectl-debug", "-o", "name"
    )
    (name,) = (line.partition("/")[2] for line in told.split() if line != f"pod/{other}")
    return name


def etcdctl_from_here(made: Lab, folder: Path) -> None:
    """etcd's own client on this machine, over the network; its certificates were fetched beforehand."""
    program = cache.root() / f"bin/etcd-{made.release.etcd}/etcdctl"
    target = folder / "direct.db"
    target.unlink(missing_ok=True)
    flags = [f"--endpoints=https://{made.node(NODE).address}:2379", f"--cacert={folder}/ca.crt"]
    flags += [f"--cert={folder}/healthcheck-client.crt", f"--key={folder}/healthcheck-client.key"]
    subprocess.run([program, *flags, "snapshot", "save", target], check=True, capture_output=True)


def fill(made: Lab, folder: Path, megabytes: int) -> None:
    """Writes objects into etcd until its database has that size; certificates for it end up in the folder."""
    for name in ("ca.crt", "healthcheck-client.crt", "healthcheck-client.key"):
        content = made.exec(NODE, ["cat", f"{PKI}/{name}"]).stdout
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(content, encoding="ascii")
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "healthcheck-client.crt", folder / "healthcheck-client.key")
    address = made.node(NODE).address
    connections = [http.client.HTTPSConnection(address, 2379, context=context) for _ in range(WRITERS)]
    objects = objects_like(made)
    with ThreadPoolExecutor(WRITERS) as pool:
        while (size := database_size(connections[0])) < megabytes * 1_000_000:
            for _ in range(10):
                puts = [[put(*next(objects)) for _ in range(OBJECTS)] for _ in connections]
                list(
                    pool.map(
                        lambda connection, some: ask(connection, "/v3/kv/txn", {"success": some}),
                        connections,
                        puts,
                    )
                )
            print(f"filled: {size // 1_000_000} MB", file=sys.stderr)


def database_size(connection: http.client.HTTPSConnection) -> int:
    """Bytes of the member's database."""
    return int(ask(connection, "/v3/maintenance/status", {})["dbSize"])


def put(key: bytes, value: bytes) -> dict[str, dict[str, str]]:
    """A put of a transaction."""
    return {"request_put": {"key": base64.b64encode(key).decode(), "value": base64.b64encode(value).decode()}}


def ask(connection: http.client.HTTPSConnection, path: str, body: object) -> dict[str, str]:
    """What etcd's own HTTP gateway answers."""
    connection.request("POST", path, json.dumps(body))
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, content
    return dict(json.loads(content))


def objects_like(made: Lab) -> Iterator[tuple[bytes, bytes]]:
    """Endless objects like the cluster's own: their text, with names, ids and addresses of their own."""
    chance = random.Random(7)
    real = json.loads(made.kubectl("get", "pods,configmaps,events,nodes,leases", "-A", "-o", "json"))["items"]
    templates = [json.dumps(each) for each in real if len(json.dumps(each)) < 12_000]
    number = 0
    while True:
        text = chance.choice(templates)
        number += 1
        uid = f"{chance.getrandbits(128):032x}"
        for old in {json.loads(text)["metadata"]["name"], json.loads(text)["metadata"].get("uid", "")} - {""}:
            text = text.replace(old, f"{old[:20]}-{chance.getrandbits(40):010x}")
        text = text.replace("10.2", f"10.{chance.randrange(256)}").replace("2026-", f"{number % 90 + 2000}-")
        extra = f'"{uid}": "{chance.getrandbits(256):064x}"'
        yield f"/bench/{number:09}/{uid}".encode(), f"{text[:-1]}, {extra}}}".encode()


if __name__ == "__main__":
    main()
