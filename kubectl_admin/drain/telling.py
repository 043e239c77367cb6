"""A drain as it is told to a person: a line for what happens, and who is waited for, in words."""

from collections.abc import Callable, Sequence

from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.drain import Drained
from kubectl_admin.drain.facts import Pod
from kubectl_admin.drain.observer import Observer

SHOWN = 10  # pods in the view of who is waited for


class Telling(Observer):
    """Tells it in words.

    line: says a line that stays. block: shows lines for as long as they hold, in the place of those before.
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
        if len(pods) > SHOWN:
            lines.append(f"        and {len(pods) - SHOWN} more")
        self._block(lines)


def ended(node: str, drained: Drained) -> str:
    """The good end in a line."""
    late = len(drained.given_up)
    left = f", {late} not waited for" if late else ""
    if drained.stayed:
        left += f"; still there, since they came meanwhile: {some_of(drained.stayed)}"
    return f"node/{node} drained in {duration(drained.seconds)}: {len(drained.gone)} pods gone{left}"


def some_of(pods: Sequence[Pod]) -> str:
    """Pods by their names, not all of many."""
    more = f" and {len(pods) - SHOWN} more" if len(pods) > SHOWN else ""
    return ", ".join(str(pod) for pod in pods[:SHOWN]) + more


def duration(seconds: float) -> str:
    """A time span as Kubernetes writes it: 45s, 2m5s, 1h3m."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60}s"
    return f"{whole // 3600}h{whole % 3600 // 60}m"
