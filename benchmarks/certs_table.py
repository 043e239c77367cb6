"""`kubectl admin certs`: on a real cluster beside kubeadm's own listing of one node, and with many nodes.

    python -m benchmarks.certs_table [--rounds 5] [--nodes 100 500 1000]

kubeadm's is run by hand, with `kubectl debug` and `kubectl delete`, and through this program's own debug pod.
In turn, each begun at any moment of the second in which kubelets look at their pods; the median of each
figure, and of the ratios round by round: until what was asked for is shown, and until the debug pods are gone
and all has ended. The many nodes are stand-ins: a process that answers as an API server does and serves a
certificate behind every node's port.
"""

import argparse
import random
import ssl
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Event, Process, SimpleQueue
from pathlib import Path
from typing import Any

from benchmarks.process import lab, medians, shown_and_ended, timed
from tests.lab import cache
from tests.lab.recipes import images
from tests.lab.versions import RELEASES

NAME = "bench-certs"
PROGRAM = str(Path(sys.executable).parent / "kubectl-admin")
START = [PROGRAM, "version", "--client"]
WITHOUT = [PROGRAM, "certs", "--no-host"]
LISTING = ["kubeadm", "certs", "check-expiration"]
NODE_EXEC = [PROGRAM, "node-exec", "cp-1", "--", *LISTING]
BY_HAND = """\
kubectl=$1 image=$2
shift 2
"$kubectl" debug node/cp-1 --attach --quiet --profile=sysadmin --image-pull-policy=Never --image="$image" \\
  -- chroot /host "$@"
"$kubectl" delete pods --selector app.kubernetes.io/managed-by=kubectl-debug >&2
"""


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nodes", type=int, nargs="*", default=[100, 500, 1000])
    parser.add_argument("--lab", help="a running lab of 3 control planes and a worker, instead of a new one")
    options = parser.parse_args()
    name = options.lab or NAME
    if not options.lab:
        lab("up", name, "--control-planes", "3", "--workers", "1")
    try:
        print("| until | certs s | kubeadm on one node by hand s | ratio | by node-exec s | ratio |")
        print("|---|---|---|---|---|---|")
        kubeconfig = Path(lab("kubeconfig", name).strip())
        print(with_pods(kubeconfig, options.rounds), flush=True)
        print("\n| certs --no-host s | start s | beyond the start s |\n|---|---|---|")
        print(without_pods(kubeconfig, options.rounds), flush=True)
    finally:
        if not options.lab:
            lab("down", name)
    print("\n| nodes | certs --no-host s | MB |\n|---|---|---|")
    for nodes in options.nodes:
        print(on_stand_ins(nodes, options.rounds), flush=True)


def with_pods(kubeconfig: Path, rounds: int) -> str:
    """The rows of the real cluster, whose disks are looked at."""
    kubectl = str(cache.root() / f"bin/kubernetes-{RELEASES[0].kubernetes}/kubectl")
    by_hand = ["sh", "-c", BY_HAND, "by-hand", kubectl, images.BUSYBOX, *LISTING]
    runs = [
        [at_any_moment(command, kubeconfig) for command in ([PROGRAM, "certs"], by_hand, NODE_EXEC)]
        for _ in range(rounds + 1)
    ][1:]  # the first round warms caches up
    rows = []
    for number, until in enumerate(("it is shown", "the pods are gone")):
        figures = [[one[number] for one in run] for run in runs]
        cells = medians(
            (certs, by_hand, certs / by_hand, node_exec, certs / node_exec)
            for certs, by_hand, node_exec in figures
        )
        rows.append(f"| {until} | {' | '.join(f'{cell:.2f}' for cell in cells)} |")
    return "\n".join(rows)


def at_any_moment(command: list[str], kubeconfig: Path) -> tuple[float, float]:
    """Seconds until it is shown and until all has ended, begun out of step with the run before."""
    time.sleep(random.random())
    return shown_and_ended(command, kubeconfig)


def without_pods(kubeconfig: Path, rounds: int) -> str:
    """The row of the real cluster through the API alone."""
    runs = [[timed(command, kubeconfig)[0] for command in (WITHOUT, START)] for _ in range(rounds)]
    cells = medians((without, start, without - start) for without, start in runs)
    return f"| {' | '.join(f'{cell:.2f}' for cell in cells)} |"


def on_stand_ins(nodes: int, rounds: int) -> str:
    """The row of so many nodes."""
    with tempfile.TemporaryDirectory() as folder, stand_ins(nodes, Path(folder)) as kubeconfig:
        runs = [timed(WITHOUT, kubeconfig) for _ in range(rounds)]
    seconds, memory, _ = medians(runs)
    return f"| {nodes:,} | {seconds:.2f} | {memory:.0f} |"


@contextmanager
def stand_ins(nodes: int, folder: Path) -> Iterator[Path]:
    """The kubeconfig of a stand-in with so many nodes, which runs in a process of its own."""
    ready, over = SimpleQueue(), Event()
    process = Process(target=serve, args=(nodes, folder, ready, over))
    process.start()
    try:
        yield Path(ready.get())
    finally:
        over.set()
        process.join()


def serve(nodes: int, folder: Path, ready: Any, over: Any) -> None:
    """Answers as an API server of so many nodes until it is over; ready: gets its kubeconfig's path."""
    from tests.fakes.served_api import serving, table
    from tests.unit.certificates.samples import key_pem, pem

    names = [f"node-{number:05}" for number in range(nodes)]
    system = "/api/v1/namespaces/kube-system"
    empty: dict[str, Any] = {"items": []}
    pods = [
        {
            "metadata": {"name": f"kube-proxy-{name}", "labels": {"k8s-app": "kube-proxy"}},
            "spec": {"nodeName": name, "hostNetwork": True, "containers": [{"name": "kube-proxy"}]},
            "status": {"phase": "Running"},
        }
        for name in names
    ]
    answers = {
        "/api/v1/nodes": table(("Name",), *((name,) for name in names)),
        f"{system}/pods": {"items": pods},
        f"{system}/configmaps/extension-apiserver-authentication": {"data": {}},
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": empty,
        "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations": empty,
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": empty,
        "/apis/apiregistration.k8s.io/v1/apiservices": empty,
    }
    with serving(answers) as server:
        for number, name in enumerate(names):
            path = folder / f"{name}.pem"
            path.write_bytes(pem(name, serial=1000 + number) + key_pem())
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
            forward = f"{system}/pods/kube-proxy-{name}/portforward"
            server.stand_in.on("GET", forward, secured(context))
        ready.put(server.kubeconfig(folder))
        over.wait()


def secured(context: ssl.SSLContext) -> Callable[[Any], None]:
    """A forwarded port behind which a server shows a certificate."""

    def talk(wire: Any) -> None:
        port = (10250).to_bytes(2, "little")
        wire.accept("v4.channel.k8s.io")
        wire.send(0, port)
        wire.send(1, port)
        arrived, leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(arrived, leaving, server_side=True)
        for _channel, data in wire.messages():
            arrived.write(data)
            with suppress(ssl.SSLWantReadError):
                tls.do_handshake()
            if said := leaving.read():
                wire.send(0, said)

    return talk


if __name__ == "__main__":
    main()
