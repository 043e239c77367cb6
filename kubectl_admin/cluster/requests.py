"""A request carried out: who asks, refusals raised, tried again where that is safe, never for ever."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import urllib3

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.credentials import Headers, Identity
from kubectl_admin.cluster.errors import ApiError, Forbidden, NothingSent, Unauthorized, Unreachable, refusal
from kubectl_admin.cluster.limits import TooLong
from kubectl_admin.cluster.retry import LONGEST_PAUSE, ROLES_TIMEOUT, is_transient, may_be_sent_again
from kubectl_admin.cluster.transport import Transport
from kubectl_admin.errors import AdminError

log = logging.getLogger("kubectl_admin.cluster")

Query = Iterable[tuple[str, str]]
Result = TypeVar("Result")

TRIES = 3
RETRY_INTERVAL = 0.2  # seconds before the second try, three times as many before the third
LONGEST_RETRY_INTERVAL = 15.0  # seconds; a server that wants to be left alone for longer is not waited for
CHUNK = 1 << 16  # bytes
READY_GRACE = 1.0  # seconds for which a server that was ready is believed when it refuses
READINESS_TIMEOUT = 5.0  # seconds in which a server must have said whether it is ready
REFUSAL = 1 << 20  # bytes of a refusal that are read at most


@dataclass(frozen=True, slots=True)
class Request:
    """A question. location: path and query, escaped. body: a value for JSON, or None."""

    method: str
    location: str
    headers: Headers
    body: Any = None


def location(path: str, query: Query = ()) -> str:
    """Path and query as they are sent; characters that a path must not have are escaped."""
    encoded = urlencode(list(query))
    return quote(path, safe="/:@!$&'()*+,;=~%") + (f"?{encoded}" if encoded else "")


def carry_out(
    transport: Transport,
    request: Request,
    *,
    timeout: float | None,
    limit: int | None = None,
    tries: int = TRIES,
) -> bytes:
    """The whole body of the answer.

    timeout: seconds for all tries together; None sets no limit but the one of silence. limit: bytes that
    the answer may have. Raises ApiError for a refusal, Unreachable for none, AdminError beyond the limit.
    """

    def once(end: Deadline | None) -> bytes:
        left = max(end.left, 0.001) if end else None
        answer = open_answer(transport, request, timeout=left)
        try:
            body = read_whole(transport, answer, limit=limit)
        except TooLong:
            raise AdminError(f"the answer to {request.location} is longer than {limit} bytes") from None
        finally:
            answer.close()
        if request.method == "GET":
            transport.granted = transport.granted or request.location
        return body

    return send_with_retries(transport, request.method, once, timeout=timeout, tries=tries)


def open_answer(
    transport: Transport, request: Request, *, timeout: float | None = None
) -> urllib3.BaseHTTPResponse:
    """The answer to a request, carried out once, its body not yet read; a refusal is raised as ApiError.

    Until it has read its roles, an API server refuses what it is asked, whoever asks: that is not a refusal.
    """
    try:
        return accept(transport, request, timeout)
    except Forbidden as error:
        if not error.verb or transport.clock.monotonic() < transport.believed_until:
            raise
        ready = is_ready(transport)
        if ready is False:
            what = f"the API server {transport.shown} is not ready, and refuses: {error.message}"
            raise NothingSent(what) from error
        if ready is None:
            error.unsettled = True
            raise
    # It may have become so between the two; a refusal now is meant.
    transport.believed_until = transport.clock.monotonic() + READY_GRACE
    return accept(transport, request, timeout)


def accept(transport: Transport, request: Request, timeout: float | None) -> urllib3.BaseHTTPResponse:
    """The answer to a request; a refusal is raised as ApiError."""
    identity = transport.authenticate()
    answer = send(transport, request, identity, timeout)
    # Refused for its credential means not carried out, so whatever it is may be sent again.
    if answer.status == 401 and transport.credentials.renew(identity):
        renewed = transport.authenticate()
        if renewed != identity:
            answer.close()
            answer = send(transport, request, renewed, timeout)
    if 200 <= answer.status < 300:
        transport.known = True
        return answer
    try:
        body = read_whole(transport, answer, limit=REFUSAL)
    except TooLong:
        body = b""
    finally:
        answer.close()
    error = refusal(answer.status, body, answer.headers, f"{request.method} {request.location}")
    if isinstance(error, Unauthorized):
        error.known = transport.known
    raise error


def is_ready(transport: Transport) -> bool | None:
    """Whether the server says that it is, or knows this user's roles; None where it tells neither.

    Every user may ask for that by a role that is there from the beginning, so one that refuses it either
    has not read its roles yet, or is a server whose administrator has taken that role away. A path that it
    has granted to this user before tells which; without one, it is believed after ROLES_TIMEOUT.
    Source: docs «Kubernetes API health endpoints»; plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go,
    system:public-info-viewer. Seen on a kube-apiserver 1.36.3 as it started: 403 to everything, /readyz too.
    """
    status = status_of(transport, "/readyz")
    if status != 403:
        return status not in {None, 500}
    if transport.granted:
        status = status_of(transport, transport.granted)
        return None if status in {401, 403} else status is not None and status < 500
    now = transport.clock.monotonic()
    transport.doubted = transport.doubted or now
    return True if now + LONGEST_PAUSE >= transport.doubted + ROLES_TIMEOUT else None


def status_of(transport: Transport, asked: str) -> int | None:
    """The HTTP status of the answer at this path and query; None if there is none."""
    request = Request("GET", asked, [("Accept", "*/*")])
    try:
        answer = send(transport, request, transport.authenticate(), READINESS_TIMEOUT)
    except Unreachable:
        return None
    answer.close()
    return answer.status


def send(
    transport: Transport, request: Request, identity: Identity, timeout: float | None
) -> urllib3.BaseHTTPResponse:
    """The answer, whatever its status, noted in the log as kubectl's -v=6 does."""
    start = transport.clock.monotonic()
    headers = [*request.headers, *identity.headers]
    answer = transport.send(request.method, request.location, headers, request.body, timeout)
    took = (transport.clock.monotonic() - start) * 1000
    url = transport.shown + request.location
    log.debug("%s %s %d in %.0f ms", request.method, url, answer.status, took)
    return answer


def read_whole(transport: Transport, answer: urllib3.BaseHTTPResponse, *, limit: int | None) -> bytes:
    """The body of an answer; raises TooLong beyond `limit` bytes, Unreachable if it is late."""
    chunks, length = [], 0
    with transport.reading():
        for chunk in answer.stream(CHUNK, decode_content=True):
            chunks.append(chunk)
            length += len(chunk)
            if limit is not None and length > limit:
                raise TooLong
    return b"".join(chunks)


def send_with_retries(
    transport: Transport,
    method: str,
    action: Callable[[Deadline | None], Result],
    *,
    timeout: float | None,
    tries: int = TRIES,
) -> Result:
    """The action's result; tried again where that is safe and `timeout` seconds have not passed.

    A server that this run has not heard from yet is sought for a second in all, whatever is asked.

    action: is given the moment at which all must be over; None is never.
    """
    end = Deadline.after(timeout, transport.clock) if timeout else None
    for attempt in range(1, tries):
        try:
            return action(end)
        except (Unreachable, ApiError) as error:
            wait = pause(error, method, attempt)
            if wait is None or wait > LONGEST_RETRY_INTERVAL or (end and wait > end.left):
                raise
            if transport.is_hopeless(wait):
                raise
            transport.clock.sleep(wait)
    return action(end)


def pause(error: AdminError, method: str, attempt: int) -> float | None:
    """Seconds to wait before a request may be sent again; None if it may not.

    The table is the one of `retry`; where a server says how long to wait, it is right, and one that is too
    busy (429) and does not say is left alone.
    """
    if isinstance(error, Unauthorized) or not is_transient(error):
        return None
    if not may_be_sent_again(error, twice=method == "GET"):
        return None
    wait = error.retry_after if isinstance(error, ApiError) else None
    if isinstance(error, ApiError) and error.status == 429:
        return wait
    return wait or RETRY_INTERVAL * 3.0 ** (attempt - 1)
