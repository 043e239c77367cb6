"""The requests for certificates that a cluster has, and its nodes with their addresses."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from kubectl_admin.certificates.requests.facts import Nodes, Request, addresses_of, request_of
from kubectl_admin.certificates.requests.policy import LONGEST, Judged, judge
from kubectl_admin.cluster.access import Right, explained
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import NotFound
from kubectl_admin.errors import AdminError
from kubectl_admin.pool import ask_all

GROUP = "certificates.k8s.io"
REQUESTS = f"/apis/{GROUP}/v1/certificatesigningrequests"
LISTING = 60.0  # seconds for both listings together
RIGHTS = (Right("list", "certificatesigningrequests", group=GROUP), Right("list", "nodes"))


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was at one moment. requests: all, decided ones, too, the oldest first."""

    context: str
    requests: tuple[Request, ...]
    nodes: Nodes

    def judged(self, longest: int = LONGEST) -> list[Judged]:
        """The pending ones with what is to be done with them. longest: seconds that each may last."""
        return [judge(request, self.nodes, longest) for request in self.requests if request.pending]

    def named(self, names: Iterable[str], longest: int = LONGEST) -> list[Judged]:
        """The same of those of these names. Raises AdminError for one that there is not, or is decided."""
        known = {request.name: request for request in self.requests}
        for name in names:
            request = known.get(name)
            if request is None:
                raise AdminError(
                    f'there is no request "{name}"', "kubectl admin certs csr shows those that wait"
                )
            if not request.pending:
                raise AdminError(f'request "{name}" does not wait: {state(request)}')
        return [judge(known[name], self.nodes, longest) for name in dict.fromkeys(names)]


def state(request: Request) -> str:
    """How a request has been decided, as a sentence's end."""
    if request.denied or request.failed:
        word = "it was denied" if request.denied else "its signer has refused it"
        return f"{word}: {request.why}" if request.why else word
    return "it was approved" + ("" if request.certificate else ", and has no certificate yet")


def look(cluster: Cluster) -> Seen:
    """All requests and nodes. Raises AdminError that names the rights that are missing."""
    questions: dict[str, Callable[[], Any]] = {
        "requests": lambda: requests(cluster),
        "nodes": lambda: nodes(cluster),
    }
    with explained(cluster, RIGHTS):
        answers = ask_all(questions, deadline=LISTING)
        found, known = answers["requests"], answers["nodes"]
        for answer in (found, known):
            if isinstance(answer, AdminError):
                raise answer
    return Seen(cluster.target.context, cast(tuple[Request, ...], found), cast(Nodes, known))


def requests(cluster: Cluster) -> tuple[Request, ...]:
    """All requests, the oldest first."""
    found = map(request_of, cluster.list(REQUESTS))
    return tuple(
        sorted(found, key=lambda one: (one.created is not None and one.created.timestamp(), one.name))
    )


def nodes(cluster: Cluster) -> Nodes:
    """The addresses of all nodes."""
    return {str(node["metadata"]["name"]): addresses_of(node) for node in cluster.list("/api/v1/nodes")}


def with_node(cluster: Cluster, nodes: Nodes, name: str) -> Nodes:
    """The nodes as they were listed, this one as it is now; without it where it is gone."""
    others = {other: about for other, about in nodes.items() if other != name}
    try:
        return {**others, name: addresses_of(cluster.get(f"/api/v1/nodes/{name}"))}
    except NotFound:
        return others
