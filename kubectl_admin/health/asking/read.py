"""Facts to judge, out of the API's objects. Pure.

These are of every user of a cluster, and of its nodes: a field that may be anything is taken as it may be.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from kubectl_admin.cluster.admission import VITAL, covers, is_sent_requests, service_of
from kubectl_admin.cluster.decode import decode_moment, mapping, whole_number
from kubectl_admin.cluster.objects import Object, find_condition
from kubectl_admin.drain.labels import Selector
from kubectl_admin.health.asking.pods import SHOWN, objects_in
from kubectl_admin.health.facts import Condition
from kubectl_admin.health.object_facts import (
    Aggregated,
    Backend,
    Budget,
    Hook,
    Identity,
    SigningRequest,
    Terminating,
    Workload,
)

DECIDED = {"Approved", "Denied", "Failed"}
HOST = "kubernetes.io/hostname"
# Of a DaemonSet's status and of another workload's: pods desired, present, updated, ready, available.
COUNTS = {
    "DaemonSet": (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberReady",
        "numberAvailable",
    ),
    "": ("", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
}


def hooks_of(kind: str, item: Object) -> Iterator[Hook]:
    """The webhooks of a ValidatingWebhookConfiguration or MutatingWebhookConfiguration.

    kind: the word that its holder is named with.
    """
    for hook in objects_in(item.get("webhooks")):
        rules = [mapping(rule) for rule in objects_in(hook.get("rules"))]
        yield Hook(
            holder=f"{kind}/{item['metadata']['name']}",
            name=str(hook.get("name") or "?"),
            service=service_of(hook.get("clientConfig")),
            fails=hook.get("failurePolicy") != "Ignore",
            created=decode_moment(item["metadata"].get("creationTimestamp")),
            timeout=whole_number(hook.get("timeoutSeconds")),
            covers=tuple(name for name in VITAL if any(covers(rule, name) for rule in rules)),
            namespaces=selector_of(hook.get("namespaceSelector")),
        )


def conversion_of(item: Object) -> Iterator[Hook]:
    """The webhook that converts a custom resource, if one does."""
    conversion = mapping(mapping(item.get("spec")).get("conversion"))
    if conversion.get("strategy") == "Webhook":
        yield Hook(
            holder=f"crd/{item['metadata']['name']}",
            name="",
            service=service_of(mapping(conversion.get("webhook")).get("clientConfig")),
            fails=True,
            created=decode_moment(item["metadata"].get("creationTimestamp")),
        )


def may_convert(metadata: Object) -> bool:
    """Whether the metadata of a CustomResourceDefinition leave it open that a webhook converts it.

    They tell who has set which field. Where they do not, nobody knows without the definition itself.
    """
    fields = [mapping(one.get("fieldsV1")) for one in objects_in(metadata.get("managedFields"))]
    specs = [mapping(one.get("f:spec")) for one in fields if "f:spec" in one]
    return not specs or any("f:webhook" in mapping(spec.get("f:conversion")) for spec in specs)


def selector_of(selector: object) -> Selector | None:
    """A selector that restricts something; None for one that does not."""
    return Selector.of(mapping(selector)) if mapping(selector) else None


def aggregated_of(item: Object) -> Iterator[Aggregated]:
    """An APIService, unless API servers answer it themselves."""
    if service := service_of(item.get("spec")):
        yield Aggregated(
            name=str(item["metadata"]["name"]),
            service=service,
            created=decode_moment(item["metadata"].get("creationTimestamp")),
            available=condition_of(find_condition(item, "Available")),
        )


def condition_of(said: Object) -> Condition | None:
    """A condition of an object; None where there is none."""
    if not said:
        return None
    return Condition(
        type=str(said.get("type") or ""),
        status=str(said.get("status") or ""),
        reason=str(said.get("reason") or "")[:SHOWN],
        message=str(said.get("message") or "")[:SHOWN],
        since=decode_moment(said.get("lastTransitionTime")),
    )


def conditions_of(item: Object) -> tuple[Condition, ...]:
    """All conditions of an object."""
    found = objects_in(mapping(item.get("status")).get("conditions"))
    return tuple(condition for said in found if (condition := condition_of(said)))


def terminating_of(item: Object) -> Iterator[Terminating]:
    """A namespace that is being deleted, unless it is not."""
    deleted = item["metadata"].get("deletionTimestamp")
    if deleted or mapping(item.get("status")).get("phase") == "Terminating":
        remains = tuple(one for one in conditions_of(item) if one.status == "True")
        yield Terminating(str(item["metadata"]["name"]), decode_moment(deleted), remains)


def workload_of(kind: str, item: Object) -> Workload:
    """A workload of this kind: Deployment, StatefulSet, DaemonSet."""
    metadata, spec, status = item["metadata"], mapping(item.get("spec")), mapping(item.get("status"))
    of_pods = mapping(mapping(spec.get("template")).get("spec"))
    desired, current, updated, ready, available = (
        whole_number(status.get(name)) or 0 for name in COUNTS.get(kind, COUNTS[""])
    )
    if kind != "DaemonSet":
        wanted = whole_number(spec.get("replicas"))
        desired = 1 if wanted is None else wanted
    strategy = mapping(spec.get("updateStrategy"))
    return Workload(
        kind=kind,
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        desired=desired,
        current=current,
        updated=updated,
        ready=ready,
        available=available,
        changed=changed(metadata) or decode_moment(metadata.get("creationTimestamp")),
        selector=selector_of(spec.get("selector")),
        priority_class=str(of_pods.get("priorityClassName") or ""),
        on_delete=strategy.get("type") == "OnDelete",
    )


def changed(metadata: Object) -> datetime | None:
    """When an object was last written, its status apart; None where it does not say."""
    times = [
        decode_moment(one.get("time"))
        for one in objects_in(metadata.get("managedFields"))
        if one.get("subresource") != "status"
    ]
    return max((time for time in times if time), default=None)


def short_budget_of(item: Object) -> tuple[Budget, str] | None:
    """A disruption budget with fewer healthy pods than it wants, and the selector of its pods as a query.

    None where it has enough or none at all, and where its numbers are being computed or can't be.
    """
    from kubectl_admin.drain import read as drain_read  # loaded here: many clusters have no budgets

    budget = drain_read.budget(item)
    if budget.current >= budget.desired or not budget.expected or budget.stale or budget.failure:
        return None
    if budget.selector is None:
        return None
    created = decode_moment(item["metadata"].get("creationTimestamp"))
    found = Budget(budget.namespace, budget.name, budget.desired, budget.current, created)
    return found, str(budget.selector)


def pending_of(item: Object) -> Iterator[SigningRequest]:
    """A CertificateSigningRequest that nobody has decided, unless somebody has."""
    if not any(one.type in DECIDED for one in conditions_of(item)):
        spec, metadata = mapping(item.get("spec")), item["metadata"]
        yield SigningRequest(
            name=str(metadata["name"]),
            signer=str(spec.get("signerName") or ""),
            user=str(spec.get("username") or ""),
            created=decode_moment(metadata.get("creationTimestamp")),
        )


def identity_of(item: Object) -> Identity:
    """The Lease of an API server.

    Source: kubernetes/kubernetes pkg/controlplane/apiserver/server.go, IdentityLeaseComponentLabelKey.
    """
    labels = item["metadata"].get("labels") or {}
    return Identity(
        name=str(item["metadata"]["name"]),
        host=str(labels.get(HOST) or ""),
        renewed=decode_moment(mapping(item.get("spec")).get("renewTime")),
    )


def backend_of(slices: Iterable[Object], exists: bool | None = None, elsewhere: str = "") -> Backend:
    """The backend of a Service with these EndpointSlices."""
    ready, others, times = dict[str, None](), dict[str, None](), list[datetime | None]()
    for item in slices:
        times.append(changed(item["metadata"]))
        for endpoint in objects_in(item.get("endpoints")):
            (ready if is_sent_requests(endpoint) else others)[name_of(endpoint)] = None
    known = [time for time in times if time]
    return Backend(exists, tuple(ready), tuple(others), max(known, default=None), elsewhere)


def name_of(endpoint: Object) -> str:
    """The pod behind an endpoint, which has one of each family of addresses; else its first address."""
    target = mapping(endpoint.get("targetRef"))
    return str(target.get("name") or next(iter(addresses_of(endpoint)), "?"))


def addresses_of(endpoint: Object) -> tuple[str, ...]:
    """The addresses of an endpoint."""
    return tuple(map(str, endpoint.get("addresses") or ()))


def instances_of(slices: Iterable[Object]) -> tuple[str, ...]:
    """The addresses behind the Service that leads to the API servers, each once."""
    found = [
        address
        for item in slices
        for endpoint in objects_in(item.get("endpoints"))
        if mapping(endpoint.get("conditions")).get("ready") is not False
        for address in addresses_of(endpoint)
    ]
    return tuple(dict.fromkeys(found))
