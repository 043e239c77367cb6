"""How long `kubectl admin etcd-open` takes to its first answer, and what the live API feels of it.

    python -m benchmarks.etcd_open [--megabytes 100 1000] [--rounds 3] [--lab NAME]

Three control planes, whose etcd is filled. Printed are the seconds from the command to the first answer of
`kubectl get namespaces` out of the snapshot; and the 99th percentile of what a GET of a steady client takes
at the live API, ten a second through the load balancer, for as long before as while the snapshot is open.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

from benchmarks import on_lab
from tests.cluster import etcd_direct
from tests.cluster.labs import administrator, wait_until_whole
from tests.lab.nodes.lab import Lab

NAME = "bench-open"
INTERVAL = 0.1  # seconds between two GETs
LOOK = 30  # seconds for which the snapshot stays open after its first answer
PATH = "/api/v1/namespaces/default"


class Client:
    """A steady client of the live API; what each of its GETs took, in seconds."""

    def __init__(self, lab: Lab) -> None:
        server, self.context = administrator(lab.kubeconfig.read_text(encoding="utf-8"))
        self.host = urlsplit(server).netloc
        self.took: list[float] = []
        self.failed = 0

    def ask_until(self, over: Event) -> None:
        """Asks again and again, by one connection while that lasts."""
        connection = None
        while not over.wait(INTERVAL):
            began = time.monotonic()
            try:
                connection = connection or HTTPSConnection(self.host, context=self.context, timeout=10)
                connection.request("GET", PATH)
                connection.getresponse().read()
            except (OSError, HTTPException):
                connection, self.failed = None, self.failed + 1
            else:
                self.took.append(time.monotonic() - began)


@contextmanager
def steady(lab: Lab) -> Iterator[Client]:
    """A client that asks all the while."""
    client, over = Client(lab), Event()
    thread = Thread(target=client.ask_until, args=(over,))
    thread.start()
    try:
        yield client
    finally:
        over.set()
        thread.join()


def main() -> None:
    """Prints a row an opening."""
    parser = on_lab.parser(__doc__, control_planes=3)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[100, 1000], help="Of the database.")
    options = parser.parse_args()
    lab = on_lab.lab_of(options, NAME)
    print(
        "| MB | first answer s | p99 before ms | p99 while open ms | ratio |\n|---|---|---|---|---|",
        flush=True,
    )
    for megabytes in options.megabytes:
        with tempfile.TemporaryDirectory() as folder, etcd_direct.filled(lab, megabytes):
            file = Path(folder, "snapshot.db")
            on_lab.program(lab, "etcd-snapshot", "-o", str(file))
            wait_until_whole(lab)
            for _ in range(options.rounds):
                row(lab, file, Path(folder, "answered"))


def row(lab: Lab, file: Path, answered: Path) -> None:
    """One opening, measured."""
    script = f'kubectl get namespaces > /dev/null && : > "$1" && sleep {LOOK}'

    def open_it() -> float:
        answered.unlink(missing_ok=True)
        began = time.time()
        on_lab.program(lab, "etcd-open", str(file), "--", "sh", "-c", script, "look", str(answered))
        return answered.stat().st_mtime - began

    def wait_as_long() -> float:
        time.sleep(LOOK + 10)
        return 0

    _, before = percentile(lab, wait_as_long)
    first, during = percentile(lab, open_it)
    size = file.stat().st_size // 1_000_000
    print(f"| {size} | {first:.1f} | {before:.0f} | {during:.0f} | {during / before:.2f} |", flush=True)


def percentile(lab: Lab, act: Callable[[], float]) -> tuple[float, float]:
    """What it gives, and the 99th percentile in ms of the GETs meanwhile."""
    with steady(lab) as client:
        told = act()
    if client.failed:
        print(f"{client.failed} GETs had no answer", flush=True)
    return told, statistics.quantiles(client.took, n=100)[98] * 1000


if __name__ == "__main__":
    main()
