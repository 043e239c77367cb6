"""The judgement on the API itself: aggregated APIs, instances, namespaces that stay, open requests. Pure."""

from collections.abc import Iterator, Mapping

from kubectl_admin.certificates.judge.alike import grouped
from kubectl_admin.control_plane.component import Component
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.components.ages import age, seconds_since
from kubectl_admin.health.components.states import verdict
from kubectl_admin.health.facts import Facts, Process, Reply
from kubectl_admin.health.object_facts import Aggregated, Objects, Terminating
from kubectl_admin.report.text import some_of, span

# No Service is taken away and put back by an update: a Service that it lacks will not come by itself.
# Source: kube-aggregator pkg/controllers/status/remote/remote_available_controller.go.
LASTING = "ServiceNotFound"
# Conditions of a namespace. Source: kubernetes/api core/v1 types.go, NamespaceConditionType.
DISCOVERY_FAILED, FINALIZERS = "NamespaceDeletionDiscoveryFailure", "NamespaceFinalizersRemaining"
HANGING = (
    "namespaces that are deleted stay Terminating, and garbage is not collected, until every API answers"
)


def aggregated(facts: Facts) -> Iterator[Finding]:
    """APIs of other servers that are not available, and the namespaces that hang with them."""
    objects = facts.objects or Objects()
    hanging = [one.name for one in objects.terminating if _waits_for_apis(one)]
    consequence = HANGING + (f"; so do now {some_of(hanging)}" if hanging else "")
    for one in objects.aggregated:
        if one.available and one.available.status == "False":
            text = ": ".join(part for part in (one.available.reason, one.available.message) if part)
            service = "/".join(one.service)
            yield rules.APISERVICE_UNAVAILABLE.finding(
                Severity.NOTE if _is_passing(facts, one) else Severity.VIOLATION,
                subject=f"API {one.name}",
                evidence=f"{text or 'it does not say why'}; {consequence}",
                fix=f"bring up what is behind Service {service}; where nothing needs that API any more:"
                f" kubectl delete apiservice {one.name}",
                objects=(f"apiservice/{one.name}",),
                since=one.available.since,
            )


def instances(facts: Facts) -> Iterator[Finding]:
    """API servers that clients in the cluster are not led to, and addresses that lead to none."""
    objects = facts.objects or Objects()
    running = {
        node.name: process
        for node in facts.nodes
        if (process := node.process(Component.APISERVER)) and process.pod
    }
    ready = [
        node.name
        for node in facts.nodes
        if (process := running.get(node.name))
        and _is_settled(facts, process)
        and not verdict(facts, node, process).is_told
    ]
    yield from _behind_service(facts, objects, running, ready)
    yield from _without_lease(facts, objects, ready)


def terminating(facts: Facts) -> Iterator[Finding]:
    """Namespaces that are not gone long after they were deleted, and the objects left in them."""
    for one in (facts.objects or Objects()).terminating:
        seconds = seconds_since(facts, one.deleted)
        if seconds is None or seconds <= rules.STANDING:
            continue
        left = [condition.message or condition.type for condition in one.remains]
        kinds = {condition.type for condition in one.remains}
        if DISCOVERY_FAILED in kinds:
            fix = "bring up the API that does not answer, or delete its APIService: kubectl get apiservices"
        elif FINALIZERS in kinds:
            fix = "let whoever has set those finalizers end its work; look whether it runs"
        else:
            fix = f"look at its conditions: kubectl get namespace {one.name} -o yaml"
        yield rules.NAMESPACE_TERMINATING.warning(
            subject=f"namespace {one.name}",
            evidence=f"it was deleted {span(seconds)} ago; "
            + (some_of(left, separator="; ") if left else "its conditions do not say what is left"),
            fix=fix,
            objects=(f"namespace/{one.name}",),
            since=one.deleted,
        )


def requests(facts: Facts) -> Iterator[Finding]:
    """Requests for certificates that nobody has decided for an hour."""
    late = [
        one
        for one in (facts.objects or Objects()).requests
        if (seconds_since(facts, one.created) or 0.0) > rules.PENDING
    ]
    for signer, alike in grouped(late, lambda one: one.signer):
        users = list(dict.fromkeys(one.user for one in alike))
        yield rules.CSR_PENDING.note(
            subject=f"{len(alike)} request{'s' if len(alike) > 1 else ''} to {signer}",
            evidence=f"of {some_of(users)}: neither approved nor denied",
            fix="kubectl admin certs csr shows which are valid",
            objects=tuple(f"csr/{one.name}" for one in alike),
            since=min((one.created for one in alike if one.created), default=None),
        )


def _is_passing(facts: Facts, one: Aggregated) -> bool:
    """Whether an API may well be available in a moment, as during an update of a single pod."""
    available = one.available
    if available is None or available.reason == LASTING:
        return False
    seconds = seconds_since(facts, available.since)
    return seconds is not None and seconds < rules.YOUNG


def _waits_for_apis(one: Terminating) -> bool:
    return any(condition.type == DISCOVERY_FAILED for condition in one.remains)


def _is_settled(facts: Facts, process: Process) -> bool:
    """Whether an API server has been Ready for so long that it has told everybody that it is there.

    One that does not answer, or not well, has a finding of its own; its pod may be Ready for a while still.
    """
    pod = process.pod
    if pod is None or not pod.ready or pod.deleted or pod.since is None:
        return False
    if not all(isinstance(reply, Reply) and reply.is_fine for reply in process.replies.values()):
        return False
    return age(facts, pod.node, pod.since).seconds > rules.YOUNG


def _behind_service(
    facts: Facts, objects: Objects, running: Mapping[str, Process], ready: list[str]
) -> Iterator[Finding]:
    """The API servers against the endpoints of the Service kubernetes.

    Only where each one's address is known, and it keeps the endpoints itself.
    Source: kubernetes/kubernetes pkg/controlplane/reconcilers/lease.go; kubeadm sets --advertise-address.
    """
    addresses = {name: process.flags.get("advertise-address", "") for name, process in running.items()}
    kept = all(process.flags.get("endpoint-reconciler-type") != "none" for process in running.values())
    if not objects.instances or not running or not all(addresses.values()) or not kept:
        return
    if absent := [name for name in ready if addresses[name] not in objects.instances]:
        yield rules.APISERVER_COUNT.warning(
            subject=f"API server on {_named(absent)}",
            evidence=f"{some_of([addresses[name] for name in absent])} is not among the endpoints of Service"
            f" default/kubernetes, {some_of(objects.instances)}",
            fix="look at the log of that API server for its lease of endpoints; pods do not reach it",
            objects=(f"node/{name}" for name in absent),
        )
    known = {*addresses.values(), *(node.address for node in facts.nodes)}
    if strange := [address for address in objects.instances if address not in known]:
        yield rules.APISERVER_COUNT.warning(
            subject="Service default/kubernetes",
            evidence=f"its endpoint {some_of(strange)} belongs to no API server of this cluster's nodes",
            fix="look whether an API server of a node that was removed still runs there",
            objects=("service/default/kubernetes",),
        )


def _without_lease(facts: Facts, objects: Objects, ready: list[str]) -> Iterator[Finding]:
    """API servers without the Lease that tells the others that they are there.

    Only where the Leases have the names of the nodes; an API server may know its machine by another name.
    """
    fresh = {
        one.host
        for one in objects.identities or ()
        if one.renewed and age(facts, one.host, one.renewed).seconds < rules.IDENTITY_OLD
    }
    absent = [name for name in ready if name not in fresh]
    if absent and fresh and fresh <= {node.name for node in facts.nodes}:
        yield rules.APISERVER_COUNT.warning(
            subject=f"API server on {_named(absent)}",
            evidence="it has not renewed the Lease by which the others know of it for an hour",
            fix="look at its log: kubectl -n kube-system get leases -l"
            " apiserver.kubernetes.io/identity=kube-apiserver",
            objects=(f"node/{name}" for name in absent),
        )


def _named(names: list[str]) -> str:
    return f"node {names[0]}" if len(names) == 1 else f"nodes {some_of(names)}"
