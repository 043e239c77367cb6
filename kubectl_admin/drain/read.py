"""Facts out of the API's objects. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from kubectl_admin.cluster.decode import SHOWN, decode_moment
from kubectl_admin.cluster.objects import Object, is_ready
from kubectl_admin.drain.facts import (
    AntiAffinity,
    Budget,
    Claim,
    Demands,
    Node,
    Owner,
    Pod,
    Taint,
    Toleration,
)
from kubectl_admin.drain.labels import Requirement, Selector, equalities
from kubectl_admin.drain.quantity import number
from kubectl_admin.errors import AdminError

MIRROR = "kubernetes.io/config.mirror"
NAME_FIELD = "metadata.name"

Terms = tuple[tuple[Requirement, ...], ...]


def pod(item: Object) -> Pod:
    """A pod."""
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    volumes = spec.get("volumes") or ()
    grace = spec.get("terminationGracePeriodSeconds")
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        node=spec.get("nodeName") or "",
        labels=metadata.get("labels") or {},
        phase=status.get("phase") or "",
        ready=is_ready(item),
        controller=controller(metadata),
        mirror=MIRROR in (metadata.get("annotations") or {}),
        empty_dirs=tuple(volume["name"] for volume in volumes if "emptyDir" in volume),
        claims=tuple(claim for volume in volumes if (claim := claim_of(metadata["name"], volume))),
        deleted=deleted(metadata),
        priority=int(spec.get("priority") or 0),
        grace=30 if grace is None else int(grace),
        finalizers=tuple(metadata.get("finalizers") or ()),
        demands=demands(metadata["namespace"], spec),
    )


def deleted(metadata: Object) -> datetime | None:
    """When a pod's deletion was requested; None where it was not. Raises AdminError for no time."""
    said = metadata.get("deletionTimestamp")
    if not said:
        return None
    moment = decode_moment(said)
    if moment is None:
        name = f"{metadata['namespace']}/{metadata['name']}"
        raise AdminError(f"pod {name}: its deletionTimestamp is not a time: {str(said)[:SHOWN]!r}")
    return moment


def controller(metadata: Object) -> Owner | None:
    """The owner that controls an object, if one does."""
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            return Owner(owner["kind"], owner["name"], owner["uid"], owner["apiVersion"])
    return None


def claim_of(pod_name: str, volume: Object) -> str:
    """The claim that a volume of a pod stands for, or "". An ephemeral one is named after the pod."""
    if "ephemeral" in volume:
        return f"{pod_name}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")


def demands(namespace: str, spec: Object) -> Demands:
    """A pod's demands, by its spec."""
    affinity = spec.get("affinity") or {}
    required = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    anti = (affinity.get("podAntiAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return Demands(
        node_selector=equalities(spec.get("nodeSelector")),
        affinity=node_terms(required) if required else None,
        tolerations=tuple(
            Toleration(
                each.get("key") or "",
                each.get("operator") or "Equal",
                each.get("value") or "",
                each.get("effect") or "",
            )
            for each in spec.get("tolerations") or ()
        ),
        requests=requests(spec),
        anti_affinity=tuple(anti_affinity(namespace, term) for term in anti or ()),
    )


def node_terms(selector: Object) -> Terms:
    """The alternatives of a NodeSelector. An empty one matches no node, as upstream has it."""
    terms = []
    for term in selector.get("nodeSelectorTerms") or ():
        fields = [Requirement.of(each) for each in term.get("matchFields") or ()]
        both = (*(Requirement.of(each) for each in term.get("matchExpressions") or ()), *fields)
        terms.append(both or (Requirement("", "Exists"),))
    return tuple(terms)


def anti_affinity(namespace: str, term: Object) -> AntiAffinity:
    """A term of a required anti-affinity; a namespaceSelector is taken for the pod's own namespace."""
    namespaces = tuple(term.get("namespaces") or ()) or (namespace,)
    selector = Selector.of(term.get("labelSelector")) or Selector((Requirement("", "Exists"),))
    return AntiAffinity(selector, term["topologyKey"], namespaces)


def requests(spec: Object) -> dict[str, float]:
    """A pod's weight on a node: its containers together, or its largest initial one, and its overhead.

    Sidecars (initial containers that keep running) count with the others. Source: component-helpers
    resource/helpers.go, PodRequests.
    """
    lasting = list(spec.get("containers") or ())
    before: list[Object] = []
    for each in spec.get("initContainers") or ():
        (lasting if each.get("restartPolicy") == "Always" else before).append(each)
    total = added((each.get("resources") or {}).get("requests") or {} for each in lasting)
    for each in before:
        for name, value in ((each.get("resources") or {}).get("requests") or {}).items():
            total[name] = max(total.get(name, 0.0), number(value))
    # A request for the pod as a whole replaces the requests of its containers.
    for name, value in ((spec.get("resources") or {}).get("requests") or {}).items():
        total[name] = number(value)
    for name, value in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, 0.0) + number(value)
    return {**total, "pods": 1.0}


def added(several: Iterable[Mapping[str, str]]) -> dict[str, float]:
    """Quantities by name, summed up."""
    total: dict[str, float] = {}
    for each in several:
        for name, value in each.items():
            total[name] = total.get(name, 0.0) + number(value)
    return total


def node(item: Object) -> Node:
    """A node; its name counts among its labels as the field that node affinity may ask for."""
    spec, status = item.get("spec") or {}, item.get("status") or {}
    return Node(
        name=item["metadata"]["name"],
        uid=item["metadata"].get("uid") or "",
        labels={**(item["metadata"].get("labels") or {}), NAME_FIELD: item["metadata"]["name"]},
        taints=tuple(
            Taint(each["key"], each.get("value") or "", each["effect"]) for each in spec.get("taints") or ()
        ),
        unschedulable=bool(spec.get("unschedulable")),
        ready=is_ready(item),
        allocatable={name: number(value) for name, value in (status.get("allocatable") or {}).items()},
    )


def budget(item: Object) -> Budget:
    """A PodDisruptionBudget."""
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    limit = next((name for name in ("maxUnavailable", "minAvailable") if spec.get(name) is not None), "")
    return Budget(
        namespace=metadata["namespace"],
        name=metadata["name"],
        selector=Selector.of(spec.get("selector")),
        wants=f"{limit} {spec[limit]}" if limit else "",
        allowed=int(status.get("disruptionsAllowed") or 0),
        current=int(status.get("currentHealthy") or 0),
        desired=int(status.get("desiredHealthy") or 0),
        expected=int(status.get("expectedPods") or 0),
        stale=int(status.get("observedGeneration") or 0) < int(metadata.get("generation") or 0),
        failure=sync_failure(status),
        always_unhealthy=spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow",
    )


def sync_failure(status: Object) -> str:
    """Why the disruption controller can't work a budget out; "" where it can."""
    for each in status.get("conditions") or ():
        if each.get("reason") == "SyncFailed" and each.get("status") == "False":
            return str(each.get("message") or "it does not say why")
    return ""


def claim(item: Object, volumes: Mapping[str, Object]) -> Claim:
    """A bound claim. volumes: PersistentVolumes by name."""
    name = str((item.get("spec") or {}).get("volumeName") or "")
    volume = volumes.get(name) or {}
    required = ((volume.get("spec") or {}).get("nodeAffinity") or {}).get("required")
    return Claim(name, node_terms(required) if required else None)
