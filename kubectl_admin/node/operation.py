"""Who works on a node: the mark that everything made there bears, so that leftovers are known.

A pod, a directory or a unit of an operation is left behind only by a process that was killed. Whether it was
is known for certain on the machine that ran it; nobody else's work is ever taken for abandoned, nor a process
whose entry in /proc is hidden from this user.
"""

import getpass
import os
import re
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Self

PROC = Path("/proc")
UNKNOWN = "-"
ENDED = "ended"
# The note of an owner may be anybody's: on a pod that a tenant has made, it is of any length.
NUMBER = re.compile(r"[0-9]{1,10}")
LONGEST = 1000  # characters


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
        match text.split() if len(text) <= LONGEST else ():
            case [person, where, pid, began] if NUMBER.fullmatch(pid):
                return cls(person, where, int(pid), began)
        return None

    def __str__(self) -> str:
        return f"{self.person} {self.place} {self.pid} {self.started}"

    def has_ended(self) -> bool:
        """Whether the process is known to be gone: it ran here, and does not any more."""
        return self._is_here() and not lives(self.pid, self.started)

    def is_alive(self) -> bool:
        """Whether the process runs: here, and as far as this user may see it is still the same."""
        return self._is_here() and lives(self.pid, self.started)

    def _is_here(self) -> bool:
        return self.place == place() != UNKNOWN


@dataclass(frozen=True, slots=True)
class Operation:
    """One run of a command that works on nodes.

    id: ten hexadecimal digits. over: set when nothing more may be made for it, in whatever thread. work:
    units on nodes' hosts, by node, that it has started or waited for, and not seen to their end.
    """

    id: str
    owner: Owner
    over: Event = field(default_factory=Event, compare=False, repr=False)
    work: dict[str, str] = field(default_factory=dict, compare=False, repr=False)

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
    """This running system and process namespace; «-» where the system does not say."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # A /proc of another process namespace has other processes under the same numbers.
        ours = (PROC / "self").readlink().name == str(os.getpid())
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}" if ours else UNKNOWN
    except OSError:
        return UNKNOWN


def lives(pid: int, began: str) -> bool:
    """Whether a process of this number is there, unless it is known to be another one than the one that began
    then. began: as `started` gives it.

    Source: kill(2): ESRCH is the only answer that says that there is none, and the hidepid of proc(5), which
    hides the processes of others in /proc, does not change it.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # another user's; or a number that this system can't have, of which nothing is known
    return UNKNOWN in (began, seen := started(pid)) or seen == began


def started(pid: int) -> str:
    """When a process of this system began, in clock ticks since boot; «ended» for one that has, and whose
    parent has not asked for its exit code yet; «-» where that can't be read.

    Source: proc(5), fields 3 and 22 of /proc/PID/stat; the name before them may hold spaces and brackets.
    """
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    state, *others = text.rpartition(")")[2].split()
    return ENDED if state in ("Z", "X") else others[18]
