"""A watch's answers: a line of JSON for each event."""

from collections.abc import Iterator
from typing import Any

import urllib3

from kubectl_admin.cluster.decode import decode_object
from kubectl_admin.cluster.errors import BrokenStream, of_status
from kubectl_admin.cluster.objects import check_object, check_parts
from kubectl_admin.errors import AdminError

LINE_LIMIT = 64 << 20  # bytes
READ_SIZE = 1 << 16  # bytes


def read_lines(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of an answer, each as soon as it is there; raises BrokenStream for one without an end."""
    rest = b""
    for chunk in answer.stream(READ_SIZE, decode_content=True):
        *complete, rest = (rest + chunk).split(b"\n")
        yield from (line for line in complete if line.strip())
        if len(rest) > LINE_LIMIT:
            raise BrokenStream(f"a line of a watch is longer than {LINE_LIMIT} bytes")
    if rest.strip():
        yield rest


def event_of(line: bytes, path: str) -> dict[str, Any]:
    """An event of a watch; raises what an ERROR tells, BrokenStream for a line that has not come whole."""
    try:
        event = decode_object(line, f"an event of {path}")
    except AdminError as error:
        raise BrokenStream(error.what) from None
    if not isinstance(event.get("object"), dict) or "type" not in event:
        raise BrokenStream(f"an event of {path} is about nothing")
    if event["type"] == "ERROR":
        raise of_status(event["object"])
    try:
        check = check_parts if event["type"] == "BOOKMARK" else check_object
        check(event["object"], f"the object of an event of {path}")
    except AdminError as error:
        raise BrokenStream(error.what) from None
    return event
