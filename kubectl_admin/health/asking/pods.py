"""Pods as their objects show them. Pure."""

from collections.abc import Iterable, Iterator

from kubectl_admin.cluster.decode import decode_moment, mapping, whole_number
from kubectl_admin.cluster.objects import Object, are_objects, find_condition
from kubectl_admin.control_plane.pod import PORT_LIMIT
from kubectl_admin.health.facts import Container, Pod

# Of the conditions that say why a pod does not run, in the order in which it gets them.
# Source: kubernetes/api core/v1 types.go, PodConditionType.
STEPS = ("PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready")
SHOWN = 300  # characters of a message that are kept: a kubelet may write as much as it likes


def pod_of(item: Object) -> Pod:
    """The pod that an object of the API is. Whatever a kubelet has written of it is taken as it may be."""
    metadata, spec, status = mapping(item["metadata"]), mapping(item.get("spec")), mapping(item.get("status"))
    ready, owner = find_condition(item, "Ready"), controller_of(metadata)
    return Pod(
        namespace=str(metadata.get("namespace") or ""),
        name=str(metadata["name"]),
        node=str(spec.get("nodeName") or ""),
        phase=str(status.get("phase") or ""),
        ready=ready.get("status") == "True" if ready else None,
        since=decode_moment(ready.get("lastTransitionTime")),
        created=decode_moment(metadata.get("creationTimestamp")),
        deleted=decode_moment(metadata.get("deletionTimestamp")),
        labels=metadata.get("labels") or {},
        host_network=spec.get("hostNetwork") is True,
        ip=str(status.get("podIP") or ""),
        priority_class=str(spec.get("priorityClassName") or ""),
        owner=str(owner.get("kind") or ""),
        owner_name=str(owner.get("name") or ""),
        restart_policy=str(spec.get("restartPolicy") or "Always"),
        containers=tuple(map(container_of, objects_in(status.get("containerStatuses")))),
        message=message_of(item),
        ports=dict(ports_of(spec)),
    )


def ports_of(spec: Object) -> Iterator[tuple[str, int]]:
    """The ports for TCP that a pod's containers name, by their names."""
    for container in objects_in(spec.get("containers")):
        for port in objects_in(container.get("ports")):
            name, number = str(port.get("name") or ""), whole_number(port.get("containerPort"))
            if name and number and number < PORT_LIMIT and port.get("protocol", "TCP") == "TCP":
                yield name, number


def controller_of(metadata: Object) -> Object:
    """The reference to the controller of an object with this metadata; empty for none."""
    owners = objects_in(metadata.get("ownerReferences"))
    return next((one for one in owners if one.get("controller") is True), {})


def container_of(status: Object) -> Container:
    """The container of which this is the kubelet's status.

    A process that has ended and has no successor yet is the one before.
    """
    state = mapping(status.get("state"))
    ended = mapping(state.get("terminated")) or mapping(mapping(status.get("lastState")).get("terminated"))
    return Container(
        name=str(status.get("name") or ""),
        ready=status.get("ready") is True,
        restarts=whole_number(status.get("restartCount")) or 0,
        waiting=str(mapping(state.get("waiting")).get("reason") or ""),
        started=decode_moment(mapping(state.get("running")).get("startedAt")),
        exit_code=exit_code_of(ended),
        reason=str(ended.get("reason") or "")[:SHOWN],
        finished=decode_moment(ended.get("finishedAt")),
    )


def exit_code_of(ended: Object) -> int | None:
    """The exit code of a process that has ended; None where it is not said. Windows has negative ones."""
    code = ended.get("exitCode")
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def message_of(item: Object) -> str:
    """Why a pod does not run or is not Ready, as its status says it; "" where it says nothing.

    The word for the pod as a whole («Evicted») comes first, then its first condition that is not True, then
    the reason why an initial container waits.
    """
    return next(words_of(item), "")


def words_of(item: Object) -> Iterator[str]:
    """All that a pod's status says, the most telling first."""
    status = mapping(item.get("status"))
    yield from said(status.get("reason"), status.get("message"))
    yield from waiting_initial(objects_in(status.get("initContainerStatuses")))
    for kind in STEPS:
        condition = find_condition(item, kind)
        if condition and condition.get("status") != "True":
            yield from said(condition.get("reason"), condition.get("message"))


def waiting_initial(statuses: Iterable[Object]) -> Iterator[str]:
    """Initial containers that wait, not for their turn: «init container install: CrashLoopBackOff»."""
    for status in statuses:
        reason = str(mapping(mapping(status.get("state")).get("waiting")).get("reason") or "")
        if reason and reason != "PodInitializing":
            yield f"init container {status.get('name')}: {reason}"[:SHOWN]


def said(reason: object, message: object) -> Iterator[str]:
    """A reason and its message as one text; nothing for neither."""
    words = [str(each) for each in (reason, message) if each]
    if words:
        yield ": ".join(words)[:SHOWN]


def objects_in(listed: object) -> Iterable[Object]:
    """The objects of a list in a status; none for anything else."""
    return listed if isinstance(listed, list) and are_objects(listed) else ()
