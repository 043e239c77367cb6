"""The end of a debug pod: its process ended from inside where that works, the pod deleted and seen gone."""

from collections.abc import Callable
from functools import partial
from typing import Any

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError, Conflict, NotFound
from kubectl_admin.cluster.objects import items_of, version_of
from kubectl_admin.cluster.retry import Retry, is_transient
from kubectl_admin.cluster.wait import looks
from kubectl_admin.errors import AdminError
from kubectl_admin.node import manifest

ENDING_TIMEOUT = 5.0  # seconds in which its process must have ended that was ended from inside
KILLED = 137  # the exit code of what a runtime kills when its container has ended
DELETE_TIMEOUT = 10.0  # seconds for an answer to its deletion
GONE_TIMEOUT = 20.0  # seconds in which it must be gone
SETTLE_TIME = 10.0  # seconds for which a refusal to remove it is not taken as final
RETRY_TIMEOUT = 30.0  # seconds for which its removal is tried where the API server does not answer
POLL_INTERVAL = 0.25  # seconds between two looks for a pod that may still come
ARRIVAL_TIMEOUT = 2.0  # seconds in which a request whose answer was lost has arrived, or never will


def remove_pod(
    cluster: Cluster, namespace: str, body: dict[str, Any], uid: str | None, say: Callable[[str], None]
) -> None:
    """Removes a debug pod and waits until it is gone; says so where it can't be.

    body: as it was to be created. uid: the server's, or None where its creation was not answered: it may
    still be on its way, and is waited for. A pod of this name that is another one is left alone.
    """
    name = body["metadata"]["name"]
    # Who could make it can as a rule remove it: an API server that has just started may refuse.
    patiently = Retry(RETRY_TIMEOUT, settling=SETTLE_TIME if uid else 0, clock=cluster.clock)
    try:
        for last in looks(0 if uid else ARRIVAL_TIMEOUT, POLL_INTERVAL, clock=cluster.clock):
            try:
                known = uid or patiently(lambda: uid_of(cluster, namespace, body))
                if known is None:
                    return
                patiently(partial(dismiss, cluster, namespace, name, known))
                break
            except NotFound:
                if last:
                    return
        if not patiently(lambda: is_gone(cluster, namespace, name)):
            say(f"pod {namespace}/{name} is being deleted, but its node has not ended it yet")
    except AdminError as error:
        say(f"pod {namespace}/{name} could not be removed ({error.what}): see «kubectl admin cleanup»")


def uid_of(cluster: Cluster, namespace: str, body: dict[str, Any]) -> str | None:
    """The uid of the pod that was to be created; None where another one has its name. Raises NotFound."""
    pod = cluster.get(f"/api/v1/namespaces/{namespace}/pods/{body['metadata']['name']}")
    return str(pod["metadata"].get("uid", "")) if manifest.is_attempt(pod, body) else None


def dismiss(cluster: Cluster, namespace: str, name: str, uid: str) -> None:
    """Asks for the pod's end; AdminError where that is refused or not answered, NotFound where it is gone.

    A kubelet looks once a second what has become of a pod, and takes up to three such looks to let go of one
    whose process it ends itself. Of a pod whose process was seen to end, there is nothing to wait for.
    """
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    only = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
    delete = partial(cluster.delete, path, timeout=DELETE_TIMEOUT)
    try:
        if has_ended(cluster, namespace, name):
            try:
                delete({**only, "gracePeriodSeconds": 0})
                return
            except ApiError as error:
                if isinstance(error, NotFound | Conflict) or is_transient(error):
                    raise
                # A policy may be against this way of deleting pods, whatever it is that runs in them.
        delete(only)
    except Conflict as error:
        raise NotFound(404, "NotFound", f"pod {namespace}/{name} is another one now") from error


def has_ended(cluster: Cluster, namespace: str, name: str) -> bool:
    """Ends the pod's process from inside, and says whether that was seen."""
    command = [*manifest.CLEAN, "/bin/sh", "-c", manifest.ENDING]
    try:
        result = cluster.exec(namespace, name, manifest.CONTAINER, command, timeout=ENDING_TIMEOUT).run()
    except Exception:  # noqa: BLE001 - whatever it is, the pod must still be deleted
        return False
    return result.exit_code in (0, KILLED)


def is_gone(cluster: Cluster, namespace: str, name: str) -> bool:
    """Waits until the pod is no more, GONE_TIMEOUT seconds at most; whether it is so."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    query = [("fieldSelector", f"metadata.name={name}")]
    document = cluster.get(path, query)
    if not items_of(document, path):
        return True
    version = version_of(document, path)
    events = cluster.watch(path, [*query, ("resourceVersion", version)], timeout=GONE_TIMEOUT)
    return any(event["type"] == "DELETED" for event in events)
