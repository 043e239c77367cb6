"""A drain's reports while it runs, and how they are shown in words."""

from collections.abc import Callable, Sequence

from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.facts import Pod
from kubectl_admin.report.text import and_more, duration

SHOWN = 10  # pods in the view of who is waited for


class DrainProgress:
    """Receives what a drain reports; a subclass overrides what it wants to show.

    All calls come from the thread that drains, and must return soon.
    """

    def note(self, text: str) -> None:
        """Something worth a line."""

    def asked(self, pod: Pod, verb: str) -> None:
        """A pod is asked to leave for the first time. verb: «evicting» or «deleting»."""

    def held(self, pod: Pod, why: str) -> None:
        """A pod can't leave yet, or for another reason than before."""

    def gone(self, pod: Pod, seconds: float) -> None:
        """A pod has gone, this many seconds after its eviction was accepted."""

    def waiting(self, pods: Sequence[Waiting]) -> None:
        """The pods that are still waited for, at least once a second."""


class DrainLines(DrainProgress):
    """Shows a drain in words.

    line: shows a line that stays.
    block: shows lines in the place of the block before.
    """

    def __init__(self, line: Callable[[str], None], block: Callable[[Sequence[str]], None]) -> None:
        self._line, self._block = line, block

    def note(self, text: str) -> None:
        self._line(text)

    def asked(self, pod: Pod, verb: str) -> None:
        self._line(f"{verb} pod {pod}")

    def held(self, pod: Pod, why: str) -> None:
        self._line(f"pod {pod} waits: {why}")

    def gone(self, pod: Pod, seconds: float) -> None:
        took = f" ({duration(seconds)})" if seconds >= 1 else ""
        self._line(f"pod {pod} is gone{took}")

    def waiting(self, pods: Sequence[Waiting]) -> None:
        lines = [f"{duration(each.seconds):>6}  {each.pod}: {each.why}" for each in pods[:SHOWN]]
        if rest := and_more(len(pods) - SHOWN):
            lines.append(f"        {rest}")
        self._block(lines)
