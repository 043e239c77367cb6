"""Asks the API for the objects that are judged beside the components: each listing is reduced at once.

No listing waits for another, and none is of all pods: a pod of another namespace than kube-system is looked
at only where a workload that is critical for the cluster, or a budget, says that something is amiss.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from kubectl_admin.certificates.facts import Seen
from kubectl_admin.certificates.inventory import objects as certificates
from kubectl_admin.certificates.inventory import user
from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.access import Right, may_not
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Forbidden, NotFound
from kubectl_admin.cluster.objects import Object
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.health.asking import read
from kubectl_admin.health.asking.pods import pod_of
from kubectl_admin.health.facts import Pod
from kubectl_admin.health.object_facts import (
    DNS,
    Aggregated,
    Backend,
    Hook,
    Objects,
    ServiceName,
    Terminating,
)
from kubectl_admin.pool import Once

CSR_GROUP, LEASE_GROUP = "certificates.k8s.io", "coordination.k8s.io"
APPS, POLICY, SLICE_GROUP = "apps", "policy", "discovery.k8s.io"
WORKLOADS = {"Deployment": "deployments", "DaemonSet": "daemonsets", "StatefulSet": "statefulsets"}
SLICES = Right("list", "endpointslices", group=SLICE_GROUP)
SERVICES = Right("get", "services")
PODS = Right("list", "pods")
BUDGETS = Right("list", "poddisruptionbudgets", group=POLICY)
REQUESTS = Right("list", "certificatesigningrequests", group=CSR_GROUP)
LEASES = Right("list", "leases", KUBE_SYSTEM, LEASE_GROUP)
NAMESPACES = Right("list", "namespaces")
CRDS = certificates.right("crd")
OF_SERVICE = "kubernetes.io/service-name"
IDENTITY = "apiserver.kubernetes.io/identity=kube-apiserver"
KUBERNETES: ServiceName = ("default", "kubernetes")
OWN_CERTIFICATE = "the user's certificate"  # takes no right
WEBHOOKS = ("validatingwebhook", "mutatingwebhook")
SPARE = 0.8  # of the time; the rest is for the answer on its way when nothing further is asked


@dataclass(frozen=True, slots=True)
class Found:
    """Objects that a question has found, and its gaps."""

    objects: Objects
    gaps: tuple[Gap, ...] = ()

    def beside(self, objects: Objects, gaps: tuple[Gap, ...] = ()) -> "Found":
        """This and more as one."""
        return Found(self.objects.joined(objects), (*gaps, *self.gaps))


Question = Callable[[], Found]
Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


def questions(cluster: Cluster, seconds: float) -> dict[Right | str, Question]:
    """The questions, by the right that each needs first; `put_together` takes the answers.

    seconds: after which no further question of a listing is asked: a gap says so.
    """
    asker = Asker(cluster, Deadline.after(seconds * SPARE, cluster.clock))
    return {
        **{certificates.right(kind): partial(asker.webhooks, kind) for kind in WEBHOOKS},
        CRDS: asker.conversions,
        certificates.right("apiservice"): asker.aggregated,
        certificates.PUBLISHING: asker.published,
        SLICES: asker.endpoints,
        **{workload_right(kind): partial(asker.workloads, kind) for kind in WORKLOADS},
        BUDGETS: asker.budgets,
        NAMESPACES: asker.namespaces,
        REQUESTS: asker.requests,
        LEASES: asker.identities,
        OWN_CERTIFICATE: asker.own_certificate,
    }


def put_together(answers: Mapping[Right | str, Found | AdminError]) -> Found:
    """All answers as one. A listing that was refused or has failed is a gap; one of a kind that the cluster
    does not know is neither.
    """
    objects, gaps = Objects(), list[Gap]()
    for right, answer in answers.items():
        if isinstance(answer, Found):
            objects = objects.joined(answer.objects)
            gaps += answer.gaps
        elif not isinstance(answer, NotFound):
            gaps.append(gap_of(right, answer))
    return Found(objects, tuple(dict.fromkeys(gaps)))


def workload_right(kind: str) -> Right:
    """The right to list workloads of a kind."""
    return Right("list", WORKLOADS[kind], group=APPS)


def gap_of(right: Right | str, error: AdminError) -> Gap:
    """The gap of a question that has failed."""
    if isinstance(right, str):
        return Gap(right, error.what)
    if isinstance(error, Forbidden):
        return Gap(right.resource, may_not(error.user, str(right)), str(right))
    return Gap(right.resource, error.what)


class Asker:
    """Asks one cluster; nothing further once the time is over."""

    def __init__(self, cluster: Cluster, end: Deadline) -> None:
        self._cluster = cluster
        self._end = end
        self._slices: dict[ServiceName, Once[Backend]] = {}

    def webhooks(self, kind: str) -> Found:
        """The webhooks of a kind, and their backends."""
        hooks, seen = list[Hook](), list[Seen]()
        for item in self._cluster.list(certificates.path(kind)):
            hooks += read.hooks_of(kind, item)
            seen += certificates.of_objects(kind, [item])
        behind = self._behind(hook.service for hook in hooks)
        return behind.beside(Objects(hooks=tuple(hooks), certificates=tuple(seen)))

    def conversions(self) -> Found:
        """The webhooks that convert custom resources, and their backends.

        Definitions are large, with schemas of many pages, and few are converted by a webhook: those alone are
        read as a whole.
        """
        path = certificates.path("crd")
        table = self._cluster.table(path, include_object="Metadata")
        names = [str(one["metadata"]["name"]) for one in table.objects if read.may_convert(one["metadata"])]
        hooks, seen = list[Hook](), list[Seen]()
        definitions, gaps = self._each(CRDS, names, partial(self._named, path))
        for item in definitions.values():
            hooks += read.conversion_of(item)
            seen += certificates.of_objects("crd", [item])
        behind = self._behind(hook.service for hook in hooks)
        return behind.beside(Objects(hooks=tuple(hooks), certificates=tuple(seen)), gaps)

    def aggregated(self) -> Found:
        """The APIs that others answer, and their backends."""
        found, seen = list[Aggregated](), list[Seen]()
        for item in self._cluster.list(certificates.path("apiservice")):
            found += read.aggregated_of(item)
            seen += certificates.of_objects("apiservice", [item])
        behind = self._behind(one.service for one in found)
        return behind.beside(Objects(aggregated=tuple(found), certificates=tuple(seen)))

    def published(self) -> Found:
        """The authorities that API servers publish."""
        return Found(Objects(certificates=certificates.published(self._cluster)))

    def own_certificate(self) -> Found:
        """The user's certificate, and the authorities of the kubeconfig."""
        return Found(Objects(certificates=tuple(user.seen(self._cluster))))

    def endpoints(self) -> Found:
        """Where the API servers and DNS are found."""
        slices = self._of_service(KUBERNETES)
        return self._behind([DNS]).beside(Objects(instances=read.instances_of(slices)))

    def workloads(self, kind: str) -> Found:
        """The workloads of a kind that matter to the cluster, and the pods of those that are short.

        The pods of kube-system are not asked for here: somebody has listed them all.
        """
        path = f"/apis/{APPS}/v1/{WORKLOADS[kind]}"
        every = (read.workload_of(kind, item) for item in self._cluster.list(path))
        kept = [one for one in every if one.namespace == KUBE_SYSTEM or one.is_critical]
        short = [one for one in kept if one.is_short and one.selector and one.namespace != KUBE_SYSTEM]
        pods, gaps = self._each(PODS, short, lambda one: self._pods(one.namespace, str(one.selector)))
        seen = {(pod.namespace, pod.name): pod for each in pods.values() for pod in each}
        return Found(Objects(workloads=tuple(kept), pods=tuple(seen.values()) if seen else None), gaps)

    def budgets(self) -> Found:
        """The disruption budgets that have fewer healthy pods than they want, each with its pods."""
        path = f"/apis/{POLICY}/v1/poddisruptionbudgets"
        short = dict(found for item in self._cluster.list(path) if (found := read.short_budget_of(item)))
        pods, gaps = self._each(PODS, short, lambda one: self._pods(one.namespace, short[one]))
        return Found(Objects(budgets=tuple(replace(one, pods=pods[one]) for one in pods)), gaps)

    def namespaces(self) -> Found:
        """The namespaces that are being deleted, and the labels of kube-system."""
        labels, terminating = dict[str, str](), list[Terminating]()
        for item in self._cluster.list("/api/v1/namespaces"):
            terminating += read.terminating_of(item)
            if item["metadata"]["name"] == KUBE_SYSTEM:
                labels = item["metadata"].get("labels") or {}
        return Found(Objects(terminating=tuple(terminating), system_labels=labels))

    def requests(self) -> Found:
        """The requests for certificates that nobody has decided."""
        items = self._cluster.list(f"/apis/{CSR_GROUP}/v1/{REQUESTS.resource}")
        return Found(Objects(requests=tuple(one for item in items for one in read.pending_of(item))))

    def identities(self) -> Found:
        """The Leases by which API servers show that they are there."""
        path = f"/apis/{LEASE_GROUP}/v1/namespaces/{KUBE_SYSTEM}/leases"
        items = self._cluster.list(path, [("labelSelector", IDENTITY)])
        return Found(Objects(identities=tuple(map(read.identity_of, items))))

    def _behind(self, services: Iterable[ServiceName | None]) -> Found:
        """The backends of services. A Service is asked for only where nothing is ready behind it."""
        wanted = dict.fromkeys(service for service in services if service)
        behind, gaps = self._each(SLICES, wanted, self._backend)
        empty = [service for service, backend in behind.items() if not backend.ready]
        kinds, more = self._each(SERVICES, empty, self._kind_of)
        told = {service: replace(behind[service], **kind) for service, kind in kinds.items()}
        ready = {service: backend for service, backend in behind.items() if backend.ready}
        return Found(Objects(backends={**ready, **told}), (*gaps, *more))

    def _backend(self, service: ServiceName) -> Backend:
        """A Service's backend by its slices; asked for once, however many webhooks name it."""
        ask = partial(lambda: read.backend_of(self._of_service(service)))
        return self._slices.setdefault(service, Once(ask))()

    def _kind_of(self, service: ServiceName) -> dict[str, Any]:
        """Whether a Service exists, and where it leads instead of endpoints, as fields of its Backend."""
        namespace, name = service
        try:
            spec = self._cluster.get(f"/api/v1/namespaces/{namespace}/services/{name}").get("spec") or {}
        except NotFound:
            return {"exists": False}
        outside = spec.get("type") == "ExternalName"
        return {"exists": True, "elsewhere": str(spec.get("externalName") or "?") if outside else ""}

    def _of_service(self, service: ServiceName) -> list[Object]:
        namespace, name = service
        path = f"/apis/{SLICE_GROUP}/v1/namespaces/{namespace}/endpointslices"
        return list(self._cluster.list(path, [("labelSelector", f"{OF_SERVICE}={name}")]))

    def _named(self, path: str, name: str) -> Object:
        """The object of that name, by the right to list; empty where it has just been deleted."""
        found = self._cluster.list(path, [("fieldSelector", f"metadata.name={name}")])
        return next(iter(found), {"metadata": {"name": name}})

    def _pods(self, namespace: str, selector: str) -> tuple[Pod, ...]:
        query = [("labelSelector", selector)] if selector else []
        return tuple(map(pod_of, self._cluster.list(f"/api/v1/namespaces/{namespace}/pods", query)))

    def _each(
        self, right: Right, keys: Iterable[Key], ask: Callable[[Key], Answer]
    ) -> tuple[dict[Key, Answer], tuple[Gap, ...]]:
        """The answers about each of the keys, and why there are not more."""
        answers, gaps = dict[Key, Answer](), dict[Gap, None]()
        for key in keys:
            if self._end.left <= 0:
                gaps[Gap(right.resource, "no time was left to ask for all that listings have named")] = None
                break
            try:
                answers[key] = ask(key)
            except AdminError as error:
                gaps[gap_of(right, error)] = None
                if isinstance(error, Forbidden):
                    break
        return answers, tuple(gaps)
