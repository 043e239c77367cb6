"""`kubectl admin etcd-restore` beside the documented procedure by hand, typed on all nodes at once.

    python -m benchmarks.etcd_restore [--megabytes 1000] [--lab NAME]

Three control planes. By hand is what kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd says,
«Restoring an etcd cluster», as a script that somebody has copied to each node beforehand, with the snapshot
and etcd's programs, and starts on all of them at once: manifests away, wait until the four processes are
gone, restore, etcd's manifest back, wait until it is ready, the others back, wait, restart the kubelet.

Printed are the seconds without API, from the last answer before to the first after, through the load
balancer and ten times a second; and the seconds from that last answer until a Deployment that is made as
soon as the API takes it has its pod on a node.
"""

import json
import shutil
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks import on_lab
from benchmarks.process import environment
from tests.cluster import etcd_direct
from tests.cluster.labs import ask, wait_until_whole
from tests.cluster.restore.watch import INTERVAL, Poller
from tests.lab.nodes import node as machine
from tests.lab.nodes.lab import Lab
from tests.program import PROGRAM

NAME = "bench-restore"
AWAY = 5.0  # seconds without an answer after which the API is away, and not merely late
FOLDER = "/var/lib/by-hand"
BY_HAND = """
name=$1 address=$2 members=$3 token=$4 bump=$5
cd /var/lib/by-hand
mkdir -p /etc/kubernetes/away
mv /etc/kubernetes/manifests/*.yaml /etc/kubernetes/away/
while pidof etcd kube-apiserver kube-controller-manager kube-scheduler > /dev/null; do sleep 0.5; done
rm -rf /var/lib/etcd/restored
./etcdutl snapshot restore snapshot.db --name "$name" --initial-cluster "$members" \\
  --initial-cluster-token "$token" --initial-advertise-peer-urls "https://$address:2380" \\
  --data-dir /var/lib/etcd/restored --bump-revision "$bump" --mark-compacted > log 2>&1
rm -rf /var/lib/etcd/former
mv /var/lib/etcd/member /var/lib/etcd/former
mv /var/lib/etcd/restored/member /var/lib/etcd/member
mv /etc/kubernetes/away/etcd.yaml /etc/kubernetes/manifests/
until curl -sf -m 1 http://127.0.0.1:2381/readyz > /dev/null; do sleep 0.5; done
mv /etc/kubernetes/away/*.yaml /etc/kubernetes/manifests/
until curl -skf -m 1 https://127.0.0.1:6443/readyz > /dev/null; do sleep 0.5; done
systemctl restart kubelet
"""
PREPARE = """
mkdir -p /var/lib/by-hand
pid=$(pidof etcd)
cp /proc/$pid/root/usr/local/bin/etcdutl /var/lib/by-hand/
"""
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "afterwards"},
    "spec": {
        "selector": {"matchLabels": {"app": "afterwards"}},
        "template": {
            "metadata": {"labels": {"app": "afterwards"}},
            "spec": {
                "containers": [{"name": "a", "image": "registry.k8s.io/pause:3.10.2", "command": ["/pause"]}]
            },
        },
    },
}


def main() -> None:
    """Prints a row a way."""
    parser = on_lab.parser(__doc__, control_planes=3)
    parser.add_argument("--megabytes", type=int, default=0, help="Of a larger database.")
    options = parser.parse_args()
    lab = on_lab.lab_of(options, NAME)
    print("| way | without API s | until controllers work s |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for way, act in (("by hand", by_hand), ("etcd-restore", ours)):
                file = Path(folder, f"{number}-{way.replace(' ', '-')}.db")
                if options.megabytes:
                    with etcd_direct.filled(lab, options.megabytes):
                        row(lab, way, act, file)
                else:
                    row(lab, way, act, file)


def row(lab: Lab, way: str, act: Callable[[Lab, Path], None], file: Path) -> None:
    """One restore, measured."""
    on_lab.program(lab, "etcd-snapshot", "-o", str(file))
    with Poller(lab) as poller, ThreadPoolExecutor(1) as pool:
        working = pool.submit(controllers_work, lab, poller)
        act(lab, file)
        at_work = working.result()
    began, without = poller.gap()
    print(f"| {way} | {without:.1f} | {at_work - began:.1f} |", flush=True)
    lab.kubectl("delete", "deployment", "afterwards", "--ignore-not-found")
    # By hand, the debug pod by which the snapshot was taken is back with it.
    for words in (["cleanup", "--yes"], ["etcd-restore", "--prune", "--yes"]):
        subprocess.run(
            [*PROGRAM, *words], env=environment(lab.kubeconfig), check=False, stdout=subprocess.DEVNULL
        )
    wait_until_whole(lab)


def controllers_work(lab: Lab, poller: Poller) -> float:
    """The moment at which a Deployment that is made after the gap has its pod bound to a node."""
    end = time.monotonic() + on_lab.LIMIT
    server, context = poller.server, poller.context
    path = "/apis/apps/v1/namespaces/default/deployments"
    made = False
    while time.monotonic() < end:
        time.sleep(INTERVAL)
        if len(poller.answers) < 2 or poller.gap()[1] < AWAY:
            continue
        try:
            if not made:
                request = Request(
                    f"{server}{path}",
                    json.dumps(DEPLOYMENT).encode(),
                    {"Content-Type": "application/json"},
                )
                with urlopen(request, timeout=5, context=context):
                    made = True
            pods = ask(lab, "/api/v1/namespaces/default/pods?labelSelector=app%3Dafterwards")["items"]
            if any(pod["spec"].get("nodeName") for pod in pods):
                return time.monotonic()
        except (OSError, ssl.SSLError):
            continue
    raise RuntimeError("no pod came")


def ours(lab: Lab, file: Path) -> None:
    """This project's way."""
    on_lab.program(lab, "etcd-restore", str(file), "--yes")


def by_hand(lab: Lab, file: Path) -> None:
    """The documented commands, on all nodes at once."""
    nodes = lab.control_planes
    members = ",".join(f"{each.name}=https://{each.address}:2380" for each in nodes)
    token = f"by-hand-{time.time_ns()}"
    with ThreadPoolExecutor(len(nodes)) as pool:
        for each in nodes:
            lab.exec(each.name, ["sh", "-c", PREPARE])
            shutil.copy(file, f"/proc/{machine.pid(each)}/root{FOLDER}/snapshot.db")
        list(
            pool.map(
                lambda each: lab.exec(
                    each.name,
                    ["sh", "-c", BY_HAND, "by-hand", each.name, each.address, members, token, "1000000000"],
                    timeout=on_lab.LIMIT,
                ),
                nodes,
            )
        )


if __name__ == "__main__":
    main()
