"""A connection to a cluster's API server: raw JSON requests, lists page by page, tables, watches.

Objects are plain dicts. Nothing is sent twice unless that is safe, and nothing waits for ever.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.decode import decode_date, mapping
from kubectl_admin.cluster.errors import Gone
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.objects import (
    answers_with_object,
    check_answer,
    check_object,
    decode_answer,
    items_of,
)
from kubectl_admin.cluster.requests import (
    Query,
    Request,
    carry_out,
    is_ready,
    location,
    open_answer,
    send_with_retries,
)
from kubectl_admin.cluster.retry import Patience, Retry
from kubectl_admin.cluster.table import ACCEPT as TABLE
from kubectl_admin.cluster.table import Table
from kubectl_admin.cluster.transport import CONNECT_TIMEOUT, Transport
from kubectl_admin.cluster.watch_events import event_of, read_lines
from kubectl_admin.errors import AdminError

# Channels are loaded when the first is opened: a listing has no use for them.
if TYPE_CHECKING:
    from kubectl_admin.cluster.exec import Exec
    from kubectl_admin.cluster.forwarded import Forwarded
    from kubectl_admin.cluster.portforward import PortForward

Result = TypeVar("Result")

PAGE = 500  # objects asked for at a time, as kubectl does
TEXT_LIMIT = 64 << 20  # bytes; the metrics of a large API server are a tenth of that
LIST_LIMIT = 256 << 20  # bytes of any other answer; 5,000 nodes at once are a hundred MB
IDLE_PAGES = 5  # of a list in a row that may bring no object before it is given up
WATCH_GRACE = 10.0  # seconds that a watch's end may come late
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


class Cluster:
    """One API server, for one user; safe to use from many threads.

    Every request takes `timeout`, the seconds in which its answer must have come, all tries included;
    without it the user's `--request-timeout` counts, or else 5 s to connect and 30 s of silence.

    All raise Unreachable where there is no answer, and ApiError (NotFound, Forbidden, Conflict, …) where it
    is a refusal.

    clock: the one that everything is waited by that works on this cluster.
    """

    def __init__(self, target: Target, transport: Transport, patience: Patience | None = None) -> None:
        self.target = target
        self.server = target.server
        self.clock = transport.clock
        self._transport = transport
        self._patience = patience

    @classmethod
    def connect(cls, target: Target, *, user_agent: str = "kubectl-admin", clock: Clock = time) -> "Cluster":
        """The connection to a target. Nothing is sent yet; raises AdminError for broken certificates."""
        return cls(target, Transport(target, user_agent, clock))

    def patient(self, retry: Retry, *, resuming: bool = False) -> "Cluster":
        """The same connection for a run that changes something, and must outlast a restart of the API server.

        Every request without a time limit of its own is tried for as long as `retry` says, from its own first
        failure on; of an outage, `retry` hears once, whatever fails of it. resuming: whether the first
        contact, too, may meet an API server that is being restarted, as that of a run does which resumes
        another run's work; otherwise a server that has not answered yet is sought for a second.
        """
        return Cluster(self.target, self._transport, Patience(retry, resuming, self.clock))

    def patiently(self, action: Callable[[], Result], *, twice: bool = True) -> Result:
        """The action's result; tried again as this connection's own requests are.

        twice: whether it bears being carried out twice.
        """
        patience = self._patience
        if patience is None or not (patience.resuming or self._transport.heard):
            return action()
        return patience.through(action, twice=twice)

    def is_ready(self) -> bool | None:
        """Whether the API server says that it is, and knows its roles; None where it does not say."""
        return is_ready(self._transport)

    @property
    def server_time(self) -> datetime | None:
        """When the server gave its latest answer, by its own clock; None where it has not said."""
        return decode_date(self._transport.date)

    @property
    def has_client_certificate(self) -> bool:
        """Whether the user shows a client certificate, which the cluster's other servers trust as well."""
        return self.client_certificate is not None

    @property
    def client_certificate(self) -> bytes | None:
        """The user's client certificate with its key, as PEM; None for a user without."""
        return self._transport.credentials.identity().certificate

    def server_certificate(self) -> bytes | None:
        """The certificate that the server shows of itself, in DER; None for one without TLS.

        Raises Unreachable where it can't be spoken to.
        """
        import ssl

        from kubectl_admin.cluster.dial import dial

        with dial(self._transport, CONNECT_TIMEOUT) as raw:
            return raw.getpeercert(binary_form=True) if isinstance(raw, ssl.SSLSocket) else None

    def get(self, path: str, query: Query = (), *, accept: str = JSON, timeout: float | None = None) -> Any:
        """The object at this path, or the list; raises AdminError for an answer that is neither.

        accept: the kind of JSON; of another one than the API's own nothing but an object is made sure of.
        """
        request = Request("GET", location(path, query), [("Accept", accept)])
        document = decode_answer(self._carry_out(request, timeout, twice=True), path)
        if accept == JSON:
            check_answer(document, path)
        return document

    def get_text(
        self, path: str, query: Query = (), *, timeout: float | None = None, limit: int = TEXT_LIMIT
    ) -> str:
        """The text at this path, for metrics and health checks; asked for once, since a failure is an answer.

        limit: bytes that it may have; AdminError is raised for more.
        """
        request = Request("GET", location(path, query), [("Accept", "*/*")])
        seconds = self._seconds(timeout)
        body = carry_out(self._transport, request, timeout=seconds, limit=limit, tries=1)
        return body.decode("utf-8", "replace")

    def list(
        self, path: str, query: Query = (), *, page: int = PAGE, timeout: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """The objects of a list, fetched `page` at a time; `timeout` counts for each page.

        If reading it takes so long that the server forgets the moment of the first page, the rest is of a
        later moment; no object comes twice. Raises AdminError for a list that does not come to its end.
        """
        query, after, idle, seen = [*query, ("limit", str(page))], "", 0, set[str]()
        while True:
            here = [*query, ("continue", after)] if after else query
            items: list[dict[str, Any]] = []
            try:
                document = self.get(path, here, timeout=timeout)
                items = items_of(document, path)
                after = str(mapping(document.get("metadata")).get("continue") or "")
            except Gone as error:
                # The refusal carries a token for going on from the last object in the present state.
                if not error.resume:
                    raise
                after = error.resume
            yield from items
            if not after:
                return
            idle = 0 if items else idle + 1
            if after in seen or idle > IDLE_PAGES:
                raise AdminError(f"{self.server}: the list {path} goes round in circles and has no end")
            seen.add(after)

    def table(
        self, path: str, query: Query = (), *, include_object: str = "None", timeout: float | None = None
    ) -> Table:
        """The server's own table of a list.

        include_object: "None", or "Metadata" for each row's metadata. Raises AdminError where the server has
        no tables.
        """
        query = [*query, ("includeObject", include_object)]
        document = self.get(path, query, accept=TABLE, timeout=timeout)
        if document.get("kind") != "Table":
            raise AdminError(f"{self.server} has answered {path} with a {document.get('kind')}, not a Table")
        table = Table.of(document, path)
        if include_object == "Metadata":
            for place, item in enumerate(table.objects):
                check_object(item, f"row {place} of the answer to {path}")
        return table

    def watch(self, path: str, query: Query = (), *, timeout: float) -> Iterator[dict[str, Any]]:
        """The events of a list (type, object), as they come, until `timeout` seconds have passed.

        Raises Gone if the resourceVersion in the query is too old: list again.
        """
        query = [*query, ("watch", "true"), ("timeoutSeconds", str(max(1, round(timeout))))]
        request = Request("GET", location(path, query), [("Accept", JSON)])
        silence = timeout + WATCH_GRACE
        answer = send_with_retries(
            self._transport,
            "GET",
            lambda _: open_answer(self._transport, request, timeout=silence),
            timeout=timeout,
        )
        try:
            with self._transport.reading():
                for line in read_lines(answer):
                    yield event_of(line, path)
        finally:
            answer.close()

    def post(self, path: str, body: Any, query: Query = (), *, timeout: float | None = None) -> Any:
        """Creates an object, or asks something of one (an eviction, a token); returns the server's answer."""
        return self._change("POST", path, query, body, timeout=timeout)

    def review(self, path: str, body: Any, *, timeout: float | None = None) -> Any:
        """Asks what takes an object to be asked and keeps none (a review of access); may be asked twice."""
        request = Request("POST", location(path), [("Accept", JSON), ("Content-Type", JSON)], body)
        return decode_answer(self._carry_out(request, timeout, twice=True), path)

    def put(self, path: str, body: Any, query: Query = (), *, timeout: float | None = None) -> Any:
        """Replaces an object; raises Conflict if it has changed since the resourceVersion in the body."""
        return self._change("PUT", path, query, body, timeout=timeout)

    def patch(
        self, path: str, body: Any, content_type: str, query: Query = (), *, timeout: float | None = None
    ) -> Any:
        """Changes an object. content_type: the kind of patch that the body is, MERGE_PATCH."""
        return self._change("PATCH", path, query, body, content_type, timeout=timeout)

    def delete(self, path: str, body: Any = None, query: Query = (), *, timeout: float | None = None) -> Any:
        """Deletes an object. body: DeleteOptions (a precondition, a grace period), if any."""
        return self._change("DELETE", path, query, body, timeout=timeout)

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str | None,
        command: Sequence[str],
        *,
        stdin: Iterable[bytes] | None = None,
        timeout: float | None = None,
    ) -> "Exec":
        """Starts a command in a container (None: the pod's default one).

        stdin: its input, piece by piece, followed by its end; None for nothing. timeout: seconds after
        which it must have ended. Iterate over the result, or `run` it; neither can be had twice.
        """
        from kubectl_admin.cluster import exec  # noqa: A004 - named as in the API

        return exec.start(self._transport, namespace, pod, container, command, stdin=stdin, timeout=timeout)

    def port_forward(
        self, namespace: str, pod: str, port: int, *, timeout: float | None = None
    ) -> "PortForward":
        """A stream of bytes to a port of a pod. timeout: seconds after which all must be over."""
        from kubectl_admin.cluster import portforward

        return portforward.start(self._transport, namespace, pod, port, timeout=timeout)

    def forward_ports(
        self, namespace: str, pod: str, ports: Sequence[int], *, timeout: float, opening: float | None = None
    ) -> "Forwarded":
        """Streams of bytes to several ports of a pod over one connection, each to be used by its own thread.

        timeout: seconds after which all must be over. opening: those for the server's consent.
        """
        from kubectl_admin.cluster import forwarded

        return forwarded.start(self._transport, namespace, pod, ports, timeout=timeout, opening=opening)

    def _change(
        self,
        method: str,
        path: str,
        query: Query,
        body: Any,
        content_type: str = JSON,
        *,
        timeout: float | None,
    ) -> Any:
        headers = [("Accept", JSON), ("Content-Type", content_type)]
        request = Request(method, location(path, query), headers, body)
        answer = self._carry_out(request, timeout, twice=False)
        if not answers_with_object(method, path):
            return decode_answer(answer, path) if answer else None
        made = decode_answer(answer, path)
        check_object(made, f"the answer to {method} {path}")
        return made

    def _carry_out(self, request: Request, timeout: float | None, *, twice: bool) -> bytes:
        """The answer's body. twice: whether the request bears being carried out twice."""

        def once() -> bytes:
            return carry_out(self._transport, request, timeout=self._seconds(timeout), limit=LIST_LIMIT)

        return once() if timeout else self.patiently(once, twice=twice)

    def _seconds(self, timeout: float | None) -> float | None:
        return timeout or self.target.request_timeout
