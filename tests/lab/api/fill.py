"""Writes many objects through the API, their status too, as quickly as the API server takes them."""

import http.client
import itertools
import json
import ssl
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.lab.errors import LabError

CONNECTIONS = 8
MANY = 500  # objects of a kind that are worth a line of progress
GROUPS = {"v1": "/api/v1"}
CLUSTER_WIDE = {"Node"}
# Their status is dropped from what is created, and is written apart.
WITH_STATUS = {"Pod", "DaemonSet", "Deployment", "ReplicaSet"}
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"

Object = dict[str, Any]


def fill(
    address: str, context: ssl.SSLContext, objects: Iterable[Object], progress: Callable[[str], None]
) -> None:
    """Create the objects, owners before what they own, at the API server with this address.

    Raises LabError for the first that is refused.
    """
    writer = _Writer(address, context)
    try:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for kind, group in itertools.groupby(objects, key=lambda one: one["kind"]):
                written = 0
                for _ in pool.map(writer.write, group):
                    written += 1
                    if written % 1000 == 0:
                        progress(f"{written:,} objects of kind {kind} are written")
                if written % 1000 and written > MANY:
                    progress(f"{written:,} objects of kind {kind} are written")
    finally:
        writer.close()


class _Writer:
    def __init__(self, address: str, context: ssl.SSLContext) -> None:
        self._address, self._context = address, context
        self._uids: dict[tuple[str, str], str] = {}
        self._here = threading.local()
        self._connections: list[http.client.HTTPSConnection] = []

    def write(self, made: Object) -> None:
        kind, metadata = made["kind"], made["metadata"]
        # The server gives UIDs itself, so owners are known by name until they are there.
        for reference in metadata.get("ownerReferences", ()):
            reference["uid"] = self._uids[reference["kind"], reference["name"]]
        answer = self._send("POST", collection(made), made)
        uid = metadata["uid"] = answer["metadata"]["uid"]
        self._uids[kind, metadata["name"]] = uid
        if kind in WITH_STATUS:
            self._send("PUT", f"{collection(made)}/{metadata['name']}/status", made)

    def close(self) -> None:
        for connection in self._connections:
            connection.close()

    def _send(self, method: str, path: str, body: Object) -> Object:
        connection = getattr(self._here, "connection", None)
        if connection is None:
            connection = http.client.HTTPSConnection(self._address, 6443, timeout=60, context=self._context)
            self._here.connection = connection
            self._connections.append(connection)
        headers = {"Content-Type": "application/json", "Accept": METADATA}
        connection.request(method, path, json.dumps(body), headers)
        answer = connection.getresponse()
        said: Object = json.loads(answer.read())
        if answer.status >= 300:
            raise LabError(f"{method} {path}: {said.get('message')}")
        return said


def collection(made: Object) -> str:
    """The path of the objects of this one's kind."""
    version = made["apiVersion"]
    root = "/api/v1" if version == "v1" else f"/apis/{version}"
    plural = f"{made['kind'].lower()}s"
    namespace = made["metadata"].get("namespace")
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
