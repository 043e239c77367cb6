"""Which resources an API server serves, by its own word; each in the versions that it prefers, in order.

Source: docs «Kubernetes API Concepts», aggregated discovery (stable since Kubernetes 1.30);
k8s.io/api/apidiscovery/v2/types.go.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.undelete.facts import Resource
from kubectl_admin.etcd.undelete.kinds import Name
from kubectl_admin.etcd.undelete.select import NEEDED

ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KIND = "APIGroupDiscoveryList"


@dataclass(frozen=True, slots=True)
class Served:
    """versions: by group and plural, the resource in each version, the one that is preferred first.

    doubtful: groups whose server does not answer at present: nothing is known of their resources.
    """

    versions: Mapping[Name, Sequence[Resource]]
    doubtful: frozenset[str] = frozenset()

    @property
    def preferred(self) -> list[Resource]:
        """Each resource once."""
        return [versions[0] for versions in self.versions.values()]

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource of an object's kind, whatever version of its group is named."""
        group = api_version.rpartition("/")[0]
        found = [each for each in self.preferred if each.group == group and each.kind == kind]
        return found[0] if found else None


def discover(cluster: Cluster) -> Served:
    """All that can be got, listed and created. Raises AdminError where the server does not tell."""
    versions: dict[Name, list[Resource]] = {}
    doubtful: set[str] = set()
    for path in ("/api", "/apis"):
        document = cluster.get(path, accept=ACCEPT)
        if document.get("kind") != KIND:
            raise AdminError(
                f"{cluster.server} does not list its resources as Kubernetes 1.30 and later do at {path}"
            )
        for group, is_stale, resource in listed(document):
            if is_stale:
                doubtful.add(group)
            if resource and set(resource.verbs) >= NEEDED:
                versions.setdefault((group, resource.plural), []).append(resource)
    return Served(versions, frozenset(doubtful))


def listed(document: Mapping[str, Any]) -> Iterator[tuple[str, bool, Resource | None]]:
    """Group, whether its server is away, and resource, for each of a discovery's document. Pure.

    The server lists a group's versions by preference.
    """
    for item in _objects(document, "items"):
        group = str(mapping(item.get("metadata")).get("name") or "")
        for version in _objects(item, "versions"):
            is_stale = version.get("freshness") == "Stale"
            if is_stale:
                yield group, True, None
            for one in _objects(version, "resources"):
                yield group, is_stale, _resource(group, str(version.get("version")), one)


def _resource(group: str, version: str, said: Mapping[str, Any]) -> Resource | None:
    kind = mapping(said.get("responseKind"))
    plural = said.get("resource")
    if not isinstance(plural, str) or not plural or not kind.get("kind"):
        return None
    # The scheme of another group's object (a Scale, an Eviction) is never a resource that is listed.
    return Resource(
        group,
        version,
        plural,
        str(kind["kind"]),
        namespaced=said.get("scope") == "Namespaced",
        singular=str(said.get("singularResource") or ""),
        short=_words(said, "shortNames"),
        verbs=_words(said, "verbs"),
    )


def _objects(said: Mapping[str, Any], field: str) -> Iterator[Mapping[str, Any]]:
    found = said.get(field)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield one


def _words(said: Mapping[str, Any], field: str) -> tuple[str, ...]:
    found = said.get(field)
    return tuple(str(one) for one in found) if isinstance(found, list) else ()
