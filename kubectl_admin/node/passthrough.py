"""A command on a host with our own input and outputs around it, as if it ran here."""

import os
import select
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

from kubectl_admin.cluster.access import explained
from kubectl_admin.cluster.channels import FRAME
from kubectl_admin.cluster.exec import STDOUT
from kubectl_admin.errors import AdminError
from kubectl_admin.node import debug_pod, leftovers
from kubectl_admin.node.hosts import Hosts
from kubectl_admin.streams import ReaderGone


def execute(
    hosts: Hosts,
    node: str,
    argv: Sequence[str],
    *,
    stdin: BinaryIO | None,
    stdout: BinaryIO,
    stderr: BinaryIO,
) -> int:
    """The exit code of the command, when it has ended; its output is passed on as it comes.

    stdin: its input; None for none. Raises BrokenStream for a cut connection: the command may keep
    running; ReaderGone where nobody reads its output any more, which ends it.
    """
    cluster, namespace = hosts.cluster, hosts.options.namespace
    leftovers.sweep(cluster, namespace)
    with (
        explained(cluster, debug_pod.rights(namespace)),
        hosts.open(node) as there,
        there.start(argv, stdin=None if stdin is None else pieces(stdin)) as running,
    ):
        for channel, data in running:
            if channel == STDOUT:
                pass_on(data, stdout)
            else:
                with suppress(AdminError):  # nobody sees it, which does not end the command
                    pass_on(data, stderr)
    return running.exit_code or 0


def pass_on(data: bytes, stream: BinaryIO) -> None:
    """Writes what a command has written; raises ReaderGone or AdminError where the stream takes no more."""
    try:
        stream.write(data)
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise AdminError(f"the output can't be written: {error.strerror}") from error


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """A stream's content, as soon as it is there, and empty pieces while there is nothing."""
    source = stream.fileno()
    try:
        while True:
            if not select.select([source], [], [], 0)[0]:
                yield b""
            elif data := os.read(source, FRAME):
                yield data
            else:
                return
    except OSError as error:
        raise AdminError(f"standard input can't be read: {error.strerror}") from error
