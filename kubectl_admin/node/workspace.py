"""A directory of an operation's own on a node's host, for root alone, and gone when the operation is over."""

from collections.abc import Iterator
from contextlib import contextmanager

from kubectl_admin.errors import AdminError
from kubectl_admin.node.host import Host
from kubectl_admin.node.script import Script
from kubectl_admin.signals import sheltered

MAKE, DISCARD = Script("node", "workspace"), Script("node", "discard")
STATE = "/var/lib/kubectl-admin"
DISCARD_TIMEOUT = 60.0  # seconds for which its removal is tried while the way to the node is cut


@contextmanager
def workspace(host: Host) -> Iterator[str]:
    """The path of the directory. At the end it is removed, with the job that may still run in it."""
    name = host.operation.id
    path = f"{STATE}/{name}"
    with sheltered() as shelter:
        try:
            with shelter.exposed():
                make(host, path)
                yield path
        finally:
            try:
                discard(host, name, patience=DISCARD_TIMEOUT)
            except AdminError as error:
                what = f"{path} could not be removed ({error.what})"
                host.say(f"node {host.node}: {what}: see «kubectl admin cleanup»")


def make(host: Host, path: str) -> None:
    """Makes a directory for root alone that says whose it is; one that is there already stays as it is."""
    host.script(MAKE, path, str(host.operation.owner))


def discard(host: Host, name: str, *, patience: float | None = None) -> None:
    """Removes an operation's directory, after its job was stopped. patience: as in `Host.persistently`."""
    host.script(DISCARD, STATE, name, patience=patience)
