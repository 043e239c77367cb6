"""An API server's objects in memory, as a Cluster gives and takes them: what is sent is noted."""

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from kubectl_admin.cluster.errors import Conflict, NotFound
from kubectl_admin.etcd.undelete.facts import Resource
from tests.fakes.clock import Clock

Object = dict[str, Any]
Hook = Callable[[str, str, Any], None]


class ObjectStore:
    """Quacks like a Cluster, as far as etcd-undelete asks it.

    sent: all changes, as (method, path), without dry runs. hook: called with each request before it is
    carried out; it may raise. stale: groups whose server does not answer.
    """

    def __init__(self, resources: list[Resource], *items: Object, stale: tuple[str, ...] = ()) -> None:
        self.resources, self.stale = list(resources), stale
        self.clock = Clock()
        self.server = "https://store"
        self.sent: list[tuple[str, str]] = []
        self.hook: Hook = lambda _method, _path, _body: None
        self._numbers = itertools.count(100)
        self.items: dict[str, Object] = {}
        for item in items:
            self.items[self.path(item)] = copy.deepcopy(item)

    def path(self, item: Object) -> str:
        resource = next(one for one in self.resources if one.kind == item["kind"])
        return resource.path(item["metadata"].get("namespace", ""), item["metadata"]["name"])

    def get(self, path: str, *_: Any, **_more: Any) -> Object:
        self.hook("GET", path, None)
        if path in ("/api", "/apis"):
            return self._discovery(is_core=path == "/api")
        if path not in self.items:
            raise NotFound(404, "NotFound", f"{path} not found")
        return copy.deepcopy(self.items[path])

    def list(self, path: str, *_: Any, **_more: Any) -> Iterator[Object]:
        self.hook("GET", path, None)
        plural = path.rpartition("/")[2]
        for key, item in list(self.items.items()):
            root, _, name = key.rpartition("/")
            everywhere = "/namespaces/" not in path and root.endswith(f"/{plural}")
            if name and (root == path or (everywhere and root.startswith(path.rpartition("/")[0] + "/"))):
                yield copy.deepcopy(item)

    def post(self, path: str, body: Object, query: Any = (), **_: Any) -> Object:
        self.hook("POST", path, body)
        target = f"{path}/{body['metadata']['name']}"
        if target in self.items:
            raise Conflict(409, "AlreadyExists", f"{target} already exists")
        made = copy.deepcopy(body)
        number = str(next(self._numbers))
        made["metadata"] |= {"uid": f"new-{number}", "resourceVersion": number}
        made["metadata"]["managedFields"] = [{"manager": dict(query).get("fieldManager", "")}]
        return self._kept("POST", target, made, query)

    def put(self, path: str, body: Object, query: Any = (), **_: Any) -> Object:
        self.hook("PUT", path, body)
        made = copy.deepcopy(body)
        made["metadata"]["resourceVersion"] = str(next(self._numbers))
        return self._kept("PUT", path, made, query)

    def patch(self, path: str, body: Object, _kind: str, query: Any = (), **_: Any) -> Object:
        self.hook("PATCH", path, body)
        there = self.get(path)
        version = body.get("metadata", {}).get("resourceVersion")
        if version and version != there["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", "the object has been modified")
        made = merged(there, body)
        made["metadata"]["resourceVersion"] = str(next(self._numbers))
        return self._kept("PATCH", path, made, query)

    def delete(self, path: str, body: Any = None, **_: Any) -> None:
        self.hook("DELETE", path, body)
        self.get(path)
        self.sent.append(("DELETE", path))
        for each in [each for each in self.items if each == path or each.startswith(f"{path}/")]:
            del self.items[each]

    def _kept(self, method: str, path: str, made: Object, query: Any) -> Object:
        if dict(query).get("dryRun") != "All":
            self.sent.append((method, path))
            self.items[path] = made
        return copy.deepcopy(made)

    def _discovery(self, *, is_core: bool) -> Object:
        groups: dict[str, dict[str, list[Object]]] = {}
        for one in self.resources:
            if (one.group == "") is is_core:
                said = {
                    "resource": one.plural,
                    "responseKind": {"kind": one.kind},
                    "scope": "Namespaced" if one.namespaced else "Cluster",
                    "singularResource": one.singular,
                    "shortNames": list(one.short),
                    "verbs": list(one.verbs),
                }
                groups.setdefault(one.group, {}).setdefault(one.version, []).append(said)
        items: list[Object] = [
            {
                "metadata": {"name": group},
                "versions": [{"version": version, "resources": each} for version, each in versions.items()],
            }
            for group, versions in groups.items()
        ]
        if not is_core:
            items += [
                {"metadata": {"name": group}, "versions": [{"version": "v1", "freshness": "Stale"}]}
                for group in self.stale
            ]
        return {"kind": "APIGroupDiscoveryList", "items": items}


def merged(there: Object, patch: Object) -> Object:
    """A JSON merge patch, carried out."""
    made = dict(there)
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            made[name] = merged(made[name] if isinstance(made.get(name), dict) else {}, value)
        else:
            made[name] = value
    return made
