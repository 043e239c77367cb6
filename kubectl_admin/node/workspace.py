"""A folder of an operation's own on a node's host, for root alone, and gone when the operation is over."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.signals import sheltered

STATE = "/var/lib/kubectl-admin"
CLEARING = 60.0  # seconds for which its removal is tried while the way to the node is cut


@contextmanager
def workspace(host: Host) -> Iterator[str]:
    """The path of the folder. At the end it is removed, with whatever job still runs in it."""
    name = host.operation.id
    path = f"{STATE}/{name}"
    try:
        host.script("workspace", path, str(host.operation.owner))
        yield path
    finally:
        with sheltered():
            try:
                discard(host, name, patience=CLEARING)
            except AdminError as error:
                what = f"{path} could not be removed ({error.what})"
                host.say(f"node {host.node}: {what}: see «kubectl admin cleanup»")


def discard(host: Host, name: str, *, patience: float | None = None) -> None:
    """Removes an operation's folder, its job ended before. patience: as in `Host.persistently`."""
    host.script("discard", STATE, name, patience=patience)
