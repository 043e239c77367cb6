"""Hosts that are opened when they are first needed, from any thread, and kept until all is over.

    with kept(hosts) as there:
        there.host("cp-1", seconds).run(["uname", "-r"])

However that ends, no pod of the operation stays, and none is made any more.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial

from kubectl_admin.cluster.access import explained
from kubectl_admin.errors import AdminError
from kubectl_admin.node.debug_pod import rights
from kubectl_admin.node.host import Host
from kubectl_admin.node.hosts import Hosts, withdraw
from kubectl_admin.node.pod_removal import ARRIVAL_TIMEOUT
from kubectl_admin.pool import WORKERS, LateError, ask_all
from kubectl_admin.report.text import duration
from kubectl_admin.signals import sheltered

REMOVAL_TIMEOUT = 60.0  # seconds for all pods to be removed, beyond which they are looked for by their names


class KeptHosts:
    """Hosts of nodes, each with one debug pod. Made by `kept`."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._lock = threading.Lock()
        self._found: dict[str, Host | AdminError] = {}
        self._contexts: dict[str, AbstractContextManager[Host]] = {}
        self._opening = 0
        self._said: dict[str, str] = {}  # by node, the last words on a pod that takes long

    def host(self, node: str, seconds: float) -> Host:
        """The host of a node, within so many seconds where it is not open yet; not for two threads at once.

        Raises AdminError where that can't be, or was not possible before; the rights that are missing are
        named.
        """
        if node not in self._found and seconds <= 0:
            self._found[node] = AdminError("no time was left to make its debug pod")
        elif node not in self._found:
            opened = ask_all({node: partial(self._open, node)}, deadline=seconds)[node]
            if isinstance(opened, LateError):
                said = f": {self._said[node]}" if node in self._said else ""
                opened = AdminError(f"its debug pod did not run within {duration(max(seconds, 0))}{said}")
            self._found[node] = opened
        found = self._found[node]
        if isinstance(found, AdminError):
            raise found
        return found

    def _open(self, node: str) -> Host:
        with self._lock:
            self._opening += 1
        try:
            context = replace(self._hosts, say=partial(self._say, node)).open(node)
            with explained(self._hosts.cluster, rights(self._hosts.options.namespace)):
                host = context.__enter__()
            with self._lock:
                self._contexts[node] = context
            return host
        finally:
            with self._lock:
                self._opening -= 1

    def _say(self, node: str, what: str) -> None:
        self._said[node] = what
        # A host that has not opened in time is removed by others, who say so.
        if node in self._contexts or not self._hosts.operation.over.is_set():
            self._hosts.say(what)

    def remove(self) -> None:
        """Removes all pods, also those that are on their way, and sees them gone; ends by itself."""
        self._hosts.operation.over.set()
        with self._lock:
            contexts, opening = dict(self._contexts), self._opening
        closing = {node: partial(close, context) for node, context in contexts.items()}
        closed = ask_all(closing, deadline=REMOVAL_TIMEOUT, workers=WORKERS)
        if opening or any(isinstance(one, AdminError) for one in closed.values()):
            withdraw(self._hosts, wait=ARRIVAL_TIMEOUT)


def close(context: AbstractContextManager[Host]) -> None:
    """Removes the pod of one host."""
    context.__exit__(None, None, None)


@contextmanager
def kept(hosts: Hosts | None) -> Iterator[KeptHosts | None]:
    """Inside, hosts are opened as they are needed; None for no hosts at all. Afterwards no pod is there."""
    if hosts is None:
        yield None
        return
    there = KeptHosts(hosts)
    with sheltered() as shelter:
        try:
            with shelter.exposed():
                yield there
        finally:
            there.remove()
