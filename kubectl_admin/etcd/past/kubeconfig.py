"""The kubeconfig of an opened snapshot: a file for its owner alone, gone when the run is over.

Its directory is removed by a guard, a process that waits for the end of this one: however that ends.
"""

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.kubeconfig import Overrides, resolve
from kubectl_admin.etcd.past.certificates import ADDRESS, USER, Keys
from kubectl_admin.signals import sheltered

FILE = "kubeconfig"
PREFIX = "kubectl-admin-past-"
CONTEXT = "past"
GUARD = 'cat > /dev/null; rm -rf -- "$1"'
GUARD_TIMEOUT = 30.0  # seconds in which the guard must have removed a directory


def text(port: int, keys: Keys, namespace: str) -> str:
    """A kubeconfig that leads to this port of this machine. Pure."""
    cluster = {
        "server": f"https://{ADDRESS}:{port}",
        "certificate-authority-data": b64encode(keys.authority).decode(),
    }
    context = {"cluster": CONTEXT, "user": USER, **({"namespace": namespace} if namespace else {})}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": USER, "user": {"token": keys.token}}],
            "contexts": [{"name": CONTEXT, "context": context}],
            "current-context": CONTEXT,
        },
        indent=1,
    )


def write(directory: Path, content: str) -> Path:
    """The file in the directory, for its owner alone."""
    path = directory / FILE
    create(path, content.encode())
    return path


def create(path: Path, content: bytes) -> None:
    """Makes a file for its owner alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def connect(path: Path) -> Cluster:
    """The opened API, as its client sees it."""
    return Cluster.connect(resolve(Overrides(kubeconfig=str(path)), {}))


def parent(environ: Mapping[str, str]) -> Path:
    """Where the directory is made: the user's own for what is of no use later, else the one for all."""
    named = Path(environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    with suppress(OSError):
        about = named.stat()
        if about.st_uid == os.geteuid() and os.access(named, os.W_OK | os.X_OK):
            return named
    return Path(tempfile.gettempdir())


@contextmanager
def guarded_directory(environ: Mapping[str, str]) -> Iterator[Path]:
    """A new directory for its owner alone. It is removed at the end, also of a process that is killed."""
    guard: subprocess.Popen[bytes] | None = None
    with sheltered() as shelter:
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent(environ)))
        try:
            guard = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, "guard", str(directory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
            )
            with shelter.exposed():
                yield directory
        finally:
            end(guard)
            shutil.rmtree(directory, ignore_errors=True)


def end(process: "subprocess.Popen[bytes] | None") -> None:
    """Closes the input of a process that ends by that, and waits for its end."""
    if process is None:
        return
    with suppress(OSError):
        if process.stdin:
            process.stdin.close()
    try:
        process.wait(GUARD_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
