"""Reports of a node's upgrade while it runs, and how they are shown in words."""

from collections.abc import Callable, Sequence

from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.facts import Pod
from kubectl_admin.drain.progress import DrainLines, DrainProgress
from kubectl_admin.plan import Step

HEADING = "== "  # how a script on the host begins the title of a part of its work


class UpgradeProgress(DrainProgress):
    """Receives what an upgrade reports, its drain included; a subclass overrides what it wants to show."""

    def step(self, step: Step) -> None:
        """A step begins."""

    def wrote(self, text: str) -> None:
        """Text that a job on the host has written."""

    def lacking(self, what: Sequence[str]) -> None:
        """All that is still missing before the node is well."""


class UpgradeLines(UpgradeProgress):
    """Shows an upgrade in words.

    line, block: as in DrainLines.
    whole: whether everything that jobs write is shown.
    """

    def __init__(
        self, line: Callable[[str], None], block: Callable[[Sequence[str]], None], *, whole: bool = False
    ) -> None:
        self._line, self._block, self._whole = line, block, whole
        self._drain = DrainLines(line, block)
        self._begun = ""

    def step(self, step: Step) -> None:
        self._block(())
        self._line(f"{step.name}: {step.title}")

    def wrote(self, text: str) -> None:
        lines = (self._begun + text).split("\n")
        self._begun = lines.pop()
        for each in filter(None, lines):
            if self._whole:
                self._line(f"  {each}")
            elif each.startswith(HEADING):
                self._line(f"  {each.removeprefix(HEADING)}")
            else:
                self._block((f"  {each}",))

    def lacking(self, what: Sequence[str]) -> None:
        self._block([f"  waiting for {each}" for each in what])

    def note(self, text: str) -> None:
        self._drain.note(text)

    def asked(self, pod: Pod, verb: str) -> None:
        self._drain.asked(pod, verb)

    def held(self, pod: Pod, why: str) -> None:
        self._drain.held(pod, why)

    def gone(self, pod: Pod, seconds: float) -> None:
        self._drain.gone(pod, seconds)

    def waiting(self, pods: Sequence[Waiting]) -> None:
        self._drain.waiting(pods)
