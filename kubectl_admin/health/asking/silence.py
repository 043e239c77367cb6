"""Why a question has no answer, by the error that came instead of it. Pure.

Seen on real nodes: a kubelet that is stopped is «error dialing backend: … connection refused», a runtime that
is stopped an error of the kubelet's («rpc error: … containerd.sock»); a kubelet, a runtime or a node that
does not go on answers nothing at all.
"""

from typing import TypeVar

from kubectl_admin.cluster.access import together
from kubectl_admin.cluster.errors import (
    ApiError,
    BrokenStream,
    Forbidden,
    NothingSent,
    Unauthorized,
    Unreachable,
    in_short,
)
from kubectl_admin.cluster.forwarded import SilentError
from kubectl_admin.cluster.portforward import PortError
from kubectl_admin.cluster.relayed import RelayError
from kubectl_admin.cluster.retry import BY_KUBELET
from kubectl_admin.control_plane.endpoints import FORWARDING
from kubectl_admin.errors import AdminError
from kubectl_admin.health.facts import NoReply, Why
from kubectl_admin.pool import LateError

DIALING = "error dialing backend"  # of an API server that does not reach a kubelet
REFUSED = "connection refused"
TIMES_OUT = ("i/o timeout", "timed out")
CUT = ("reset by peer", "broken pipe", "EOF")
# One missed answer of these kinds would be a violation.
DOUBTFUL = (Why.REFUSED, Why.SILENT, Why.GARBLED, Why.FORWARD)
ASKED_AGAIN = (*DOUBTFUL, Why.NODE, Why.SERVER)
# Why nothing is known, where the kind of silence says no more than that.
WORDS = {
    Why.REFUSED: "nothing listens at its port",
    Why.SILENT: "it did not answer in time",
    Why.GARBLED: "its answer can't be read",
    Why.FORBIDDEN: "this user may not ask it",
    Why.SERVER: "no API server took the request",
    Why.NODE: "the API server can't reach its kubelet",
    Why.FORWARD: "the kubelet did not forward to its port",
    Why.NO_WAY: "no running pod in the node's network leads there",
    Why.ELSEWHERE: "it listens at an address that no forwarded port leads to",
    Why.LATE: "its turn did not come in time",
    Why.LEFT_OUT: "its node is not in the sample",
}
SAID = 300  # characters of somebody's words that are kept
NOT_FORWARDED = "which can't be asked this way"  # of a component bound elsewhere, without --host


def of_port(error: AdminError) -> NoReply:  # noqa: PLR0911 - a line each
    """Why a port that was forwarded has not answered."""
    said = error.what[:SAID]
    match error:
        case PortError():
            said = error.said[:SAID]
            if REFUSED in error.said:
                return NoReply(Why.REFUSED, said)
            if any(word in error.said for word in TIMES_OUT):
                return NoReply(Why.SILENT, said)
            return NoReply(Why.GARBLED if any(word in error.said for word in CUT) else Why.FORWARD, said)
        case SilentError():
            return NoReply(Why.SILENT, said)
        case RelayError():
            return NoReply(Why.ELSEWHERE, not_from_host(error.said))
        case LateError():
            return NoReply(Why.LATE, said)
        case BrokenStream():
            return NoReply(Why.LATE if "not done within" in error.what else Why.FORWARD, said)
    return NoReply(Why.GARBLED, said)


def not_from_host(why: str) -> str:
    """The words on a component bound elsewhere that its node's host could not ask either."""
    return f"and its node's host can't ask it: {why}"[:SAID]


def of_way(error: AdminError, seconds: float) -> NoReply:  # noqa: PLR0911 - a line each
    """Why no port of a node could be forwarded at all. seconds: those that it was waited for."""
    said = error.what[:SAID]
    match error:
        case Forbidden() if not error.message.startswith(BY_KUBELET):
            return NoReply(Why.FORBIDDEN, said, together(FORWARDING))
        case Unauthorized() | Forbidden():
            return NoReply(Why.FORWARD, f"the kubelet refuses the API server: {error.message}"[:SAID])
        case ApiError() if error.status == 404:
            return NoReply(Why.NO_WAY, said)
        case ApiError(status=504):
            return NoReply(Why.SILENT, error.message[:SAID])
        case ApiError():
            return NoReply(Why.NODE if DIALING in error.message else Why.FORWARD, error.message[:SAID])
        case LateError():
            return NoReply(Why.LATE, said)
        case NothingSent():
            return NoReply(Why.SERVER, in_short(error)[:SAID])
        case Unreachable() if any(word in error.what for word in (*TIMES_OUT, "too slowly")):
            return NoReply(Why.SILENT, f"the kubelet has not answered the API server within {seconds:.0f} s")
    return NoReply(Why.NO_WAY, said)


def of_proxy(error: AdminError) -> NoReply:
    """Why an API server has not answered that was asked through another one."""
    said = error.what[:SAID]
    match error:
        case Forbidden() if error.verb:
            return NoReply(Why.FORBIDDEN, said, "get pods/proxy in namespace kube-system")
        case ApiError() if REFUSED in error.message:
            return NoReply(Why.REFUSED, error.message[:SAID])
        case Unreachable():
            return NoReply(Why.SILENT, said)
        case LateError():
            return NoReply(Why.LATE, said)
    return NoReply(Why.NO_WAY, said)


def of_address(error: AdminError) -> NoReply:
    """Why nobody has answered at an address that nothing else was asked through."""
    match error:
        case Unreachable():
            said = in_short(error)
            return NoReply(Why.REFUSED if REFUSED in said else Why.SILENT, said[:SAID])
    return of_proxy(error)


Told = TypeVar("Told")


def too_late(told: Told | NoReply) -> Told | NoReply:
    """An answer where no time was left to look again: a missed one is not evidence."""
    if not isinstance(told, NoReply) or told.why not in ASKED_AGAIN:
        return told
    return NoReply(Why.LATE, f"no time was left to look again: {told.said}"[:SAID])
