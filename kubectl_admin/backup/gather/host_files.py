"""Files of a host with their owners and modes, read by scripts/backup-files.sh; and links, as links."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from kubectl_admin.backup.ustar import Entry, Type
from kubectl_admin.cluster.errors import BrokenStream
from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.report.text import mib

FILES = Script("backup", "backup-files")
EACH = 8 << 20  # bytes of a file
TOGETHER = 15 << 20  # bytes of all files of a node: an answer of 16 MiB is the longest that is taken
MANY = 2000  # entries of an answer
HEAD = re.compile(rb"([a-z]+) ([0-7]{1,5}) (\d{1,10}) (\d{1,10}) (\d{1,18}) (-?\d{1,18}) ([0-9a-f]{64}|-)")
LINE, PATH = 256, 4096  # bytes of a head, and of a path
WHYS = {
    "long": f"it is longer than {mib(EACH)} MiB",
    "much": f"the files of its node have more than {mib(TOGETHER)} MiB together",
    "many": f"there are more than {MANY} files",
    "special": "it is a socket, a pipe or a device",
    "unread": "it can't be read",
}
OWNERS, MOMENTS = 8**7, 8**11  # the first numbers without room in an archive


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a host. content: of a file, as it was read at once."""

    entry: Entry
    content: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """Where it is on its host."""
        return f"/{self.entry.name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host has answered. unread: why, by path. changed: files that were not what they had been."""

    found: tuple[Found, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    changed: tuple[str, ...] = ()


def ask(host: Host, paths: Sequence[str], together: int, *, without: str) -> Answer:
    """The entries at these paths.

    paths: of files, or with «/» at their end of directories, of which all is read. together: bytes that their
    files may have. without: a directory that is passed over.
    Raises AdminError where the host can't be asked, or answers something else.
    """
    arguments = (str(EACH), str(together), str(MANY), without, *paths)
    return host.persistently(lambda: parsed(host.answer(FILES, *arguments), f"node {host.node}"))


def can_be_asked(path: str) -> bool:
    """Whether a path can be an argument of a command: bytes that are not UTF-8 can't."""
    try:
        return path.startswith("/") and "\0" not in path and len(path.encode()) < PATH
    except UnicodeEncodeError:
        return False


def parsed(answer: bytes, source: str) -> Answer:
    """The script's answer. source: «node cp-1». Raises BrokenStream where something of it is missing."""
    found: list[Found] = []
    unread: dict[str, str] = {}
    changed: list[str] = []
    reading = _Reading(answer, f"{source}: the answer about its files")
    for kind, entry, digest in reading.heads():
        path = f"/{entry.name}"
        if kind == "file":
            content = reading.take(entry.size)
            if sha256(content).hexdigest() == digest:
                found.append(Found(entry, content))
            else:
                changed.append(path)
        elif kind == "link":
            found.append(Found(replace(entry, size=0, type=Type.LINK, target=reading.text())))
        elif kind == "directory":
            found.append(Found(replace(entry, size=0, type=Type.DIRECTORY)))
        elif kind in WHYS:
            unread[path] = WHYS[kind]
        elif kind != "absent":
            raise reading.odd()
    return Answer(tuple(found), unread, tuple(changed))


class _Reading:
    """Reads an answer from its beginning to its end. title: it, in errors."""

    def __init__(self, answer: bytes, title: str) -> None:
        self._answer = answer
        self._title = title
        self._place = 0

    def heads(self) -> Iterator[tuple[str, Entry, str]]:
        """Each entry's kind, what is known of it, and the SHA-256 of its content."""
        while self._place < len(self._answer):
            end = self._answer.find(b"\n", self._place, self._place + LINE)
            head = HEAD.fullmatch(self._answer, self._place, end) if end >= 0 else None
            if head is None:
                raise self.odd()
            self._place = end + 1
            path = self.text()
            if not path.startswith("/"):
                raise self.odd()
            yield head[1].decode(), _entry(path, head), head[7].decode()

    def text(self) -> str:
        """The text up to the next NUL."""
        end = self._answer.find(b"\0", self._place, self._place + PATH + 1)
        if end < 0:
            raise self._cut()
        return self.take(end + 1 - self._place)[:-1].decode("utf-8", "surrogateescape")

    def take(self, length: int) -> bytes:
        """So many bytes."""
        read = self._answer[self._place : self._place + length]
        if len(read) < length:
            raise self._cut()
        self._place += length
        return read

    def odd(self) -> AdminError:
        """The answer is none of the script's."""
        return AdminError(f"{self._title} is not understood")

    def _cut(self) -> BrokenStream:
        return BrokenStream(f"{self._title} is not whole")


def _entry(path: str, head: "re.Match[bytes]") -> Entry:
    """A file's entry. Owners and times that have no room in an archive are not worth the loss of a file."""
    uid, gid = (number if number < OWNERS else 0 for number in (int(head[3]), int(head[4])))
    changed = min(max(int(head[6]), 0), MOMENTS - 1)
    return Entry(path[1:], int(head[5]), int(head[2], 8) & 0o7777, uid, gid, changed)
