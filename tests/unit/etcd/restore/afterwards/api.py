"""An API in memory: as much of it as the work after a restore asks for."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.cluster.objects import is_ready
from kubectl_admin.cluster.table import Table
from kubectl_admin.etcd.restore.record import Record
from tests.fakes.clock import Clock

BASE = 1_000_000_041  # the revision with which the restored etcd begins
RECORD = Record(
    "0123456789",
    "f" * 64,
    41,
    1_000_000_000,
    "uid-of-cluster",
    ("cp-1",),
    {"cp-1": "https://10.0.0.1:2380"},
    9.5,
)
SYSTEM = {"metadata": {"name": "kube-system", "uid": "uid-of-cluster"}}


class Api:
    """Objects by their paths. meanwhile: happens while somebody waits. refusing: by method and path."""

    def __init__(self, objects: dict[str, Any] | None = None) -> None:
        self.server = "https://api"
        self.revision = BASE + 7
        self.granted = True
        self.objects: dict[str, Any] = {}
        self.clock = Clock(meanwhile=self._meanwhile)
        self.meanwhile: Callable[[], None] = lambda: None
        self.refusing: dict[tuple[str, str], list[Exception]] = {}
        self.changes: list[tuple[str, str]] = []
        for path, item in {"/api/v1/namespaces/kube-system": SYSTEM, **(objects or {})}.items():
            self.objects[path] = copy.deepcopy(item)
            self.objects[path]["metadata"].setdefault("resourceVersion", "17")

    def _meanwhile(self, _seconds: float) -> None:
        self.meanwhile()

    def get(self, path: str, query: Any = (), **_: Any) -> Any:
        self._refuse("GET", path)
        if path in self.objects:
            return copy.deepcopy(self.objects[path])
        if path.endswith("namespaces"):
            (_, selector), *_rest = query
            assert selector == "metadata.name=kube-system"
            items = [item for key, item in self.objects.items() if key == f"{path}/kube-system"]
            return {"metadata": {"resourceVersion": str(self.revision)}, "items": copy.deepcopy(items)}
        raise NotFound(404, "NotFound", f"{path} not found")

    def list(self, path: str, query: Any = (), **_: Any) -> Iterator[Any]:
        self._refuse("GET", path)
        node = dict(query).get("fieldSelector", "").partition("spec.nodeName=")[2]
        for key, item in list(self.objects.items()):
            below = key.startswith(f"{path}/") and "/" not in key.removeprefix(f"{path}/")
            everywhere = path == "/api/v1/pods" and "/pods/" in key
            if (below or everywhere) and (not node or item["spec"].get("nodeName") == node):
                yield copy.deepcopy(item)

    def table(self, path: str) -> Table:
        rows = [
            (item["metadata"]["name"], "Ready" if is_ready(item) else "NotReady") for item in self.list(path)
        ]
        return Table(("Name", "Status"), tuple(rows), ())

    def post(self, path: str, body: Any) -> Any:
        self._refuse("POST", path)
        key = f"{path}/{body['metadata']['name']}"
        if key in self.objects:
            raise Conflict(409, "AlreadyExists", f"{key} already exists")
        return self._keep("POST", key, {**body, "metadata": {**body["metadata"], "uid": f"new {key}"}})

    def patch(self, path: str, body: Any, _kind: str) -> Any:
        self._refuse("PATCH", path)
        present = self.get(path)
        wanted = body["metadata"].get("resourceVersion")
        if wanted and wanted != present["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", "changed")
        return self._keep("PATCH", path, merged(present, body))

    def delete(self, path: str, body: Any = None) -> None:
        self._refuse("DELETE", path)
        present = self.get(path)["metadata"]
        known = (body or {}).get("preconditions", {})
        if any(present.get(key) != value for key, value in known.items()):
            raise Conflict(409, "Conflict", "changed")
        self.changes.append(("DELETE", path))
        del self.objects[path]

    def review(self, _path: str, _body: Any, **_: Any) -> Any:
        return {"status": {"allowed": self.granted}}

    def is_ready(self) -> bool:
        return True

    def patiently(self, action: Callable[[], Any], **_: Any) -> Any:
        return action()

    def _refuse(self, method: str, path: str) -> None:
        if errors := self.refusing.get((method, path)):
            raise errors.pop(0)

    def _keep(self, method: str, path: str, item: Any) -> Any:
        self.revision += 1
        item["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[path] = item
        self.changes.append((method, path))
        return copy.deepcopy(item)


def merged(present: Any, patch: Any) -> Any:
    """A merge patch applied. Source: RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(present) if isinstance(present, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
