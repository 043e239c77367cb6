"""The life of a debug pod: made on a node, seen running, and gone afterwards, whatever happens in between."""

import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubectl_admin.cluster.access import Right
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Conflict, NotFound
from kubectl_admin.cluster.retry import NotReadyError, Retry, is_transient
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.node import image, manifest, trouble
from kubectl_admin.node.operation import Operation
from kubectl_admin.signals import sheltered

NAMESPACE = "kube-system"
DEADLINE = 4 * 3600  # seconds
PATIENCE = 300.0  # seconds
STARTING = 60.0  # seconds in which the pod must run
OUTAGE = 120.0  # seconds for which an API server may restart meanwhile
TURN = 3.0  # seconds after which a pod that does not run is looked at more closely
ENDING = 5.0  # seconds in which its process must have ended that was ended from inside
KILLED = 137  # the exit code of what a runtime kills when its container has ended
DELETING = 10.0  # seconds for an answer to its deletion
WITHOUT_GRACE = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
LEAVING = 20.0  # seconds in which it must be gone
SETTLING = 10.0  # seconds for which a refusal to remove it is not believed
REACHING = 30.0  # seconds for which its removal is tried where the API server does not answer
UNDERWAY = 2.0  # seconds in which a request whose answer was lost has come to the API server, or never will
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")  # a DNS subdomain, as nodes and namespaces are named


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may decide about debug pods.

    namespace: where they are made; it must allow privileged pods. image: instead of one that the node holds;
    it is pulled if need be. deadline: seconds after which the kubelet ends a pod that was left behind.
    patience, retries: seconds for which the way to the node may be cut, and failures in a row (None: any).
    """

    namespace: str = NAMESPACE
    image: str | None = None
    deadline: int = DEADLINE
    patience: float = PATIENCE
    retries: int | None = None


def rights(namespace: str) -> list[Right]:
    """What it takes to make a debug pod in the namespace and to run commands in it."""
    pod = [Right(verb, "pods", namespace) for verb in ("create", "get", "list", "watch", "delete")]
    # The WebSocket of an exec is opened by a GET, and servers since 1.35 ask for «create» as well.
    execution = [Right(verb, "pods/exec", namespace) for verb in ("create", "get")]
    return [Right("get", "nodes"), *pod, *execution]


@contextmanager
def running(
    cluster: Cluster, node: str, operation: Operation, options: Options, say: Callable[[str], None]
) -> Iterator[str]:
    """The name of a debug pod that runs on the node; it is gone when this is left.

    say: is given a sentence where something takes long, or can't be removed. Raises AdminError where the node
    can't take the pod or the server refuses it, with the reason and the pod's events.
    """
    refuse_misnamed("namespace", options.namespace)
    about = seen(cluster, node)
    refuse_unready(about)
    chosen, pull = (
        (options.image, "IfNotPresent") if options.image else (held(cluster, about, options), "Never")
    )
    programs: tuple[str, ...] = manifest.PROGRAMS
    while True:
        name = f"kubectl-admin-{operation.id}-{secrets.token_hex(2)}"
        body = manifest.debug_pod(
            name,
            node,
            operation=operation,
            image=chosen,
            pull=pull,
            deadline=options.deadline,
            programs=programs,
        )
        if operation.over.is_set():
            raise AdminError(f"node {node}: interrupted")
        made, refused = False, False
        try:
            try:
                create(cluster, options.namespace, body)
                made = True
            except AdminError as error:
                refused = not is_transient(error)
                raise
            missing = until_running(cluster, options.namespace, name, programs, say)
            if missing is None:
                yield name
                return
        finally:
            if not refused:
                with sheltered():
                    removed(cluster, options.namespace, name, say, made=made)
        # Not every system has all of them: a host of another C library has no /lib64.
        programs = tuple(folder for folder in programs if folder != missing)


def seen(cluster: Cluster, node: str) -> dict[str, Any]:
    """The Node object of that name."""
    refuse_misnamed("node", node)
    found: dict[str, Any] = cluster.get(f"/api/v1/nodes/{node}")
    return found


def refuse_misnamed(kind: str, name: str) -> None:
    """Raises UsageError for what can't be a node's or a namespace's name: it would ask for something else."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't be the name of a {kind}")


def refuse_unready(node: dict[str, Any]) -> None:
    """Raises NotReadyError for a node whose kubelet would not start the pod."""
    name = node["metadata"]["name"]
    for condition in node.get("status", {}).get("conditions") or ():
        if condition["type"] == "Ready" and condition["status"] != "True":
            raise NotReadyError(
                f"node {name} is not Ready since {condition.get('lastTransitionTime', '?')}: "
                f"{condition.get('reason', '')}: {condition.get('message', '')}",
                "its kubelet starts no pod; bring it back first",
            )


def held(cluster: Cluster, node: dict[str, Any], options: Options) -> str:
    """An image that the node holds; AdminError where none is known."""
    name = node["metadata"]["name"]
    found = image.held(node, ()) or image.held(node, pods_on(cluster, options.namespace, name))
    if found is None:
        raise AdminError(f"node {name}: no image is known to be on it", "name one with --image")
    return found


def pods_on(cluster: Cluster, namespace: str, node: str) -> list[dict[str, Any]]:
    """The pods of the namespace on the node."""
    return list(
        cluster.list(f"/api/v1/namespaces/{namespace}/pods", [("fieldSelector", f"spec.nodeName={node}")])
    )


def create(cluster: Cluster, namespace: str, body: dict[str, Any]) -> None:
    """Creates the pod; raises AdminError with the server's words and a way out where it is not wanted."""
    post = partial(cluster.post, f"/api/v1/namespaces/{namespace}/pods", body)
    try:
        Retry(REACHING, lambda _: None)(post)
    except Conflict:
        pass  # an attempt whose answer was lost has made it: nobody else has this name
    except ApiError as error:
        hint = trouble.way_out(error, namespace)
        if hint is None:
            raise
        node = body["spec"]["nodeName"]
        raise AdminError(f"node {node}: the debug pod was refused: {error.message}", hint) from error


def until_running(
    cluster: Cluster, namespace: str, name: str, programs: Sequence[str], say: Callable[[str], None]
) -> str | None:
    """Waits until the pod's container runs, and returns None; or the folder that this host does not have.

    Raises AdminError where it has failed, does not run within STARTING seconds in which the API server
    answers, or where that does not answer for OUTAGE seconds.
    """
    end, last = time.monotonic() + STARTING, ""
    cut: float | None = None  # since when the API server does not answer
    while True:
        try:
            for event in cluster.watch(
                f"/api/v1/namespaces/{namespace}/pods",
                [("fieldSelector", f"metadata.name={name}")],
                timeout=TURN,
            ):
                if trouble.is_running(event["object"], event["type"], lambda: told(cluster, namespace, name)):
                    return None
        except AdminError as error:
            now = time.monotonic()
            cut = now if cut is None else cut
            if not is_transient(error) or now > cut + OUTAGE:
                raise
            # Until the API server is back, no kubelet hears of the pod.
            end = now + STARTING
            time.sleep(0.5)
            continue
        cut = None
        events = trouble.without_echoes(told(cluster, namespace, name))
        for message in events:
            if folder := manifest.missing_program_folder(message, programs):
                return folder
        if time.monotonic() > end:
            said = "; ".join(events) or "it has no events"
            raise AdminError(
                f"pod {namespace}/{name} does not run after {STARTING:.0f} s: {said}",
                "look at the node's kubelet and container runtime",
            )
        if events and events[-1] != last:
            last = events[-1]
            say(f"pod {namespace}/{name} is not running yet: {last}")


def told(cluster: Cluster, namespace: str, name: str) -> list[str]:
    """What warnings say about the pod, the oldest first; nothing where events may not be read."""
    selector = f"involvedObject.kind=Pod,involvedObject.name={name},type=Warning"
    try:
        found = list(cluster.list(f"/api/v1/namespaces/{namespace}/events", [("fieldSelector", selector)]))
    except AdminError:
        return []
    return [f"{event.get('reason', '')}: {event.get('message', '')}" for event in found]


def dismiss(cluster: Cluster, namespace: str, name: str) -> None:
    """Asks for the pod's end; AdminError where that is refused or not answered.

    A kubelet looks once a second what has become of a pod, and takes up to three such looks to let go of one
    whose process it ends itself. Of a pod whose process was seen to end, there is nothing to wait for.
    """
    delete = partial(cluster.delete, f"/api/v1/namespaces/{namespace}/pods/{name}", timeout=DELETING)
    if has_ended(cluster, namespace, name):
        try:
            delete(WITHOUT_GRACE)
            return
        except ApiError as error:
            if isinstance(error, NotFound) or is_transient(error):
                raise
            # A policy may be against this way of deleting pods, whatever it is that runs in them.
    delete()


def has_ended(cluster: Cluster, namespace: str, name: str) -> bool:
    """Ends the pod's process from inside, and says whether that was seen."""
    command = ["/bin/sh", "-c", manifest.ENDING]
    try:
        result = cluster.exec(namespace, name, manifest.CONTAINER, command, timeout=ENDING).run()
    except Exception:  # noqa: BLE001 - whatever it is, the pod must still be deleted
        return False
    return result.exit_code in (0, KILLED)


def removed(cluster: Cluster, namespace: str, name: str, say: Callable[[str], None], *, made: bool) -> None:
    """Removes the pod and waits until it is gone; says so where it can't be.

    made: whether its creation was answered. An unanswered one may still be on its way, and is waited for.
    """
    # Who could make it can as a rule remove it: what refuses may be an API server that has just started.
    patiently = Retry(REACHING, lambda _: None, settling=SETTLING if made else 0)
    end = time.monotonic() + (0 if made else UNDERWAY)
    try:
        while True:
            try:
                patiently(lambda: dismiss(cluster, namespace, name))
                break
            except NotFound:
                if time.monotonic() >= end:
                    return
                time.sleep(0.25)
        if not patiently(lambda: is_gone(cluster, namespace, name)):
            say(f"pod {namespace}/{name} is being deleted, but its node has not ended it yet")
    except AdminError as error:
        say(f"pod {namespace}/{name} could not be removed ({error.what}): see «kubectl admin cleanup»")


def is_gone(cluster: Cluster, namespace: str, name: str) -> bool:
    """Waits until the pod is no more, LEAVING seconds at most; whether it is so."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    query = [("fieldSelector", f"metadata.name={name}")]
    document = cluster.get(path, query)
    if not document.get("items"):
        return True
    version = document["metadata"].get("resourceVersion", "")
    events = cluster.watch(path, [*query, ("resourceVersion", version)], timeout=LEAVING)
    return any(event["type"] == "DELETED" for event in events)
