# ruff: noqa: N818 - these are named as the API's reasons are
"""Errors between this program and an API server, in kubectl's words.

Source: kubernetes/kubectl pkg/cmd/util/helpers.go, StandardErrorMessage; apimachinery pkg/api/errors.
"""

import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from kubectl_admin.cluster.decode import decode_json, mapping, whole_number
from kubectl_admin.errors import AdminError

SHOWN = 300  # characters of an answer that is not a Status object
FORBIDDEN = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) (?:resource "(?P<resource>[^"]*)"|path "(?P<path>[^"]*)")'
    r'(?: in API group "(?P<group>[^"]*)")?(?:.*? in the namespace "(?P<namespace>[^"]*)")?'
)
REASONS = {  # for answers that carry no Status, as those of proxies
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


class ApiError(AdminError):
    """The API server answered, and refused.

    status: the HTTP status. reason, message, details: of the Status object that came with it.
    body: the answer as it came, for those that are not a Status (a failed /readyz lists its checks).
    retry_after: seconds that the server asks to wait before the next try; None where it does not.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        body: str = "",
        retry_after: float | None = None,
    ) -> None:
        if status == 401:
            what = f"You must be logged in to the server ({message})"
        else:
            what = f"Error from server ({reason}): {message}" if reason else f"Error from server: {message}"
        super().__init__(what, CERTIFICATE_HINT if status == 401 else None)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.body = body
        self.retry_after = retry_after


class Unauthorized(ApiError):
    """The server does not know who asks (401). known: whether it has let the same user in before."""

    known = False


class Forbidden(ApiError):
    """The user may not do this (403).

    user, verb, resource, group, namespace: of the server's sentence; "" where it does not say. A resource
    outside the API's groups is its path («/metrics»). unsettled: whether the server may not know its roles
    yet.
    """

    unsettled = False

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        said = FORBIDDEN.search(self.message)
        found: dict[str, str | None] = said.groupdict() if said else {}
        self.user = found.get("user") or ""
        self.verb = found.get("verb") or ""
        self.resource = found.get("resource") or found.get("path") or ""
        self.group = found.get("group") or ""
        self.namespace = found.get("namespace") or ""


class UnsettledError(AdminError):
    """Rights are missing, by a server that may not know its roles yet."""


class NotFound(ApiError):
    """There is no such object, or the server knows no such path (404)."""


class Conflict(ApiError):
    """The object is there already, or has changed since it was read (409)."""


class Gone(ApiError):
    """The list or watch can't resume from where it was: the server has forgotten that moment (410).

    resume: the token with which a list may resume in the present state; "" where the server gives none.
    """

    resume = ""


class TooManyRequests(ApiError):
    """The server asks to come back later (429); for an eviction: a disruption budget does not allow it."""


class Unreachable(AdminError):
    """Nothing that answers like an API server: refused, no route, no name, no time, no trust."""


class NothingSent(Unreachable):
    """The server was not reached at all, so trying again is safe whatever was asked."""


class Broken(Unreachable):
    """The server hung up in the middle: nobody knows what it has done."""


class Untrusted(Unreachable):
    """Somebody answers whose certificate is not the server's."""


class Misdirected(Unreachable):
    """Something else is at this address, or will not let us in; nobody has answered there yet."""


class BrokenStream(AdminError):
    """A channel ended before it said how it went: nobody knows what was carried out."""


PROXY_HINT = "the proxy is the kubeconfig's proxy-url, or $HTTPS_PROXY: start it, or set another one"
CERTIFICATE_HINT = "kubectl admin certs shows whether your certificate has expired, and how to get another"
# Of OpenSSL's reasons. Source: openssl ssl/ssl_err.c, RFC 8446, section 6.
NOT_FOR_US = re.compile(r"WRONG_VERSION_NUMBER|ALERT_(\w+_)?CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_ACCESS_DENIED")
REFUSED_BY_SERVER = re.compile(r"The connection to the (?:server|proxy) (\S+) was refused")
REFUSED_BY_PROXY = re.compile(r"Tunnel connection failed: 4\d\d")  # http.client
KINDS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    429: TooManyRequests,
}


def refusal(status: int, body: bytes, headers: Mapping[str, str], asked: str) -> ApiError:
    """The error of an answer with this HTTP status to what was `asked` (method and path).

    The query is not told: a command has its arguments there.
    """
    text = body.decode("utf-8", "replace")
    try:
        document = mapping(decode_json(text, "a refusal"))
    except AdminError:
        document = {}
    seconds = whole_number(headers.get("Retry-After", ""))
    if document.get("kind") == "Status":
        return of_status(document, status, retry_after=seconds)
    said = " ".join(text.split())[:SHOWN] or f"no reason given for {asked.partition('?')[0]}"
    kind = KINDS.get(status, ApiError)
    return kind(status, REASONS.get(status, str(status)), said, body=text, retry_after=seconds)


def of_status(
    document: Mapping[str, Any], status: int | None = None, *, retry_after: float | None = None
) -> ApiError:
    """The error that a Status object tells: of an answer, a watch's ERROR event, or an exec's last word."""
    code = status or whole_number(document.get("code")) or 0
    reason = str(document.get("reason") or REASONS.get(code, ""))
    message = str(document.get("message") or reason or f"status {code}")
    details = mapping(document.get("details"))
    error = KINDS.get(code, ApiError)(code, reason, message, details, retry_after=retry_after)
    if isinstance(error, Gone):
        error.resume = str(mapping(document.get("metadata")).get("continue") or "")
    return error


def unreachable(server: str, error: BaseException, *, by: str = "") -> Unreachable:
    """Why the server could not be spoken to, of any error that a socket, TLS or an HTTP library raised.

    by: the host and port of the proxy where it is the one that could not be spoken to.
    """
    host = by or urlsplit(server).netloc.rpartition("@")[2]
    cause = root(error)
    if isinstance(cause, ConnectionRefusedError):
        whom = "proxy" if by else "server"
        what = f"The connection to the {whom} {host} was refused - did you specify the right host or port?"
        return NothingSent(what, PROXY_HINT if by else None)
    kind = Untrusted if isinstance(cause, ssl.SSLCertVerificationError) else Unreachable
    where = f"proxy {by}: " if by else ""
    return kind(f"Unable to connect to the server: {where}{reason_of(host, cause).removeprefix(f'{by}: ')}")


def in_short(error: AdminError) -> str:
    """An error in short, for a person whom this server has answered before: without kubectl's phrases.

    «10.0.0.1:6443: connection refused».
    """
    if refused := REFUSED_BY_SERVER.match(error.what):
        return f"{refused[1]}: connection refused"
    return error.what.removeprefix("Unable to connect to the server: ")


def is_misdirected(error: BaseException) -> bool:
    """Whether this is said by a wrong address, or by somebody who will not let us in whenever we come.

    No such name; no TLS where TLS was expected; a certificate, or none, that is not accepted; a proxy's 4xx.
    """
    match error:
        case socket.gaierror():
            return error.errno == socket.EAI_NONAME
        case ssl.SSLError():
            return bool(NOT_FOR_US.search(error.reason or ""))
    return bool(REFUSED_BY_PROXY.search(str(error)))


def root(error: BaseException) -> BaseException:
    """The error that a socket or TLS raised, beneath what libraries have wrapped around it."""
    while not isinstance(error, OSError):
        wrapped = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
        beneath = next((part for part in wrapped if isinstance(part, BaseException)), None)
        if beneath is None:
            break
        error = beneath
    return error


def reason_of(host: str, error: BaseException) -> str:
    """The rest of kubectl's sentence «Unable to connect to the server: …»."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"tls: failed to verify certificate: {error.verify_message}"
        case ssl.SSLError(reason="WRONG_VERSION_NUMBER"):
            return "http: server gave HTTP response to HTTPS client"
        case ssl.SSLError():
            return f"tls: {(error.reason or str(error)).replace('_', ' ').lower()}"
        case socket.gaierror():
            return f"lookup {host.rpartition(':')[0] or host}: {str(error.strerror or error).lower()}"
        case TimeoutError():
            return f"dial {host}: i/o timeout"
    system = str(getattr(error, "strerror", None) or "").lower()
    return f"{host}: {system or str(error)[:SHOWN]}"
