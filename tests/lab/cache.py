"""The cache folder: what was built, by name, version and recipe; made once, whole or not at all."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
FILES = HERE / "files"


def root() -> Path:
    """The lab's cache folder, shared by all labs of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "kubectl-admin-lab"


def logs() -> Path:
    """Where builds that belong to no single lab keep their logs."""
    return root() / "logs"


def once(path: Path, make: Callable[[Path], None]) -> Path:
    """The folder at `path`, made by `make(temporary folder)` if it is not there yet.

    Presence means completeness: the temporary folder is written out and renamed into place when `make` has
    returned. Two processes that want the same folder wait for each other; what a cut-off one left is removed
    by the next.
    """
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent / f".{path.name}.lock"):
        if not path.exists():
            for left in path.parent.glob(f".{path.name}.unfinished*"):
                shutil.rmtree(left, ignore_errors=True)
            # A name of its own: programs that a killed process had started may still write into the last one.
            unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}.unfinished-", dir=path.parent))
            unfinished.chmod(0o755)
            make(unfinished)
            os.sync()
            unfinished.rename(path)
    return path


def prune() -> None:
    """Remove what older recipes made of the same things, unless a lab that may use it is up or being made."""
    with _in_use(fcntl.LOCK_EX | fcntl.LOCK_NB) as alone:
        if not alone or any(root().glob("labs/*/lab.json")):
            return
        for kind in ("rootfs", "repositories", "images", "stores"):
            newest: dict[str, Path] = {}
            for made in sorted(root().glob(f"{kind}/*-*"), key=lambda path: path.stat().st_ctime):
                name = made.name.rpartition("-")[0]
                if name in newest:
                    shutil.rmtree(newest[name], ignore_errors=True)
                newest[name] = made


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """While this lasts, nothing is pruned."""
    with _in_use(fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def _in_use(operation: int) -> Iterator[bool]:
    root().mkdir(parents=True, exist_ok=True)
    with (root() / ".in-use.lock").open("w") as lock:
        try:
            fcntl.flock(lock, operation)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock that ends with the process that holds it, however that ends."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def fingerprint(*parts: str | Path) -> str:
    """Twelve hexadecimal digits that change with any of these texts, files or folders of files."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            digest.update(part.encode() + b"\0")
            continue
        for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
            if file.is_file():
                digest.update(f"{file.relative_to(part)} {file.stat().st_mode:o}\0".encode())
                digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
