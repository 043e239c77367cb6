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

    patience: seconds without any success. retries: failures in a row; None is any number. say: is given a
    sentence when it takes longer.
    """

    patience: float
    say: Callable[[str], None]
    retries: int | None = None

    def __call__(self, action: Callable[[], Result], *, mend: Callable[[], None] | None = None) -> Result:
        """What the action returns, tried until it succeeds; it must bear to be done twice.

        mend: called before every further try; what it raises ends the tries, unless it is transient, too.
        """
        began, pause, failures = time.monotonic(), FIRST, 0
        while True:
            try:
                if failures and mend:
                    mend()
                return action()
            except AdminError as error:
                failures += 1
                late = time.monotonic() - began + pause > self.patience
                if late or not is_transient(error) or failures > (self.retries or failures):
                    raise
                if failures == QUIET:
                    self.say(f"{error.what}; trying again")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST)


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
    return isinstance(error, BrokenStream | Unreachable)
