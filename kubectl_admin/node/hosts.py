"""The hosts of several nodes, for work in as many threads: none of them waits for its own pod's end."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.node import leftovers
from kubectl_admin.node.debug_pod import LEAVING, REACHING, Options
from kubectl_admin.node.host import Host, Say
from kubectl_admin.node.operation import Operation
from kubectl_admin.pool import ask_all

Opened = Callable[[str], AbstractContextManager[Host]]


@contextmanager
def opening(cluster: Cluster, operation: Operation, options: Options, say: Say) -> Iterator[Opened]:
    """What opens the host of a node, like `host.opened`, but does not wait for its pod's end when it is left.

    All pods are gone when this itself is left, whatever has happened meanwhile. say: as with one host.
    """
    done: list[Host] = []

    @contextmanager
    def opened(node: str) -> Iterator[Host]:
        host = Host(cluster, node, operation, options, say)
        try:
            host.open()
            yield host
        finally:
            host.dismiss()
            done.append(host)

    def close() -> None:
        ask_all({host.node: host.close for host in done}, deadline=LEAVING + REACHING)

    try:
        with leftovers.withdrawing(cluster, options.namespace, operation):
            yield opened
            close()
    finally:
        close()  # in an interrupted run, after all pods were told to go at once
