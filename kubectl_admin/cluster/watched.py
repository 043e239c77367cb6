"""Objects of the API kept up to date by one list and one watch, through restarts of the API server.

client-go calls this an informer.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Gone
from kubectl_admin.cluster.objects import Object, ObjectName, items_of, name_of, version_of
from kubectl_admin.cluster.requests import Query
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.errors import AdminError

WATCH_TIMEOUT = 60.0  # seconds of one watch; also how long a thread may outlive its `close`
LIST_TIMEOUT = 60.0  # seconds for the list; this module tries again itself
SHORT_WATCH = 1.0  # seconds; a server that ends its watches that soon is not asked again at once
RETRY_INTERVALS = (0.2, 0.5, 1.0, 2.0)  # seconds before each new try; the last one again and again

Fact = TypeVar("Fact")


class Changes:
    """Wakes up a thread that waits for watched objects to change."""

    def __init__(self) -> None:
        self._queue = queue.SimpleQueue[None]()

    def __call__(self) -> None:
        """Something has changed."""
        self._queue.put(None)

    def wait(self, seconds: float) -> None:
        """Returns after so many seconds, or once something has changed since it last returned."""
        with suppress(queue.Empty):
            self._queue.get(timeout=seconds)


class WatchedObjects(Generic[Fact]):
    """A path's list, as it changes, each object read into a fact by a thread of its own.

    fact: reads one object; its error ends the watching, and is raised by `facts`.
    changed: called from another thread after each change, also of `problem`.
    """

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        query: Query,
        fact: Callable[[Object], Fact],
        changed: Callable[[], None],
    ) -> None:
        self._cluster, self._path, self._query = cluster, path, list(query)
        self._fact = fact
        self._changed = changed
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._facts: dict[ObjectName, Fact] | None = None
        self._problem = ""
        self._fatal: Exception | None = None
        threading.Thread(target=self._keep_up, daemon=True).start()

    @property
    def facts(self) -> dict[ObjectName, Fact] | None:
        """The facts now, by namespace and name; None until the first list has come.

        Raises AdminError if it can't be listed at all.
        """
        with self._lock:
            if self._fatal:
                raise self._fatal
            return None if self._facts is None else dict(self._facts)

    @property
    def problem(self) -> str:
        """Why nothing new is known at the moment; "" while all is well."""
        with self._lock:
            return self._problem

    def close(self) -> None:
        """Stops watching; the thread ends with its watch."""
        self._closed.set()

    def _keep_up(self) -> None:
        failures = 0
        while not self._closed.is_set():
            try:
                version = self._list()
                failures = 0
                self._watch(version)
            except Gone:
                self._closed.wait(RETRY_INTERVALS[0])
            except AdminError as error:
                if not is_transient(error):
                    self._give_up(error)
                    return
                with self._lock:
                    self._problem = error.what
                self._changed()
                self._closed.wait(RETRY_INTERVALS[min(failures, len(RETRY_INTERVALS) - 1)])
                failures += 1
            except Exception as error:  # noqa: BLE001 - told to the thread that looks, which would wait for ever
                self._give_up(error)
                return

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            self._fatal = error
        self._changed()

    def _list(self) -> str:
        document = self._cluster.get(self._path, self._query, timeout=LIST_TIMEOUT)
        facts = {name_of(item): self._fact(item) for item in items_of(document, self._path)}
        with self._lock:
            self._facts, self._problem = facts, ""
        self._changed()
        return version_of(document, self._path)

    def _watch(self, version: str) -> None:
        """The changes since a version, watch after watch, until one breaks or is over without a word."""
        while not self._closed.is_set():
            query = [*self._query, ("resourceVersion", version), ("allowWatchBookmarks", "true")]
            begun = time.monotonic()
            for event in self._cluster.watch(self._path, query, timeout=WATCH_TIMEOUT):
                if self._closed.is_set():
                    return
                version = version_of(event["object"], self._path)
                self._take(event)
            if time.monotonic() - begun < SHORT_WATCH:
                self._closed.wait(RETRY_INTERVALS[-1])

    def _take(self, event: Mapping[str, Any]) -> None:
        kind, item = event["type"], event["object"]
        if kind == "BOOKMARK":
            return
        fact = self._fact(item)
        with self._lock:
            facts = self._facts if self._facts is not None else {}
            if kind == "DELETED":
                facts.pop(name_of(item), None)
            else:
                facts[name_of(item)] = fact
        self._changed()
