"""The requests for certificates that a cluster has, and its nodes with their addresses."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import urlsplit

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.requests.facts import Address, Request, outline_of, request_of, taken_apart
from kubectl_admin.certificates.requests.nodes import (
    Configured,
    Nodes,
    Server,
    addresses_of,
    advertised,
    configured,
    folded,
    name_of,
    service_addresses,
)
from kubectl_admin.certificates.requests.policy import MAX_DURATION, Judged, Verdict, judge, passed_over
from kubectl_admin.cluster.access import Right, explained, may_not
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden, NotFound
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.paths import KUBE_SYSTEM, KUBEADM_CONFIG
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.pool import ask_all

GROUP = "certificates.k8s.io"
REQUESTS = f"/apis/{GROUP}/v1/certificatesigningrequests"
LIST_TIMEOUT = 60.0  # seconds for both listings together
PAGE = 100  # requests that are listed at a time; each may hold a megabyte
CENSUS_GRACE = 5.0  # seconds for which a listing of the nodes is that of now
RIGHTS = (Right("list", "certificatesigningrequests", group=GROUP), Right("list", "nodes"))
SERVICE = "/api/v1/namespaces/default/services/kubernetes"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
OF_SERVICE = [("labelSelector", "kubernetes.io/service-name=kubernetes")]
# These may be missing: nobody judges then whether a request names the API server, and a note says so.
OPTIONAL = {
    SERVICE: Right("get", "services", namespace="default"),
    KUBEADM_CONFIG: Right("get", "configmaps", namespace=KUBE_SYSTEM),
    SLICES: Right("list", "endpointslices", group="discovery.k8s.io", namespace="default"),
}
WHAT = {
    SERVICE: "whether a request names the API server's Service",
    KUBEADM_CONFIG: "whether a request names the control plane's endpoint, or another name that kubeadm was "
    "told,",
    SLICES: "whether a request names an address at which an API server is reached",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One moment. requests: all, decided ones, too, the oldest first, not taken apart."""

    context: str
    requests: tuple[Request, ...]
    nodes: Nodes

    def judged(self, longest: int = MAX_DURATION) -> list[Judged]:
        """The pending ones with what is to be done with them. longest: seconds that each may last."""
        waiting = [request for request in self.requests if request.pending]
        passed = passed_over(waiting)
        return [
            Judged(request, Verdict.NOT_JUDGED)
            if request.uid in passed
            else judge(taken_apart(request), self.nodes, longest)
            for request in waiting
        ]

    def named(self, names: Iterable[str], longest: int = MAX_DURATION) -> list[Judged]:
        """The same of those of these names. Raises AdminError for one that there is not, or is decided."""
        known = {request.name: request for request in self.requests}
        for name in names:
            request = known.get(name)
            if request is None:
                raise AdminError(
                    f'there is no request "{name}"', "list the pending ones: kubectl admin certs csr"
                )
            if not request.pending:
                raise AdminError(f'request "{name}" is not pending: {state(request)}')
        return [judge(taken_apart(known[name]), self.nodes, longest) for name in dict.fromkeys(names)]


def state(request: Request) -> str:
    """How a request has been decided, as a sentence's end."""
    if request.denied or request.failed:
        word = "it was denied" if request.denied else "its signer has refused it"
        return f"{word}: {request.why}" if request.why else word
    return "it was approved" + ("" if request.certificate else ", and has no certificate yet")


def gather(cluster: Cluster) -> Seen:
    """All requests and nodes. Raises AdminError that names the rights that are missing."""
    questions: dict[str, Callable[[], Any]] = {
        "requests": lambda: requests(cluster),
        "nodes": lambda: nodes(cluster),
    }
    with explained(cluster, RIGHTS):
        answers = ask_all(questions, deadline=LIST_TIMEOUT)
        found, known = answers["requests"], answers["nodes"]
        for answer in (found, known):
            if isinstance(answer, AdminError):
                raise answer
    return Seen(cluster.target.context, cast(tuple[Request, ...], found), cast(Nodes, known))


def requests(cluster: Cluster) -> tuple[Request, ...]:
    """All requests without what they ask for, the oldest first."""
    return by_age(map(outline_of, cluster.list(REQUESTS, page=PAGE)))


def outlines(cluster: Cluster, signer: str) -> tuple[Request, ...]:
    """The requests to one signer without what they ask for, the oldest first."""
    query = [("fieldSelector", f"spec.signerName={signer}")]
    return by_age(map(outline_of, cluster.list(REQUESTS, query, page=PAGE)))


def request(cluster: Cluster, name: str) -> Request:
    """One request. Raises NotFound where there is none."""
    return request_of(cluster.get(f"{REQUESTS}/{name}"))


def by_age(found: Iterable[Request]) -> tuple[Request, ...]:
    """The requests, the oldest first."""
    return tuple(
        sorted(found, key=lambda one: (one.created is not None and one.created.timestamp(), one.name))
    )


def nodes(cluster: Cluster) -> Nodes:
    """The addresses of all nodes, and the API server's names."""
    by_name = {str(node["metadata"]["name"]): addresses_of(node) for node in cluster.list("/api/v1/nodes")}
    return Nodes(by_name, server(cluster))


def server(cluster: Cluster) -> Server:
    """The API server's names and addresses, as far as the user may see them.

    By its configuration, by its own certificate, by where pods reach each of them, and by where the user
    finds it: no one of these has all.
    """
    gaps: list[Gap] = []
    service, config, slices = (optional(cluster, path, gaps) for path in (SERVICE, KUBEADM_CONFIG, SLICES))
    told = Configured()
    try:
        told = configured(config)
    except ValueError as error:
        gaps.append(Gap(WHAT[KUBEADM_CONFIG], f"ConfigMap kube-system/kubeadm-config can't be read: {error}"))
    names = {*told.names, *advertised(slices), *served(cluster, gaps), *in_use(cluster.target)}
    return Server(service_addresses(service), frozenset(names), told.domain, tuple(gaps))


def served(cluster: Cluster, gaps: list[Gap]) -> Iterator[str | Address]:
    """The names in the certificate that the API server shows."""
    what = "whether a request names the API server as its certificate does"
    try:
        shown = cluster.server_certificate()
    except AdminError as error:
        gaps.append(Gap(what, error.what))
        return
    if shown is None:
        return
    found = x509.of_der(shown)
    if isinstance(found, x509.Broken):
        gaps.append(Gap(what, f"{cluster.server}: {found.why}"))
        return
    for each in found.names:
        kind, _, text = each.partition(":")
        if kind in ("DNS", "IP"):
            yield name_of(text)
    yield folded(found.common_name)


def in_use(target: Target) -> Iterator[str | Address]:
    """Where the user finds the API server, by the kubeconfig."""
    for text in (urlsplit(target.server).hostname, target.cluster.get("tls-server-name")):
        if text:
            yield name_of(str(text))


def optional(cluster: Cluster, path: str, gaps: list[Gap]) -> dict[str, Any]:
    """An object or a list; an empty one where there is none, as without kubeadm.

    And where it may not be seen: then it is a gap.
    """
    try:
        return dict(cluster.get(path, OF_SERVICE if path == SLICES else ()))
    except NotFound:
        return {}
    except Forbidden as error:
        right = OPTIONAL[path]
        gaps.append(Gap(WHAT[path], may_not(error.user, str(right)), str(right)))
        return {}


class Census:
    """The nodes as they are now, for one approval after the other.

    They are listed again where the last listing is some seconds old, and not for each approval: where
    thousands of nodes join at once, a listing takes longer than hundreds of approvals.
    """

    def __init__(self, cluster: Cluster, read: Callable[[Cluster], Nodes] = nodes) -> None:
        self._cluster, self._read = cluster, read
        self._listed: tuple[float, Nodes] | None = None

    def nodes(self) -> Nodes:
        """All nodes, as they were at most CENSUS_GRACE seconds ago. Raises AdminError as `nodes` does."""
        if self._listed is None or self._cluster.clock.monotonic() > self._listed[0] + CENSUS_GRACE:
            found = self._read(self._cluster)
            self._listed = self._cluster.clock.monotonic(), found
        return self._listed[1]


def with_node(cluster: Cluster, nodes: Nodes, name: str) -> Nodes:
    """The nodes as they were listed, this one as it is now; without it where it is gone."""
    others = {other: about for other, about in nodes.items() if other != name}
    try:
        return replace(nodes, by_name={**others, name: addresses_of(cluster.get(f"/api/v1/nodes/{name}"))})
    except NotFound:
        return replace(nodes, by_name=others)
