"""A node's host: commands run there by argument lists, whatever becomes of the connection in between.

    with host.opened(cluster, "cp-1", operation, options, say) as cp1:
        cp1.run(["systemctl", "is-active", "kubelet"])

Commands run in the host's own root with its processes and network around them, and an environment of their
own.
"""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import TypeVar

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import BrokenStream, NotFound
from kubectl_admin.cluster.exec import Exec, ExecResult
from kubectl_admin.cluster.retry import Retry
from kubectl_admin.errors import AdminError
from kubectl_admin.node import debug_pod, manifest
from kubectl_admin.node.debug_pod import DebugPod, Options
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.script import END, Script
from kubectl_admin.signals import sheltered

COMMAND_TIMEOUT = 60.0  # seconds for a command, unless another time is given
# A container's image, and the shell that kubectl was called from, decide nothing about what runs on the host.
ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
)
KILLED = 128  # what a shell adds to the signal that has ended a command
Say = Callable[[str], None]
Result = TypeVar("Result")
Running = Callable[[Cluster, str, Operation, Options, Say], AbstractContextManager[DebugPod]]


class Host:
    """One node's host. Made by `opened`. Several threads may use it: one of them mends it at a time.

    node: its name. operation: at work there. say: is given a sentence for the person who waits. running:
    as `debug_pod.running`. clock: the cluster's.
    """

    def __init__(
        self,
        cluster: Cluster,
        node: str,
        operation: Operation,
        options: Options,
        say: Say,
        *,
        running: Running = debug_pod.running,
    ) -> None:
        self.node = node
        self.operation = operation
        self.say = say
        self.clock = cluster.clock
        self._cluster = cluster
        self._options = options
        self._running = running
        here = f"node {node}: "
        self._retry = Retry(
            options.patience,
            lambda what: say(f"{here}{what.removeprefix(here)}"),
            options.retries,
            clock=self.clock,
        )
        self._context: AbstractContextManager[DebugPod] | None = None
        self._pod = DebugPod("", "")
        self._mending = threading.RLock()
        self._closed = False

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: Iterable[bytes] | None = None,
        timeout: float = COMMAND_TIMEOUT,
        check: bool = True,
    ) -> ExecResult:
        """The result of a command, run once; if the way is cut, its fate is not known (BrokenStream).

        stdin: what it reads. timeout: seconds in which it must have ended. Raises AdminError with the
        command's last words for an exit code that is not 0, unless `check` is false.
        """
        result = self.start(argv, stdin=stdin, timeout=timeout).run()
        if check and result.exit_code:
            said = result.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            ended = f"node {self.node}: {argv[0]} ended with exit code {result.exit_code}"
            raise AdminError(f"{ended}: {said}" if said else ended)
        return result

    def start(
        self, argv: Sequence[str], *, stdin: Iterable[bytes] | None = None, timeout: float | None = None
    ) -> Exec:
        """A command whose output is read as it comes. Raises BrokenStream also where the pod is gone."""
        command = [*manifest.CHROOT, "/usr/bin/env", "-i", *ENVIRONMENT, *argv]
        where = self._options.namespace, self._pod.name, manifest.CONTAINER
        try:
            return self._cluster.exec(*where, command, stdin=stdin, timeout=timeout)
        except NotFound as error:
            raise BrokenStream(f"node {self.node}: {error.message}") from error

    def script(
        self,
        script: Script,
        *arguments: str,
        stdin: Callable[[], Iterable[bytes]] | None = None,
        timeout: float = COMMAND_TIMEOUT,
        patience: float | None = None,
        before: Callable[[], None] = lambda: None,
    ) -> bytes:
        """A script's whole answer; it is run until that is here, so it must bear being run twice.

        stdin: makes what it reads, again for every run. patience: as in `persistently`. before: called right
        before every run; its error is the end. Raises AdminError with its words where it refuses.
        """

        def attempt() -> bytes:
            before()
            return self.answer(script, *arguments, stdin=stdin() if stdin else None, timeout=timeout)

        return self.persistently(attempt, patience=patience)

    def answer(
        self,
        script: Script,
        *arguments: str,
        stdin: Iterable[bytes] | None = None,
        timeout: float = COMMAND_TIMEOUT,
    ) -> bytes:
        """A script's answer to one attempt; BrokenStream if that is not whole."""
        result = self.run(script.command(arguments), stdin=stdin, timeout=timeout, check=False)
        if result.exit_code > KILLED:
            # No script ends so by itself: its pod was deleted, or the node shuts down.
            signal = result.exit_code - KILLED
            raise BrokenStream(f"node {self.node}: {script.name} was killed by signal {signal}")
        if result.exit_code:
            said = result.stderr.decode("utf-8", "replace").strip()
            said = said or f"{script.name} ended with exit code {result.exit_code}"
            raise AdminError(f"node {self.node}: {said}")
        if not result.stdout.endswith(END):
            raise BrokenStream(f"node {self.node}: the end of what {script.name} said is missing")
        return result.stdout.removesuffix(END)

    def persistently(
        self, action: Callable[[], Result], *, patience: float | None = None, quiet: bool = False
    ) -> Result:
        """The action's result; it is tried again while the way to the node is cut, however often.

        Where the pod is gone (a node that was restarted ends it), another one is made before the next try.
        patience: seconds for that, if not the options' own. quiet: nobody is told that it is tried again.
        Never to be nested: each would wait for itself.
        """
        retry = self._retry if patience is None else replace(self._retry, patience=patience)
        retry = replace(retry, say=lambda _: None) if quiet else retry
        result = retry(action, mend=self._mend)
        # A right that was granted once is granted again, as soon as the API server knows it.
        self._retry = replace(self._retry, settling=math.inf)
        return result

    def _mend(self) -> None:
        """Makes a new pod where the present one has ended or is gone."""
        # Two threads that find it gone would make one each, and only the later one would be removed.
        with self._mending:
            self._refuse_closed()
            path = f"/api/v1/namespaces/{self._options.namespace}/pods/{self._pod.name}"
            try:
                pod = self._cluster.get(path)
                same = pod["metadata"]["uid"] == self._pod.uid and "deletionTimestamp" not in pod["metadata"]
                alive = same and pod["status"].get("phase") == "Running"
            except NotFound:
                alive = False
            if not alive:
                self.say(f"node {self.node}: the debug pod is gone; making another one")
                self._remove()
                self.open()

    @property
    def pod(self) -> tuple[str, str]:
        """Namespace and name of the debug pod, which is in the node's own network."""
        return self._options.namespace, self._pod.name

    def open(self) -> None:
        """Makes the pod. Raises AdminError once `close` was called, in whatever thread."""
        with self._mending:
            self._refuse_closed()
            self._context = self._running(self._cluster, self.node, self.operation, self._options, self.say)
            self._pod = self._context.__enter__()

    def close(self) -> None:
        """Removes the pod, also one that another thread is just making; none is made any more."""
        self._closed = True
        with sheltered(), self._mending:
            self._remove()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise AdminError(f"node {self.node}: the work there is over")

    def _remove(self) -> None:
        context, self._context = self._context, None
        if context:
            # Not None: if Ctrl-C came before it was entered, leaving it in peace would enter it now.
            context.__exit__(GeneratorExit, GeneratorExit(), None)


@contextmanager
def opened(
    cluster: Cluster,
    node: str,
    operation: Operation,
    options: Options,
    say: Say,
    *,
    running: Running = debug_pod.running,
) -> Iterator[Host]:
    """The host of a node, through a debug pod that is gone afterwards.

    say: is given a sentence where something takes long or is tried again. running: as `debug_pod.running`.
    Raises AdminError where there is no way in, with the reason.
    """
    host = Host(cluster, node, operation, options, say, running=running)
    try:
        host.open()
        yield host
    finally:
        host.close()
