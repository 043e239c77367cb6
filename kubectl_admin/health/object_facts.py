"""The API's objects that health judges, each reduced to what is judged, as plain data.

Times are those that the API server and its clients have written; `Facts.now` is the moment to compare with.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from kubectl_admin.certificates.facts import Seen
from kubectl_admin.drain.labels import Selector
from kubectl_admin.health.facts import Condition, Pod

Item = TypeVar("Item")
ServiceName = tuple[str, str]  # namespace, name
# Source: kubernetes/kubernetes pkg/apis/scheduling/types.go, SystemClusterCritical and SystemNodeCritical.
CRITICAL = ("system-cluster-critical", "system-node-critical")
DNS: ServiceName = ("kube-system", "kube-dns")  # however it is run; kubeadm's addons/dns gives it this name


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook that API servers call.

    holder: the object that names it, «validatingwebhook/policy», «crd/widgets.example.com».
    name: of the webhook within it; "" for a conversion. service: None for one that is called by its URL.
    fails: whether a request fails with it (failurePolicy Fail; a conversion always does so).
    timeout: seconds that a request waits for it. covers: which of pods, nodes and leases its rules cover.
    namespaces: selects the namespaces whose objects it is asked about; None for no restriction.
    """

    holder: str
    name: str
    service: ServiceName | None
    fails: bool
    created: datetime | None = None
    timeout: int | None = None
    covers: tuple[str, ...] = ()
    namespaces: Selector | None = None

    @property
    def is_conversion(self) -> bool:
        """Whether it converts the versions of a custom resource."""
        return not self.name


@dataclass(frozen=True, slots=True)
class Backend:
    """The backend of a Service, by its EndpointSlices.

    exists: whether there is such a Service; None where that was not asked, since there are endpoints.
    ready: endpoints that are sent requests. others: those that are not.
    changed: when one of its slices was last written. elsewhere: the host to which a Service without
    endpoints of its own leads (type ExternalName); "" for none.
    """

    exists: bool | None
    ready: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    changed: datetime | None = None
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class Aggregated:
    """An APIService that another server answers. available: its condition; None where it has none yet."""

    name: str
    service: ServiceName
    created: datetime | None = None
    available: Condition | None = None


@dataclass(frozen=True, slots=True)
class Terminating:
    """A namespace that is being deleted. remains: the True conditions that say what is left."""

    name: str
    deleted: datetime | None
    remains: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, DaemonSet or StatefulSet.

    desired: pods that there should be. current: that there are. updated: of the present template.
    ready, available: of all. changed: when its spec was last written.
    selector: of its pods; None where it has none. priority_class: of its pods.
    on_delete: whether pods are of the present template only when somebody has deleted the old ones.
    """

    kind: str
    namespace: str
    name: str
    desired: int
    current: int
    updated: int
    ready: int
    available: int
    changed: datetime | None = None
    selector: Selector | None = None
    priority_class: str = ""
    on_delete: bool = False

    @property
    def is_critical(self) -> bool:
        """Whether its pods are critical for the cluster or their node."""
        return self.priority_class in CRITICAL

    @property
    def is_short(self) -> bool:
        """Whether a pod of it is not Ready, is not there, or is not of the present template."""
        return self.ready < max(self.desired, self.current) or self.updated < self.desired


@dataclass(frozen=True, slots=True)
class Budget:
    """A disruption budget that has fewer healthy pods than it wants. pods: all that it counts."""

    namespace: str
    name: str
    desired: int
    current: int
    created: datetime | None = None
    pods: tuple[Pod, ...] = ()


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A CertificateSigningRequest that nobody has decided."""

    name: str
    signer: str
    user: str
    created: datetime | None


@dataclass(frozen=True, slots=True)
class Identity:
    """The Lease by which an API server shows that it is there. host: its machine's name, as it knows it.

    renewed: by its own clock.
    """

    name: str
    host: str
    renewed: datetime | None


@dataclass(frozen=True, slots=True)
class Objects:
    """The API's objects that health judges.

    A listing that was refused or has failed is None or empty, and is a gap of the facts; so is a Service that
    is not in `backends`.

    pods: all of kube-system, and the system-critical ones of other namespaces whose workload is short.
    workloads: those of kube-system, and the system-critical ones of other namespaces.
    hooks: of admission and conversion. backends: by the services that hooks and aggregated APIs name,
    and that of DNS. budgets: those that are short. requests: the pending ones.
    identities: of API servers. instances: addresses behind the Service default/kubernetes.
    system_labels: of the namespace kube-system. certificates: in objects, and the user's own.
    proxy_mode: that the ConfigMap of kube-proxy names; "" for none, None where nothing is known of it.
    """

    pods: tuple[Pod, ...] | None = None
    workloads: tuple[Workload, ...] = ()
    hooks: tuple[Hook, ...] = ()
    aggregated: tuple[Aggregated, ...] = ()
    backends: Mapping[ServiceName, Backend] = field(default_factory=dict)
    terminating: tuple[Terminating, ...] = ()
    budgets: tuple[Budget, ...] = ()
    requests: tuple[SigningRequest, ...] = ()
    identities: tuple[Identity, ...] | None = None
    instances: tuple[str, ...] | None = None
    system_labels: Mapping[str, str] = field(default_factory=dict)
    certificates: tuple[Seen, ...] = ()
    proxy_mode: str | None = None

    def joined(self, other: "Objects") -> "Objects":
        """All that is in this one and in the other."""
        return Objects(
            pods=_both(self.pods, other.pods),
            workloads=(*self.workloads, *other.workloads),
            hooks=(*self.hooks, *other.hooks),
            aggregated=(*self.aggregated, *other.aggregated),
            backends={**self.backends, **other.backends},
            terminating=(*self.terminating, *other.terminating),
            budgets=(*self.budgets, *other.budgets),
            requests=(*self.requests, *other.requests),
            identities=_both(self.identities, other.identities),
            instances=_both(self.instances, other.instances),
            system_labels={**self.system_labels, **other.system_labels},
            certificates=(*self.certificates, *other.certificates),
            proxy_mode=self.proxy_mode if other.proxy_mode is None else other.proxy_mode,
        )


def _both(one: tuple[Item, ...] | None, other: tuple[Item, ...] | None) -> tuple[Item, ...] | None:
    return None if one is None and other is None else (*(one or ()), *(other or ()))
