"""Where the entries of an archive may be put: below one directory, whatever their names say. Pure.

An archive may come from anybody. No entry leaves the directory, none is written through a link or over
another, nothing but files and directories is made, and there is a limit to how many and how much.
"""

from dataclasses import dataclass, field

from kubectl_admin.backup.ustar import Entry, Type
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import printable, size

DEEP = 40  # directories in each other
PART = 255  # bytes of a name, as file systems have them
SHOWN = 80  # characters of a name in an error
ENTRIES = 200_000  # of an archive; a control plane has some hundred, and each volume two or three
BYTES = 1 << 30  # of the files in a node's piece


class Unsafe(AdminError):  # noqa: N818 - the archive's failure
    """An archive holds an entry that is not written anywhere."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry and where it goes: its path below the directory, in parts."""

    entry: Entry
    parts: tuple[str, ...]


@dataclass
class Placing:
    """Finds a place for one entry of an archive after another.

    title: the archive's name, in errors. limit: bytes of all files together; an archive that says what comes
    out of it has no more than that.
    links: those that were met, which are made nowhere.
    """

    title: str
    limit: int = BYTES
    links: list[Entry] = field(default_factory=list)
    _files: set[tuple[str, ...]] = field(default_factory=set)
    _directories: set[tuple[str, ...]] = field(default_factory=set)
    _entries: int = 0
    _bytes: int = 0

    def place(self, entry: Entry) -> Placed | None:
        """The entry's place; None for a link, which is noted. Raises Unsafe."""
        self._entries += 1
        self._bytes += entry.size
        if self._entries > ENTRIES:
            raise Unsafe(f"{self.title}: it has more than {ENTRIES:,} entries")
        if self._bytes > self.limit:
            raise Unsafe(f"{self.title}: its files have more than {size(self.limit)}, which it may have")
        parts = self._parts(entry.name)
        # What is below a link would be written to wherever the link leads.
        self._claim(parts, entry)
        return None if entry.type is Type.LINK else Placed(entry, parts)

    def _parts(self, name: str) -> tuple[str, ...]:
        why = why_unsafe(name)
        if why:
            raise Unsafe(f"{self.title}: {shown(name)} {why}", "do not use this archive; who made it?")
        return tuple(name.split("/"))

    def _claim(self, parts: tuple[str, ...], entry: Entry) -> None:
        """Notes the path as taken, and the directories that lead there."""
        above = [parts[:length] for length in range(1, len(parts))]
        if not self._files.isdisjoint(above):
            raise Unsafe(f"{self.title}: {shown(entry.name)} is below an entry that is no directory")
        if entry.type is Type.DIRECTORY:
            if parts in self._files:
                raise self._twice(entry)
            self._directories.add(parts)
        else:
            if parts in self._files or parts in self._directories:
                raise self._twice(entry)
            self._files.add(parts)
            if entry.type is Type.LINK:
                self.links.append(entry)
        self._directories.update(above)

    def _twice(self, entry: Entry) -> Unsafe:
        return Unsafe(f"{self.title}: {shown(entry.name)} is in it twice")


def why_unsafe(name: str) -> str:
    """Why a name is no path below a directory, as what follows it in a sentence; "" where it is one.

    name: as `ustar.Entry` has it.
    """
    parts = name.split("/")
    if not name or "\0" in name:
        return "is no path"
    if name.startswith("/"):
        return "is an absolute path"
    if ".." in parts:
        return "leads out of the directory"
    if "" in parts or "." in parts:
        return "is not written as the path of a file"
    if any(len(part.encode("utf-8", "surrogatepass")) > PART for part in parts):
        return "has a name that is too long"
    return "is too deep" if len(parts) > DEEP else ""


def is_below(parts: tuple[str, ...], wanted: str) -> bool:
    """Whether a path is the wanted one or below it; «etc/kubernetes», as a person writes it. "" is all."""
    asked = tuple(part for part in wanted.split("/") if part not in ("", "."))
    return parts[: len(asked)] == asked


def shown(name: str) -> str:
    """A name of an archive in an error: one line, not too long, without anything that moves the cursor."""
    text = printable(name.encode("utf-8", "replace").decode("utf-8", "replace"))
    return f"«{text}»" if len(text) <= SHOWN else f"«{text[:SHOWN]}…»"
