"""A lab's etcd, spoken to from here: keys to fill it with, and what a member has at a revision."""

import base64
import contextlib
import http.client
import json
import random
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.lab import cache
from tests.lab.api.etcd_process import CLIENT_PORT, PEER_PORT, own_address
from tests.lab.nodes.lab import Lab

PKI = "/etc/kubernetes/pki/etcd"
PREFIX = b"/kubectl-admin-test/"
VALUE = 512 << 10  # bytes
PATIENCE = 120  # seconds
LOADED = 50  # keys that are written again and again under load
OBJECTS = b"/registry/"


class Member:
    """The HTTP gateway of a member (or of an etcd without TLS on the loopback)."""

    def __init__(self, address: str, port: int = 2379, context: ssl.SSLContext | None = None) -> None:
        kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
        more = {"context": context} if context else {}
        self._connection = kind(address, port, timeout=60, **more)

    def ask(self, path: str, **body: object) -> dict[str, Any]:
        """What it answers to a question; it is asked again while it is too busy."""
        end = time.monotonic() + PATIENCE
        while True:
            self._connection.request("POST", f"/v3/{path}", json.dumps(body))
            answer = self._connection.getresponse()
            content = answer.read()
            if answer.status == 200:
                return dict(json.loads(content))
            assert answer.status == 503, content
            assert time.monotonic() < end, content

    def put(self, key: bytes, value: bytes) -> int:
        """Writes a key; the revision at which that was."""
        return int(self.ask("kv/put", key=text(key), value=text(value))["header"]["revision"])

    def everything(self, prefix: bytes, revision: int = 0) -> dict[str, Any]:
        """All keys with this prefix at a revision (0: now), each with its value and its history."""
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        found = self.ask("kv/range", key=text(prefix), range_end=text(end), revision=str(revision))
        return {each.pop("key"): each for each in found.get("kvs", [])}

    def names(self, prefix: bytes, revision: int = 0) -> dict[str, Any]:
        """The same without the values."""
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        asked = {"key": text(prefix), "range_end": text(end), "revision": str(revision), "keys_only": True}
        return {each.pop("key"): each for each in self.ask("kv/range", **asked).get("kvs", [])}

    def revision(self) -> int:
        """The newest one."""
        return int(self.ask("maintenance/status")["header"]["revision"])

    def database(self) -> int:
        """Bytes of its file."""
        return int(self.ask("maintenance/status")["dbSize"])

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()


def text(data: bytes) -> str:
    """Bytes as the gateway takes them."""
    return base64.b64encode(data).decode()


@contextlib.contextmanager
def member(lab: Lab, node: str = "cp-1") -> Iterator[Member]:
    """A node's member, for whoever has etcd's certificates."""
    found = Member(lab.node(node).address, context=credentials(lab))
    try:
        yield found
    finally:
        found.close()


def credentials(lab: Lab) -> ssl.SSLContext:
    """What etcd asks its clients for, read on the first control plane."""
    folder = lab.folder / "etcd-client"
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("ca.crt", "healthcheck-client.crt", "healthcheck-client.key"):
        content = lab.exec(lab.control_planes[0].name, ["cat", f"{PKI}/{name}"]).stdout
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(content, encoding="ascii")
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "healthcheck-client.crt", folder / "healthcheck-client.key")
    return context


@contextlib.contextmanager
def filled(lab: Lab, megabytes: int) -> Iterator[None]:
    """Inside, etcd holds so much more, of what can't be packed; afterwards its files are as before."""
    empty(lab)  # of what a run that was cut off has left
    chance = random.Random(11)
    with member(lab) as etcd:
        for number in range(-(-megabytes * 1_000_000 // VALUE)):
            etcd.put(PREFIX + b"noise/%d" % number, chance.randbytes(VALUE))
    try:
        yield
    finally:
        empty(lab)


def empty(lab: Lab) -> None:
    """Removes all that tests have written, and gives the space back."""
    end = PREFIX[:-1] + bytes([PREFIX[-1] + 1])
    with member(lab) as etcd:
        if not etcd.names(PREFIX):
            return
        revision = etcd.ask("kv/deleterange", key=text(PREFIX), range_end=text(end))["header"]["revision"]
        etcd.ask("kv/compaction", revision=revision, physical=True)
    for node in lab.control_planes:
        with member(lab, node.name) as each:
            each.ask("maintenance/defragment")


@contextlib.contextmanager
def load(lab: Lab) -> Iterator[list[int]]:
    """Inside, keys are written without a pause; the revision of each write is appended to the list.

    Each of the keys has been written before it begins.
    """
    written: list[int] = []
    over = threading.Event()

    def write() -> None:
        with member(lab) as etcd:
            while not over.is_set():
                number = len(written)
                written.append(etcd.put(PREFIX + b"load/%d" % (number % LOADED), b"write %d" % number))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        end = time.monotonic() + PATIENCE
        while len(written) < LOADED:
            assert thread.is_alive(), "nothing is written"
            assert time.monotonic() < end, f"{len(written)} keys are written after {PATIENCE} s"
            time.sleep(0.1)
        yield written
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def restored(lab: Lab, snapshot: Path, folder: Path) -> Iterator[Member]:
    """An etcd of the lab's version on this machine's loopback that serves a snapshot, restored by hand."""
    programs = cache.root() / f"bin/etcd-{lab.release.etcd}"
    address = own_address()
    data = folder / "restored.etcd"
    command = [programs / "etcdutl", "snapshot", "restore", snapshot, f"--data-dir={data}"]
    subprocess.run(command, check=True, capture_output=True)
    client, peer = (f"http://{address}:{port}" for port in (CLIENT_PORT, PEER_PORT))
    urls = [f"--{kind}-client-urls={client}" for kind in ("listen", "advertise")]
    urls += [f"--listen-peer-urls={peer}"]
    with (
        (folder / "etcd.log").open("wb") as log,
        subprocess.Popen([programs / "etcd", f"--data-dir={data}", *urls], stdout=log, stderr=log) as process,
    ):
        etcd = Member(address, CLIENT_PORT)
        try:
            wait_until_served(etcd)
            yield etcd
        finally:
            etcd.close()
            process.terminate()


def wait_until_served(etcd: Member) -> None:
    """Waits until an etcd that was just started answers for its keys."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            etcd.everything(PREFIX)
        except (OSError, http.client.HTTPException, AssertionError):
            etcd.close()
            assert time.monotonic() < end, "etcd does not serve"
            time.sleep(0.1)
        else:
            return


def status(lab: Lab, snapshot: Path) -> dict[str, Any]:
    """What `etcdutl snapshot status` of the lab's version says."""
    program = cache.root() / f"bin/etcd-{lab.release.etcd}/etcdutl"
    command = [program, "snapshot", "status", snapshot, "--write-out=json"]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
