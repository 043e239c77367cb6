"""Whether a failed request is worth another try, and the trying: one table for every verb.

    what went wrong    first contact    amid work                    may be sent again
    UNREACHED          for a second     with patience                anything
    CUT                a GET, briefly   with patience                what may be done twice
    STARTING           a GET, briefly   with patience                what may be done twice
    UNCERTIFIED        for 20 s         for 20 s                     what may be done twice
    UNKNOWN_USER       final            for 60 s, if let in before   anything
    UNKNOWN_ROLES      final            for `settling` seconds       anything
    FINAL              final            final                        nothing

Patience is what the caller gives a Retry; a watch is kept up for as long as somebody waits for it. Nothing
else in this program decides by itself whether an error is worth another try: `is_transient` says it for one
error, `may_be_sent_again` for one request.

The reasons, row by row:

UNREACHED: nobody has heard of the request, so it is safe to send, whatever it changes.
CUT: the request may have been carried out, and its answer lost. A created object is looked for instead.
STARTING: the server, or one behind it, is there and not ready. A 500 may have been carried out in part.
UNCERTIFIED: a kubelet has its certificate seconds after its request is approved. If it takes longer, nobody
    approves it, and waiting is of no use.
UNKNOWN_USER: nothing was carried out. A server that has let the same user in before and has restarted does
    not know its token issuers yet; one that has never let the user in is right.
UNKNOWN_ROLES: nothing was carried out. A server reads its roles within a second of its start; a right that
    is missing stays missing, so only who had the right before (`settling`) waits.
FINAL: the answer would be the same: no such object, a conflict, an invalid request, a wrong certificate, an
    etcd that is full, until a person has made room.

First contact: no server has answered this run yet. A wrong address is the likeliest reason then, and who has
mistyped it wants to hear so; a run that resumes work begun earlier, or that may find the only API server
restarted by that very work, says so (`Cluster.patient`, `resuming`). Others are patient from the first answer
on, if they change anything; a listing is quickly run again. A certain sign of a wrong address, or of a wrong
way (no such name, no TLS, a proxy's 4xx), is FINAL then, whoever asks.

A starting API server refuses connections, cuts handshakes off, answers 401 until it has read the keys of
its OIDC issuer, 403 until it knows its roles, 500 and 503 until its post-start hooks are done; «etcdserver:
leader changed» and «request timed out» are 500 and 504. A balancer without a backend says 502, 503 or
nothing. Where not even /readyz is answered to a user, an API server may not know its roles yet: a 403 is
then put up with for 20 s at any time.
Source: kubernetes/kubernetes plugin/pkg/auth/authenticator/token/oidc/oidc.go («authenticator not
initialized»), plugin/pkg/auth/authorizer/rbac, staging/src/k8s.io/apiserver/pkg/server/healthz.go.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TypeVar

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.errors import (
    ApiError,
    BrokenStream,
    Forbidden,
    Misdirected,
    NotFound,
    NothingSent,
    Unauthorized,
    Unreachable,
    UnsettledError,
    Untrusted,
)
from kubectl_admin.errors import AdminError

Result = TypeVar("Result")

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 1.0  # seconds between two tries
# A kubelet asks an API server what the one that calls it may do; until it reaches one, that is nothing.
# Source: kubernetes/kubernetes pkg/kubelet/server/server.go, InstallAuthFilter.
BY_KUBELET = "Forbidden (user="
# The words of a kubelet without a certificate to serve to the API server. Source: Go, crypto/tls alert.go.
UNCERTIFIED = "remote error: tls: internal error"
FULL = "database space exceeded"  # etcd api/v3rpc/rpctypes/error.go, ErrGRPCNoSpace
CERTIFICATE_TIMEOUT = 20.0  # seconds in which a kubelet that has just been started must have one
# Seconds in which an API server that knew a user knows the user again. It asks an issuer every ten.
KNOWN_USER_TIMEOUT = 60.0
# Seconds in which an API server that has just started has read its roles; it takes below one.
ROLES_TIMEOUT = 20.0
APPROVE = "its kubelet has no certificate to serve: kubectl admin certs csr shows what it has asked for"
LOOK_TIMEOUT = 20.0  # seconds for which who only wants to see something waits for a server
RESTART_TIMEOUT = 60.0  # seconds in which a kubeadm control plane is back, whose API server was restarted
QUIET_FAILURES = 2  # failures in a row that are not reported


class Trouble(Enum):
    """Kinds of errors, as far as another try is concerned: the rows of the table above.

    UNREACHED: refused, no route, no name, no time to connect, a TLS handshake that is cut off. CUT: hung up
    on, silence, a stream that ends without its last word: the fate of what was asked is not known. STARTING:
    429 and 5xx of an API server, or of what is in front of it or behind it (a 500 may have been carried out
    in part), a kubelet that knows no pods yet, a node that is not Ready. UNCERTIFIED: a kubelet without a
    certificate to serve. UNKNOWN_USER: 401. UNKNOWN_ROLES: 403 of an authorizer or a kubelet.
    """

    UNREACHED = auto()
    CUT = auto()
    STARTING = auto()
    UNCERTIFIED = auto()
    UNKNOWN_USER = auto()
    UNKNOWN_ROLES = auto()
    FINAL = auto()


PASSING = frozenset({Trouble.UNREACHED, Trouble.CUT, Trouble.STARTING, Trouble.UNCERTIFIED})
NOT_CARRIED_OUT = frozenset({Trouble.UNREACHED, Trouble.UNKNOWN_USER, Trouble.UNKNOWN_ROLES})


class NotReadyError(AdminError):
    """A node's kubelet starts no pod at present."""


def trouble_of(error: AdminError) -> Trouble:  # noqa: C901, PLR0911 - a row each
    """The row of the table that an error belongs to.

    A kubelet that has just started does not know its pods yet and answers NotFound to an exec; whether the
    pod is really gone, the API says, not the kubelet.
    Source: kubernetes/kubernetes pkg/kubelet/server/server.go, getExec: «pod does not exist».
    """
    if UNCERTIFIED in error.what:
        return Trouble.UNCERTIFIED
    match error:
        case NotFound() if "pod does not exist" in error.message or "container not found" in error.message:
            return Trouble.STARTING
        case Unauthorized():
            return Trouble.UNKNOWN_USER
        case UnsettledError():
            return Trouble.UNKNOWN_ROLES
        case Forbidden() if error.verb or error.message.startswith(BY_KUBELET):
            return Trouble.UNKNOWN_ROLES
        case ApiError() if FULL in error.message:
            return Trouble.FINAL
        case ApiError() if error.status >= 500 or error.status == 429:
            return Trouble.STARTING
        case NothingSent():
            return Trouble.UNREACHED
        case Untrusted() | Misdirected():
            return Trouble.FINAL
        case Unreachable() | BrokenStream():
            return Trouble.CUT
        case NotReadyError():
            return Trouble.STARTING
        case _:
            return Trouble.FINAL


def is_transient(error: AdminError) -> bool:
    """Whether the same may well succeed a little later, whoever asks."""
    match error:
        case Unauthorized():
            return error.known
        case Forbidden():
            return error.unsettled
        case UnsettledError():
            return True
    return trouble_of(error) in PASSING


def may_be_sent_again(error: AdminError, *, twice: bool) -> bool:
    """Whether a request that failed so may be sent again. twice: whether it bears being carried out twice."""
    trouble = trouble_of(error)
    return trouble in NOT_CARRIED_OUT or (twice and trouble in PASSING)


@dataclass(frozen=True, slots=True)
class Retry:
    """How much is put up with before a failure counts, and who is told.

    patience: seconds since the first failure. say: is given a sentence when it takes longer. retries:
    failures in a row that are followed by another try; None is any number. settling: seconds for which a
    refusal of what was granted before is put up with, too: an API server that has just started knows no
    roles yet. clock: by which that is.
    """

    patience: float
    say: Callable[[str], None] = lambda _: None
    retries: int | None = None
    settling: float = 0.0
    clock: Clock = time

    def __call__(
        self,
        action: Callable[[], Result],
        *,
        mend: Callable[[], None] | None = None,
        twice: bool = True,
    ) -> Result:
        """The action's result; it is tried until it succeeds.

        mend: called before every further try; its error ends the tries, unless it is transient, too.
        twice: whether the action bears being carried out twice; if not, it is tried again only if it was
        certainly not carried out.
        """
        clock = self.clock
        began, pause, failures = 0.0, FIRST_PAUSE, 0
        while True:
            try:
                if failures and mend:
                    mend()
                return action()
            except AdminError as error:
                # An action that fails after hours of work has not been tried for hours.
                began = began if failures else clock.monotonic() - error.waited
                failures += 1
                enough = self.retries is not None and failures > self.retries
                patience = self._patience_with(error)
                late = clock.monotonic() + pause > began + patience
                if enough or late or not may_be_sent_again(error, twice=twice):
                    if trouble_of(error) is Trouble.UNCERTIFIED:
                        error.hint = APPROVE
                    # Who waits outside has waited as long.
                    error.waited = max(clock.monotonic() - began, patience if late else 0.0)
                    raise
                if failures == QUIET_FAILURES:
                    self.say(f"{error.what}; trying again")
            clock.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _patience_with(self, error: AdminError) -> float:
        """Seconds; less than none for what will not change by itself."""
        match trouble_of(error):
            case Trouble.UNCERTIFIED:
                return min(CERTIFICATE_TIMEOUT, self.patience)
            case Trouble.UNKNOWN_ROLES if is_transient(error):
                return min(max(ROLES_TIMEOUT, self.settling), self.patience)
            case Trouble.UNKNOWN_USER if is_transient(error):
                return min(max(KNOWN_USER_TIMEOUT, self.settling), self.patience)
            case Trouble.UNKNOWN_USER | Trouble.UNKNOWN_ROLES:
                return min(self.settling, self.patience) if self.settling else -1
        return self.patience if is_transient(error) else -1


class Patience:
    """A Retry for many requests at once, from many threads: of an outage, it is told once.

    resuming: whether it counts before any server has answered, too. clock: the connection's.
    """

    def __init__(self, retry: Retry, resuming: bool, clock: Clock) -> None:
        self.resuming = resuming
        self._told = False
        self._say = retry.say
        self._retry = replace(retry, say=self._tell, clock=clock)

    def through(self, action: Callable[[], Result], *, twice: bool) -> Result:
        """The action's result; tried until it succeeds. twice: as `Retry` has it."""
        result = self._retry(action, twice=twice)
        self._told = False
        return result

    def _tell(self, text: str) -> None:
        told, self._told = self._told, True
        if not told:
            self._say(text)
