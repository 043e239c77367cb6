"""An upgrade as it is told to a person: a line for each step, and what the host writes just now."""

from collections.abc import Callable, Sequence

from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.facts import Pod
from kubectl_admin.drain.telling import Telling
from kubectl_admin.plan import Step
from kubectl_admin.upgrade.work import Teller

HEADING = "== "  # how a script on the host begins the title of a part of its work


class Told(Teller):
    """Tells it in words. line, block: as for a drain. whole: whether all that jobs write is shown."""

    def __init__(
        self, line: Callable[[str], None], block: Callable[[Sequence[str]], None], *, whole: bool = False
    ) -> None:
        self._line, self._block, self._whole = line, block, whole
        self._drain = Telling(line, block)
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
