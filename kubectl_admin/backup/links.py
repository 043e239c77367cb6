"""Files by paths that lead through links, among files that are known by the paths where they are. Pure.

A flag names /etc/kubernetes/pki/ca.crt, and /etc/kubernetes/pki may be a link to another disk. Links and
files are saved as they are, each once; whoever looks for a file by the name that it is called by looks here.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

HOPS = 40  # links on the way to one file. Source: path_resolution(7)
Value = TypeVar("Value")


class Linked(Mapping[str, Value]):
    """What is known of files, found by any path that leads there; iterated by the paths where they are.

    known: by the files' own absolute paths. links: where each link leads, by its path.
    """

    def __init__(self, known: Mapping[str, Value], links: Mapping[str, str]) -> None:
        self._known = known
        self._links = links

    def __getitem__(self, path: str) -> Value:
        return self._known[resolved(path, self._links)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def resolved(path: str, links: Mapping[str, str]) -> str:
    """Where an absolute path leads; the path itself where links lead in a circle."""
    rest, found = path.split("/"), list[str]()
    hops = 0
    while rest:
        part = rest.pop(0)
        if part in {"", "."}:
            continue
        if part == "..":
            found = found[:-1]
            continue
        target = links.get("/".join(("", *found, part)))
        if target is None:
            found.append(part)
            continue
        hops += 1
        if hops > HOPS:
            return path
        if target.startswith("/"):
            found = []
        rest = [*target.split("/"), *rest]
    return "/".join(("", *found))
