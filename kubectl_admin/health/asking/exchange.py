"""One question to a port of a node, and further ones by its answer, over the same connection."""

import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster import tls
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import decode_date
from kubectl_admin.cluster.forwarded import Forwarded, Port
from kubectl_admin.cluster.portforward import FRAMING, Answer, answer_to
from kubectl_admin.cluster.secured import Secured, Stream
from kubectl_admin.control_plane.component import Component
from kubectl_admin.control_plane.endpoints import GET_LIMIT
from kubectl_admin.errors import AdminError
from kubectl_admin.health.asking import clock, silence
from kubectl_admin.health.asking.questions import METRICS, Question
from kubectl_admin.health.asking.reading import reduced
from kubectl_admin.health.components.checks import FAILED, plain
from kubectl_admin.health.facts import Clock, Metrics, NoReply, Reply, Why

TEXT = 4000  # characters of an answer that are kept
TEXT_LIMIT = 256 << 10  # bytes of an answer that is not metrics
METRICS_LIMIT = GET_LIMIT  # bytes of metrics; those of a large cluster's API server are ten million
GZIP = 16  # to zlib: its input has the head of gzip
COMPRESSED = ("Accept-Encoding", "gzip")
CHECKS = 8  # failed checks that are asked one by one
LOOK_INTERVAL = 2.0  # seconds from one look at what has not answered to the next


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited. end: of everything. each: seconds for one answer.

    retries: further looks at what has not answered. interval: seconds from one look to the next.
    """

    end: Deadline
    each: float
    retries: int
    interval: float = LOOK_INTERVAL

    @property
    def left(self) -> float:
        """Seconds until all must be over."""
        return max(self.end.left, 0.001)

    @property
    def for_one(self) -> float:
        """Seconds for one answer that is asked for now."""
        return min(self.each, self.left)

    def is_enough(self, seconds: float) -> bool:
        """Whether who has said nothing for so long is silent, and not only cut short by the end."""
        return seconds >= self.each / 2

    def pause(self, since: float | None) -> bool:
        """Waits for the next look after one that began then, by the clock of the end; None: it need not wait.

        Not where no answer could come any more after that; whether one can.
        """
        clock = self.end.clock
        seconds = 0.0 if since is None else max(self.interval - (clock.monotonic() - since), 0.0)
        if not self.is_enough(self.left - seconds):
            return False
        clock.sleep(seconds)
        return True


@dataclass(slots=True)
class Heard:
    """The answers to one question, and to further ones, by path."""

    replies: dict[str, Reply | NoReply] = field(default_factory=dict)
    metrics: Metrics | NoReply | None = None
    clocks: list[Clock] = field(default_factory=list)
    certificate: bytes | None = None
    pinged: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Whether it has to be asked again before anything is made of it."""
        return any(one.why in silence.DOUBTFUL for one in self._silences)

    @property
    def is_silent(self) -> bool:
        """Whether something was not answered in time."""
        return any(one.why is Why.SILENT for one in self._silences)

    @property
    def _silences(self) -> list[NoReply]:
        return [one for one in (*self.replies.values(), self.metrics) if isinstance(one, NoReply)]

    def if_sure(self) -> "Heard":
        """The same, in which what is in doubt is not known."""
        metrics = self.metrics
        return replace(
            self,
            replies={path: silence.too_late(one) for path, one in self.replies.items()},
            metrics=silence.too_late(metrics) if isinstance(metrics, NoReply) else metrics,
        )

    def or_else(self, before: "Heard") -> "Heard":
        """The same with what an earlier look has said where the time was too short for this one."""
        late = {path for path, reply in self.replies.items() if _is_late(reply)}
        replies = {**self.replies, **{path: before.replies[path] for path in late & before.replies.keys()}}
        cut_short = _is_late(self.metrics) and before.metrics is not None
        return replace(self, replies=replies, metrics=before.metrics if cut_short else self.metrics)

    def give_up(self, paths: Iterable[str], reply: NoReply) -> None:
        """These paths have not been answered, for one reason."""
        for path in paths:
            if path == METRICS:
                self.metrics = reply
            else:
                self.replies[path] = reply


def _is_late(told: object) -> bool:
    return isinstance(told, NoReply) and told.why is Why.LATE


class Exchange:
    """Asks ports of nodes of one cluster. judged: the metrics that are kept, by component."""

    def __init__(
        self, cluster: Cluster, patience: Patience, judged: Mapping[Component, Iterable[str]]
    ) -> None:
        self.patience = patience
        self._judged = judged
        self._loopback = tls.context_to_loopback(cluster.client_certificate, cluster.target.user_name)

    def ask(self, forwarded: Forwarded | None, ports: Mapping[Question, Port], question: Question) -> Heard:
        """Asks one question, and further ones by its answers, over the same connection.

        forwarded: the owner of the ports; None where none of them is an API server's.
        """
        heard, port = Heard(), ports[question]
        port.limit(most_of(question))
        port.finish_within(given := self.patience.for_one)
        left = list(question.paths)
        try:
            stream, shown = open_stream(forwarded, port, question, self._loopback)
            heard.certificate = stream.peer_certificate if isinstance(stream, Secured) else None
            get = partial(self._get, heard, stream, port, shown)
            while left:
                port.finish_within(given := self.patience.for_one)
                answer = get(left[0])
                path = left.pop(0)
                if path == METRICS:
                    heard.metrics = self._metrics(question, answer)
                elif question.otherwise and is_refusal(answer):
                    self._ask_instead(forwarded, ports, question.otherwise, heard)
                elif answer.status != 200:
                    self._follow(path, answer, port, get)
        except AdminError as error:
            reply = silence.of_port(error)
            cut_short = reply.why is Why.SILENT and not self.patience.is_enough(given)
            heard.give_up(left, replace(reply, why=Why.LATE) if cut_short else reply)
        return heard

    def _ask_instead(
        self, forwarded: Forwarded | None, ports: Mapping[Question, Port], question: Question, heard: Heard
    ) -> None:
        """Asks what is left to a user who is refused; an answer takes the refusal's place."""
        instead = self.ask(forwarded, ports, question)
        if not instead.is_doubtful:
            heard.replies, heard.pinged = instead.replies, True

    def _get(
        self, heard: Heard, stream: Stream, port: Port, shown: Sequence[tuple[str, str]], path: str
    ) -> Answer:
        """The answer to a path, kept as a reply unless it is metrics."""
        metrics = path == METRICS
        began = time.monotonic()
        limit = METRICS_LIMIT if metrics else TEXT_LIMIT
        further = [*shown, COMPRESSED] if metrics else shown
        answer = answer_to(stream, path, limit, port.what, further=further, close=False)
        # As it had come, not as a busy machine has read it.
        seconds = port.heard - began
        reply = reply_of(answer.status, "" if metrics else text_of(answer.body), seconds, answer.headers)
        ended = datetime.now(UTC) - timedelta(seconds=time.monotonic() - port.heard)
        if not metrics:
            heard.replies[path] = reply
        if found := clock.clock_of(reply, ended):
            heard.clocks.append(found)
        if answer.headers.get("connection", "").lower() == "close":
            port.end()
        return answer

    def _follow(self, path: str, answer: Answer, port: Port, get: Callable[[str], Answer]) -> None:
        """Asks each check that has failed for its reason, which the list of checks withholds."""
        bare = path.partition("?")[0]
        names = [name for name, _ in FAILED.findall(text_of(answer.body))]
        for name in names[:CHECKS]:
            port.finish_within(self.patience.for_one)
            try:
                get(f"{bare}/{name}")
            except AdminError:
                return

    def _metrics(self, question: Question, answer: Answer) -> Metrics | NoReply:
        body = inflated(answer)
        if body is None:
            return NoReply(
                Why.GARBLED, f"its compressed answer can't be read, or is above {METRICS_LIMIT} bytes"
            )
        text = body.decode("utf-8", "replace")
        if answer.status == 200:
            return reduced(text, self._judged.get(question.component, ()))
        said = plain(text[:TEXT])[: silence.SAID]
        if answer.status in (401, 403):
            resource = "nodes/metrics" if question.component is Component.KUBELET else METRICS
            return NoReply(Why.FORBIDDEN, said, f"get {resource}")
        return NoReply(Why.GARBLED, f"/metrics is {answer.status}: {said}")


def most_of(question: Question) -> int:
    """Bytes that all answers to a question and the further ones have at most; a node may send any."""
    answers = (len(question.on_health) + CHECKS) * (TEXT_LIMIT + FRAMING)
    return answers + (METRICS_LIMIT + FRAMING if METRICS in question.paths else 0)


def open_stream(
    forwarded: Forwarded | None, port: Port, question: Question, loopback: ssl.SSLContext
) -> tuple[Stream, Sequence[tuple[str, str]]]:
    """The stream for a question to the port, and the headers that show who asks.

    loopback: for servers whose certificates nobody has signed. Raises AdminError where TLS can't be agreed
    on, and where an API server's certificate is not the cluster's.
    """
    if question.endpoint.scheme != "https":
        return port, ()
    if question.component is Component.APISERVER and forwarded:
        return forwarded.to_instance(port)
    return Secured(port, loopback, None, port.what), ()


def reply_of(status: int, text: str, seconds: float, headers: Mapping[str, str]) -> Reply:
    """A reply that has come after so many seconds."""
    return Reply(status, text, seconds, decode_date(headers.get("date", "")))


def text_of(body: bytes) -> str:
    """As much of an answer as is kept."""
    return body[: 4 * TEXT].decode("utf-8", "replace")[:TEXT]


def is_refusal(answer: Answer) -> bool:
    """Whether a kubelet does not let the user in, or can't ask an API server whether it may.

    Source: kubernetes/kubernetes pkg/kubelet/server/server.go, InstallAuthFilter.
    """
    return answer.status in (401, 403) or answer.body.startswith(b"Authorization error (user=")


def inflated(answer: Answer) -> bytes | None:
    """The body of an answer that may be compressed; None for one that can't be read or is too long."""
    if answer.headers.get("content-encoding") != "gzip":
        return answer.body
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | GZIP)
    try:
        body = reader.decompress(answer.body, METRICS_LIMIT)
    except zlib.error:
        return None
    return body if reader.eof else None
