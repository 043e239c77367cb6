"""The wire: one HTTP request, through the kubernetes package's REST client, and nothing decided about it.

The package's typed APIs are never touched: they take half a second to import and three times as long to read
an answer. Nor is its ApiClient, which would add nothing but their serialization.
"""

import logging
import math
import os
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3

from kubectl_admin.clock import Clock, Deadline
from kubectl_admin.cluster import proxy, socks, tls
from kubectl_admin.cluster.address import fault_of, shown
from kubectl_admin.cluster.client import Configuration, RESTClientObject
from kubectl_admin.cluster.credentials import Credentials, Headers, Identity
from kubectl_admin.cluster.errors import (
    Broken,
    Misdirected,
    NothingSent,
    Unreachable,
    Untrusted,
    is_misdirected,
    root,
    unreachable,
)
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.limits import TooSlow
from kubectl_admin.cluster.reaching import END, POOLS, ProxyNotReachedError
from kubectl_admin.errors import AdminError

CONNECTIONS = 16  # kept open at once, as many as threads ask
REDIRECTS = 3  # followed one after another
CONNECT_TIMEOUT = 5.0  # seconds to reach the server
FIRST_CONTACT_TIMEOUT = 1.0  # seconds for which a server is sought that this run has not heard from yet
READ_TIMEOUT = 30.0  # seconds of silence while an answer is awaited


class Transport:
    """Connections to one API server for one user; safe to use from many threads.

    Its moments are in the clock's seconds.
    """

    def __init__(self, target: Target, user_agent: str, clock: Clock = time) -> None:
        self.clock = clock
        self.server = target.server
        self.shown = shown(target.server)  # without a password, which some put into an address
        self.user_agent = user_agent
        self.credentials = Credentials(target, clock)
        self.context = tls.context_for(target)
        self.server_name = target.cluster.get("tls-server-name")
        self.proxy = proxy.proxy_of(target, os.environ)
        self.proxy_context = tls.context_to_proxy(target) if proxy.is_encrypted(self.proxy) else None
        self._user_name = target.user_name
        self._certificate: bytes | None = None
        self._lock = threading.Lock()
        self._headers = {"User-Agent": user_agent}
        if not target.cluster.get("disable-compression"):
            self._headers["Accept-Encoding"] = "gzip"
        self.believed_until = 0.0  # a moment: until then a refusal is meant
        self.granted: str | None = None  # path and query of something that the server has let this user read
        self.doubted: float | None = None  # when it first refused to say whether it is ready
        self.known = False  # whether the server has let this user in before
        self.heard = False  # whether any server has answered yet
        self.date = ""  # of the latest answer, by the server's clock: the header «Date»; "" for none
        self.begun: float | None = None  # when it was first asked
        self._client = self._rest_client()

    def _rest_client(self) -> RESTClientObject:
        configuration = Configuration(host=self.server)
        through_socks = socks.is_socks(self.proxy)
        configuration.proxy = None if through_socks else self.proxy
        configuration.no_proxy = None  # decided already
        configuration.proxy_headers = self.proxy_headers
        configuration.proxy_ssl_context = self.proxy_context
        configuration.tls_server_name = self.server_name
        configuration.verify_ssl = self.context.verify_mode is ssl.CERT_REQUIRED
        configuration.keep_alive = True
        configuration.connection_pool_maxsize = CONNECTIONS
        # Neither what is tried again nor where a redirect leads is decided there.
        configuration.retries = urllib3.Retry(
            total=0, connect=0, read=0, status=0, other=0, redirect=False, respect_retry_after_header=False
        )
        # Its warnings (a pool that is full, a header that is odd) help nobody who runs a command.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        if not configuration.verify_ssl:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        client = RESTClientObject(configuration)
        # One context for all connections: no key in a file for them, and nothing loaded again for each.
        client.pool_manager.connection_pool_kw["ssl_context"] = self.context
        client.pool_manager.pool_classes_by_scheme = POOLS
        if through_socks:
            client.pool_manager.connection_pool_kw["_socks_options"] = {"proxy": self.proxy}
        return client

    @property
    def proxy_headers(self) -> dict[str, str] | None:
        """The headers that the proxy wants; None for none."""
        pair = proxy.credentials_of(self.proxy) if self.proxy else None
        return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"} if pair else None

    def authenticate(self) -> Identity:
        """Who asks, for the next request, after its client certificate was made ready.

        Raises AdminError if the credentials can't be got.
        """
        identity = self.credentials.identity()
        if identity.certificate != self._certificate:
            with self._lock:
                if identity.certificate and identity.certificate != self._certificate:
                    tls.show_certificate(self.context, identity.certificate, self._user_name)
                    # Connections that are open still show the old one.
                    self._client.pool_manager.clear()
                self._certificate = identity.certificate
        return identity

    def send(
        self, method: str, path: str, headers: Headers, body: Any = None, timeout: float | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Sends one request, once; returns the answer, whatever its status, before its body has been read.

        headers: all of them, those of `authenticate` included. body: a value for JSON, or None.
        timeout: seconds until the whole answer has come. Raises NothingSent if the server was not reached,
        Broken if it hung up, Unreachable for all else. The body is to be read inside `reading`. A redirect is
        followed where `redirect_target` allows it, and another server is not shown who asks.
        """
        self.begin()
        limits = (min(timeout or CONNECT_TIMEOUT, CONNECT_TIMEOUT), timeout or READ_TIMEOUT)
        all_headers = repeatable(self._headers, headers)
        waiting = END.set(Deadline.after(timeout, self.clock) if timeout else None)
        try:
            with self.reading():
                url = self.server + path
                for left in reversed(range(REDIRECTS + 1)):
                    answer = self._client.request(method, url, all_headers, body, _request_timeout=limits)
                    where = answer.response.get_redirect_location()
                    if not where or not left:
                        break
                    answer.response.close()
                    there = redirect_target(method, url, where)
                    if urlsplit(there)[:2] != urlsplit(url)[:2]:
                        all_headers = anonymous(all_headers)
                    url = there
        finally:
            END.reset(waiting)
        self.heard = True
        response: urllib3.BaseHTTPResponse = answer.response
        self.date = response.headers.get("Date", "")
        return response

    def begin(self) -> None:
        """A server is about to be asked something."""
        self.begun = self.clock.monotonic() if self.begun is None else self.begun

    def is_hopeless(self, wait: float) -> bool:
        """Whether nobody has answered, nor will be asked again before FIRST_CONTACT_TIMEOUT is over."""
        again = self.clock.monotonic() + wait
        return not self.heard and again > (self.begun or math.inf) + FIRST_CONTACT_TIMEOUT

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, errors of urllib3 and http.client become Unreachable, in kubectl's words."""
        try:
            yield
        except ValueError as error:
            # Its words have values in them that may be secret, such as an address.
            what = f"Unable to connect to the server: {self.shown} has sent something that is not HTTP"
            raise Unreachable(what) from error
        except urllib3.exceptions.HTTPError as error:
            reason = getattr(error, "reason", None) or error
            reason = getattr(reason, "original_error", reason)
            by = proxy.address_of(self.proxy) if isinstance(reason, ProxyNotReachedError) else ""
            match reason:
                case _ if isinstance(root(reason), ssl.SSLCertVerificationError):
                    kind: type[Unreachable] = Untrusted
                case urllib3.exceptions.ReadTimeoutError():
                    how = (
                        "answers too slowly" if isinstance(root(reason), TooSlow) else "has stopped answering"
                    )
                    raise Unreachable(f"Unable to connect to the server: {self.shown} {how}") from error
                case urllib3.exceptions.ConnectTimeoutError():
                    kind = NothingSent
                case urllib3.exceptions.ProtocolError():
                    kind = Broken
                case urllib3.exceptions.SSLError() if isinstance(root(reason), ssl.SSLEOFError):
                    kind = Broken  # hung up in the handshake, or in the middle of an answer
                case _:
                    kind = Unreachable
            if not self.heard and is_misdirected(root(reason)):
                kind = Misdirected
            said = unreachable(self.server, reason, by=by)
            raise kind(said.what, said.hint) from error


def repeatable(own: Mapping[str, str], headers: Headers) -> urllib3.HTTPHeaderDict:
    """All headers in a mapping that keeps repeated ones, with values beyond ASCII as Go sends them: UTF-8."""
    result = urllib3.HTTPHeaderDict(own)
    for name, value in headers:
        result.add(name, value.encode().decode("latin-1"))
    return result


def redirect_target(method: str, url: str, where: str) -> str:
    """Where a redirect leads; raises AdminError for one that is not followed.

    A change is for this server only, and nothing leaves encryption.
    """
    there = urljoin(url, where)
    plain = url.startswith("https://") and not there.startswith("https://")
    if method != "GET" or plain or fault_of(there):
        raise AdminError(
            f"{shown(url)} redirects {method} to {shown(there)}, which is not followed",
            "check that this address is the API server's",
        )
    return there


def anonymous(headers: urllib3.HTTPHeaderDict) -> urllib3.HTTPHeaderDict:
    """The headers without those that tell who asks."""
    return urllib3.HTTPHeaderDict(
        (name, value)
        for name, value in headers.iteritems()
        if not name.lower().startswith(("authorization", "impersonate-"))
    )
