"""What is tried again while the way to a node is cut: load balancers, API servers, kubelets restart."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from kubectl_admin.cluster.errors import ApiError, BrokenStream, Forbidden, NotFound, Unreachable
from kubectl_admin.errors import AdminError

Result = TypeVar("Result")

FIRST, LONGEST = 0.2, 1.0  # seconds between two tries
# A kubelet asks an API server what the one that calls it may do; until it reaches one, that is nothing.
# Source: kubernetes/kubernetes pkg/kubelet/server/server.go, InstallAuthFilter.
BY_KUBELET = "Forbidden (user="
# What a kubelet that has no certificate to serve says to the API server. Source: Go, crypto/tls alert.go.
UNCERTIFIED = "remote error: tls: internal error"
STARTING = 20.0  # seconds in which a kubelet that has just been started must have one
APPROVE = "its kubelet has no certificate to serve: kubectl admin certs csr shows what it has asked for"
QUIET = 2  # failures in a row that are nobody's business


@dataclass(frozen=True, slots=True)
class Persistence:
    """How much is put up with before a failure counts, and who is told.

    patience: seconds since the first failure. retries: failures in a row that are followed by another try;
    None is any number. say: is given a sentence when it takes longer. settling: seconds for which a refusal
    of what was granted before is put up with, too: an API server that has just started knows no roles yet.
    """

    patience: float
    say: Callable[[str], None]
    retries: int | None = None
    settling: float = 0.0

    def __call__(self, action: Callable[[], Result], *, mend: Callable[[], None] | None = None) -> Result:
        """What the action returns, tried until it succeeds; it must bear to be done twice.

        mend: called before every further try; what it raises ends the tries, unless it is transient, too.
        """
        began, pause, failures = 0.0, FIRST, 0
        while True:
            try:
                if failures and mend:
                    mend()
                return action()
            except AdminError as error:
                # What fails after hours of work has not been tried for hours.
                began = began if failures else time.monotonic()
                failures += 1
                enough = self.retries is not None and failures > self.retries
                if enough or time.monotonic() + pause > began + self._patience_with(error):
                    error.hint = APPROVE if UNCERTIFIED in error.what else error.hint
                    raise
                if failures == QUIET:
                    self.say(f"{error.what}; trying again")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST)

    def _patience_with(self, error: AdminError) -> float:
        """Seconds; less than none for what will not change by itself."""
        if UNCERTIFIED in error.what:
            return min(STARTING, self.patience)
        if is_transient(error):
            return self.patience
        settles = isinstance(error, Forbidden) and (error.verb or error.message.startswith(BY_KUBELET))
        return min(self.settling, self.patience) if settles else -1


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
