"""What a drain tells while it goes on. Whoever wants to show it overrides what it cares for."""

from collections.abc import Sequence

from kubectl_admin.drain.board import Waiting
from kubectl_admin.drain.facts import Pod


class Observer:
    """Somebody who is told. All calls come from the thread that drains, and must return soon."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def asked(self, pod: Pod, verb: str) -> None:
        """A pod is asked to leave for the first time. verb: «evicting» or «deleting»."""

    def held(self, pod: Pod, why: str) -> None:
        """What holds a pod, each time that it becomes something else."""

    def gone(self, pod: Pod, seconds: float) -> None:
        """A pod has gone, so many seconds after it was let go."""

    def waiting(self, pods: Sequence[Waiting]) -> None:
        """Who is still waited for, at least once a second."""
