"""The process around a verb: its streams, environment variables and global flags, in place of `sys`."""

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.streams import ReaderGone, open_standard

if TYPE_CHECKING:
    from kubectl_admin.clock import Clock
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.cluster.kubeconfig import Overrides
    from kubectl_admin.report import Report
    from kubectl_admin.report.live import Live
    from kubectl_admin.report.progress import Moving, Progress

TABLE_FORMATS = ("table", "wide")
WRITTEN_AT_ONCE = 1 << 16  # characters
Line = TypeVar("Line", "Progress", "Moving")


@dataclass
class Environment:
    """Everything outside that a verb may touch; tests hand in their own.

    flags: the global options as given, before and after the verb, named as in `Overrides`.
    output, headers: how a report is shown (`-o`, `--no-headers`).
    clock: the one that is waited by.
    unread: the reader of standard output is gone; the verb continues its work.
    """

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    environ: Mapping[str, str]
    flags: dict[str, Any] = field(default_factory=dict)
    verbosity: int = 0
    output: str = "table"
    headers: bool = True
    clock: "Clock" = time
    unread: bool = field(default=False, init=False)
    _line: "Progress | Moving | None" = field(default=None, init=False, repr=False)

    @classmethod
    def of_process(cls) -> "Environment":
        """The environment of this process."""
        return cls(*open_standard(), os.environ)

    def overrides(self, **changes: Any) -> "Overrides":
        """The global flags' changes to the kubeconfig; `changes` win over them."""
        from kubectl_admin.cluster.kubeconfig import Overrides

        return Overrides(**{**self.flags, **changes})

    def cluster(self, **changes: Any) -> "Cluster":
        """A connection to the cluster that kubeconfig and flags name; raises AdminError as kubectl would."""
        from kubectl_admin import __version__
        from kubectl_admin.cluster import kubeconfig
        from kubectl_admin.cluster.connection import Cluster

        target = kubeconfig.resolve(self.overrides(**changes), self.environ)
        return Cluster.connect(target, user_agent=f"kubectl-admin/{__version__}", clock=self.clock)

    def cluster_for_work(self, *, patience: float | None = None, resuming: bool = False) -> "Cluster":
        """A connection for a verb that changes something: it outlasts an API server that is restarted.

        patience: seconds for each request; a minute if None. resuming: whether the first contact is patient,
        too, since an earlier run may have the only API server restarted just now. Raises as `cluster` does.
        """
        from kubectl_admin.cluster.retry import RESTART_TIMEOUT, Retry

        retry = Retry(RESTART_TIMEOUT if patience is None else patience, self.note)
        return self.cluster().patient(retry, resuming=resuming)

    def clusters(self, patterns: str) -> "dict[str, Callable[[], Cluster]]":
        """A connector for each context that the patterns name («prod-*,test»), in the kubeconfig's order.

        Raises UsageError for a pattern that names none.
        """
        from kubectl_admin.cluster import kubeconfig

        contexts = kubeconfig.contexts(self.overrides(), self.environ)
        return {name: partial(self.cluster, context=name) for name in kubeconfig.matching(contexts, patterns)}

    def show(self, report: "Report", stream: TextIO | None = None, *, output: str | None = None) -> None:
        """Prints the report, on stdout unless another stream is given.

        output: a format instead of the one that was asked for.
        Raises AdminError where it can't be written; that nobody reads it any more is not an error.
        """
        stream, output = stream or self.stdout, output or self.output
        for text in _gathered(self._texts(report, stream, output)):
            self.write(text, stream)
            if self.unread and stream is self.stdout:
                return

    def _texts(self, report: "Report", stream: TextIO, output: str) -> Iterable[str]:
        """The report as text, in pieces: its items may be more than fit into memory."""
        if output == "name":
            from kubectl_admin.report.text import printable

            return (f"{printable(name)}\n" for name in report.names())
        if output in report.texts:
            return [report.texts[output]()]
        if output in TABLE_FORMATS:
            from kubectl_admin.report import terminal

            whole = terminal.render(
                report,
                wide=output == "wide",
                headers=self.headers,
                colour=self.colour(stream),
                width=self.width,
            )
            return [whole]
        from kubectl_admin.report import document

        return (document.json_pieces if output == "json" else document.yaml_pieces)(report)

    def write(self, text: str, stream: TextIO | None = None) -> None:
        """Writes text at once, on stdout unless another stream is given; raises as `show` does."""
        stream = stream or self.stdout
        try:
            stream.write(text)
            stream.flush()
        except ReaderGone:
            self.unread = True

    def require_taker(self, what: str) -> None:
        """Raises UsageError where stdout takes no bytes («a snapshot»): a terminal, or one that is closed."""
        hint = "name a file with -o, or send it on: -o - | …"
        if self.stdout.isatty():
            raise UsageError(f"a terminal can't show {what}", hint)
        if getattr(self.stdout, "closed_by_shell", False):
            raise UsageError("standard output is closed", hint)

    @contextmanager
    def progress(self, title: str) -> "Iterator[Progress]":
        """A line on a terminal's stderr that says how far `title` has come, and is gone at the end."""
        from kubectl_admin.report.progress import Progress

        with self._showing(Progress(self.stderr if self.steers(self.stderr) else None, title)) as progress:
            yield progress

    @contextmanager
    def moving(self, title: str) -> "Iterator[Moving]":
        """A line on stderr that says how many bytes of `title` have come, how fast, and how many will."""
        from kubectl_admin.report.progress import Moving

        with self._showing(Moving(self.stderr, title, terminal=self.steers(self.stderr))) as moving:
            yield moving

    @contextmanager
    def _showing(self, line: "Line") -> "Iterator[Line]":
        """Inside, the line makes room for notes; at the end it is gone."""
        self._line = line
        try:
            yield line
        finally:
            self._line = None
            line.clear()

    @contextmanager
    def live(self) -> "Iterator[Live]":
        """A view on stderr of what is going on: lines that stay, and those that hold just now."""
        from kubectl_admin.report.live import Live

        live = Live(self.stderr, steers=self.steers(self.stderr))
        try:
            yield live
        finally:
            live.close()

    def note(self, text: str) -> None:
        """A line on stderr for the person who waits: something takes long, or is tried again."""
        from kubectl_admin.report.text import printable

        if self._line:
            self._line.clear()
        self.stderr.write(f"{printable(text)}\n")
        self.stderr.flush()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Asks on the terminal whether to continue; `yes` is a person's answer beforehand (`--yes`).

        Raises AdminError for any other answer than yes, UsageError where there is nobody to be asked.
        """
        if yes:
            return
        if not self.stdin.isatty():
            raise UsageError(
                f"refusing to {question} without confirmation: stdin is not a terminal", "use --yes"
            )
        from kubectl_admin.report.text import printable

        self.stderr.write(f"{printable(question)}? (y/N) ")
        self.stderr.flush()
        if getattr(self.stderr, "lost", False):
            raise UsageError("the question can't be shown: stderr can't be written to", "use --yes")
        if self.stdin.readline().strip().lower() not in ("y", "yes"):
            raise AdminError("nothing was changed")

    def colour(self, stream: TextIO) -> bool:
        """Whether the stream takes colour: a terminal that is not dumb, and no NO_COLOR (no-color.org)."""
        return self.steers(stream) and not self.environ.get("NO_COLOR")

    def steers(self, stream: TextIO) -> bool:
        """Whether escape sequences do anything on the stream: a terminal that is not dumb."""
        return stream.isatty() and self.environ.get("TERM") != "dumb"

    def log_requests(self) -> None:
        """Shows every request on stderr, as kubectl's -v=6 does."""
        import logging

        from kubectl_admin.report.text import printable

        class Printable(logging.Formatter):
            def format(self, record: logging.LogRecord) -> str:
                return printable(super().format(record))

        handler = logging.StreamHandler(self.stderr)
        handler.setFormatter(Printable("%(message)s"))
        logger = logging.getLogger("kubectl_admin")
        logger.handlers = [handler]
        logger.setLevel(logging.DEBUG)

    @property
    def width(self) -> int:
        """Columns of the terminal; 80 where stdout is none, so that files look the same everywhere."""
        return min(shutil.get_terminal_size().columns, 120) if self.stdout.isatty() else 80


def _gathered(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces put together to some that are worth a write each."""
    waiting: list[str] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= WRITTEN_AT_ONCE:
            yield "".join(waiting)
            waiting, length = [], 0
    yield "".join(waiting)
