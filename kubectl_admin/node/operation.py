"""Who works on a node: the mark that everything made there bears, so that what nobody uses any more is known.

A pod, a folder or a unit of an operation is left behind only by a process that was killed. Whether it was is
known for certain on the machine that ran it; nobody else's work is ever taken for abandoned.
"""

import getpass
import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Self

PROC = Path("/proc")
UNKNOWN = "-"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that runs an operation.

    person: user@machine, for people. place: what tells one running system from all others (its boot and its
    process namespace), «-» where that is not known. pid, started: the process there, and when it began in
    the kernel's own count, since process numbers come again.
    """

    person: str
    place: str
    pid: int
    started: str

    @classmethod
    def of_process(cls) -> Self:
        """This process."""
        person = "_".join(f"{user()}@{socket.gethostname()}".split())
        return cls(person, place(), os.getpid(), started(os.getpid()))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The owner that `str` wrote; None for anything else."""
        match text.split():
            case [person, where, pid, began] if pid.isdecimal():
                return cls(person, where, int(pid), began)
        return None

    def __str__(self) -> str:
        return f"{self.person} {self.place} {self.pid} {self.started}"

    def has_ended(self) -> bool:
        """Whether the process is known to be gone: it ran here, and does not any more."""
        return self.place == place() != UNKNOWN and self.started != started(self.pid)

    def is_alive(self) -> bool:
        """Whether the process is known to run: here, and still the same."""
        return self.place == place() != UNKNOWN and self.started == started(self.pid)


@dataclass(frozen=True, slots=True)
class Operation:
    """One run of a command that works on nodes.

    id: ten hexadecimal digits. over: set when nothing more may be made for it, in whatever thread.
    """

    id: str
    owner: Owner
    over: Event = field(default_factory=Event, compare=False, repr=False)

    @classmethod
    def begin(cls) -> Self:
        """A new one, of this process."""
        return cls(secrets.token_hex(5), Owner.of_process())


def user() -> str:
    """The name of the user who runs this, or the number of one without a name, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError until Python 3.12
        return str(os.getuid())


def place() -> str:
    """This running system and process namespace; «-» where the system does not tell."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return UNKNOWN


def started(pid: int) -> str:
    """When a process of this system began, in clock ticks since boot; «-» for none, or one that has ended.

    Source: proc(5), fields 3 and 22 of /proc/PID/stat; the name before them may hold spaces and brackets.
    """
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    state, *others = text.rpartition(")")[2].split()
    ended = state in ("Z", "X")  # what is left of it waits for its parent
    return UNKNOWN if ended else others[18]
