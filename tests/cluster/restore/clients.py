"""Clients that read all along: none may ever be given an object of the future as a current one.

Readers ask each API server by itself, past the balancer, for what is current. A follower keeps a copy by a
watch through the balancer, as controllers do, and lists again only where it is told that it has to.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.cluster.restore.objects import LABEL, NAMESPACE, NOW, THEN
from tests.cluster.restore.watch import Asker
from tests.lab.nodes.lab import Lab

PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps?labelSelector=app%3D{LABEL['app']}"
READ_INTERVAL = 0.5  # seconds between two reads of one API server
READ_TIMEOUT = 3.0  # seconds
WATCH_SECONDS = 4  # for which an API server keeps a watch
FOLLOW_TIMEOUT = 60.0  # seconds in which a copy is what it should be, once all is over
GONE = 410  # too old a version: the client lists again


@dataclass(frozen=True)
class Read:
    """An answer to a list. began, ended: moments. names: of the objects; version: of the list."""

    server: str
    began: float
    ended: float
    names: frozenset[str]
    version: int


def read(asker: Asker) -> Read:
    """What is current: to a list without a resourceVersion, a quorum of etcd has agreed. Raises as `ask`."""
    began = time.monotonic()
    with urlopen(f"{asker.server}{PATH}", timeout=READ_TIMEOUT, context=asker.context) as answer:
        told = json.load(answer)
    names = frozenset(item["metadata"]["name"] for item in told["items"])
    return Read(asker.server, began, time.monotonic(), names, int(told["metadata"]["resourceVersion"]))


class Reader(Asker):
    """Reads one API server again and again. reads: its answers, of equal ones the first and the last."""

    interval = READ_INTERVAL

    def __init__(self, lab: Lab, server: str) -> None:
        super().__init__(lab, server)
        self.reads: list[Read] = []

    def ask(self) -> None:
        """Reads once."""
        found = read(self)
        if [one.names for one in self.reads[-2:]] == [found.names] * 2:
            self.reads.pop()
        self.reads.append(found)


class Follower(Asker):
    """Keeps a copy, as controllers do. names: of the objects in it."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.names: frozenset[str] = frozenset()
        self._version = 0

    def ask(self) -> None:
        """Lists where it has to, and watches for a while."""
        if not self._version:
            found = read(self)
            self.names, self._version = found.names, found.version
        asked = f"{PATH}&watch=1&resourceVersion={self._version}&timeoutSeconds={WATCH_SECONDS}"
        asked += "&allowWatchBookmarks=true"
        try:
            with urlopen(
                f"{self.server}{asked}", timeout=WATCH_SECONDS + READ_TIMEOUT, context=self.context
            ) as answer:
                for line in answer:
                    self._take(json.loads(line))
        except HTTPError as error:
            if error.code != GONE:
                raise
            self._version = 0

    def _take(self, event: dict[str, Any]) -> None:
        """An event of the watch."""
        if event["type"] == "ERROR":
            if event["object"].get("code") != GONE:
                raise ValueError(event)
            self._version = 0
            return
        metadata = event["object"]["metadata"]
        self._version = int(metadata["resourceVersion"])
        match event["type"]:
            case "DELETED":
                self.names -= {metadata["name"]}
            case "ADDED" | "MODIFIED":
                self.names |= {metadata["name"]}


class Clients:
    """A reader for each API server, and a follower, while it is entered."""

    def __init__(self, lab: Lab) -> None:
        self._readers = [Reader(lab, f"https://{each.address}:6443") for each in lab.control_planes]
        self._follower = Follower(lab)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for asker in (*self._readers, self._follower):
            self._stack.enter_context(asker)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wrong(self, expected: frozenset[str] | None) -> Iterator[str]:
        """What they were given and must not have been. expected: what is current now."""
        yield from wrong_of_reads([one for reader in self._readers for one in reader.reads])
        end = time.monotonic() + FOLLOW_TIMEOUT
        while expected is not None and self._follower.names != expected:
            if time.monotonic() > end:
                yield f"who watches still sees {difference(self._follower.names, expected)}"
                return
            time.sleep(READ_INTERVAL)


def wrong_of_reads(reads: Iterable[Read]) -> Iterator[str]:
    """All reads are of THEN or of NOW, and none of NOW begins after one of THEN has been answered. Pure."""
    found = sorted(reads, key=lambda one: one.ended)
    restored = next((one for one in found if one.names == THEN), None)
    for one in found:
        if one.names not in (THEN, NOW):
            yield f"{one.server} was read as neither: {difference(one.names, THEN)}"
        elif restored and one.names == NOW and one.began > restored.ended:
            late = one.began - restored.ended
            yield f"{one.server} had the future {late:.1f} s after {restored.server} had the past"


def difference(there: frozenset[str], expected: frozenset[str]) -> str:
    """How the names differ, in words."""
    return f"more: {sorted(there - expected)}, less: {sorted(expected - there)}"
