"""The owner of an open file: which process has locked it, which machine has made it, and its name."""

import fcntl
import hashlib
import os
import socket
from enum import Enum, auto
from functools import cache
from pathlib import Path


class Lock(Enum):
    """Whose a file is: this process', another's, or nobody can say, on a file system without locks."""

    OURS = auto()
    TAKEN = auto()
    UNKNOWN = auto()


def lock(descriptor: int) -> Lock:
    """Takes the file for this process, where no other has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return Lock.TAKEN
    except OSError:
        return Lock.UNKNOWN
    return Lock.OURS


@cache
def machine() -> str:
    """The mark of this machine's parts on a shared file system, where locks may not reach."""
    try:
        known = Path("/etc/machine-id").read_text(encoding="ascii")
    except (OSError, ValueError):
        known = ""
    return hashlib.sha256(f"{known}{socket.gethostname()}".encode()).hexdigest()[:8]


def is_named(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False
