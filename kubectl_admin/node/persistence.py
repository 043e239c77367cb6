"""What is tried again while the way to a node is cut: load balancers, API servers, kubelets restart."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kubectl_admin.cluster.errors import ApiError, BrokenStream, NotFound, Unreachable
from kubectl_admin.errors import AdminError

Result = TypeVar("Result")

FIRST, LONGEST = 0.2, 3.0  # seconds between two tries
QUIET = 2  # failures in a row that are nobody's business


@dataclass(frozen=True, slots=True)
class Persistence:
    """How much is put up with before a failure counts, and who is told.

    patience: seconds since the first failure. retries: failures in a row that are followed by another try;
    None is any number. say: is given a sentence when it takes longer.
    """

    patience: float
    say: Callable[[str], None]
    retries: int | None = None

    def __call__(self, action: Callable[[], Result], *, mend: Callable[[], None] | None = None) -> Result:
        """What the action returns, tried until it succeeds; it must bear to be done twice.

        mend: called before every further try; what it raises ends the tries, unless it is transient, too.
        """
        end, pause, failures = 0.0, FIRST, 0
        while True:
            try:
                if failures and mend:
                    mend()
                return action()
            except AdminError as error:
                # What fails after hours of work has not been tried for hours.
                end = end if failures else time.monotonic() + self.patience
                failures += 1
                enough = self.retries is not None and failures > self.retries
                if enough or not is_transient(error) or time.monotonic() + pause > end:
                    raise
                if failures == QUIET:
                    self.say(f"{error.what}; trying again")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST)


class NotReadyError(AdminError):
    """A node's kubelet starts no pod at present."""


def is_transient(error: AdminError) -> bool:
    """Whether the same may well succeed a little later.

    A kubelet that has just started does not know its pods yet and answers NotFound to an exec; whether the
    pod is really gone, the API says, not the kubelet.
    Source: kubernetes/kubernetes pkg/kubelet/server/server.go, getExec: «pod does not exist».
    """
    if isinstance(error, NotFound):
        return "pod does not exist" in error.message or "container not found" in error.message
    if isinstance(error, ApiError):
        return error.status >= 500 or error.status == 429
    return isinstance(error, BrokenStream | Unreachable | NotReadyError)
