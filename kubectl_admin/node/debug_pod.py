"""The life of a debug pod: made on a node, seen running, and gone afterwards, whatever happens in between."""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from kubectl_admin.clock import Clock, Deadline
from kubectl_admin.cluster.access import Right, may_not, together
from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.decode import mapping
from kubectl_admin.cluster.errors import ApiError, Conflict, Forbidden, NotFound
from kubectl_admin.cluster.nodes import read_node, refuse_misnamed
from kubectl_admin.cluster.paths import KUBE_SYSTEM, KUBEADM_CONFIG, SYSTEM_PODS
from kubectl_admin.cluster.retry import NotReadyError, Retry, is_transient
from kubectl_admin.errors import AdminError
from kubectl_admin.node import image, manifest, pod_start_errors
from kubectl_admin.node.left_out import refuse_foreign
from kubectl_admin.node.operation import Operation
from kubectl_admin.node.pod_removal import RETRY_TIMEOUT, remove_pod
from kubectl_admin.node.readiness import refuse_unready
from kubectl_admin.report.text import duration
from kubectl_admin.signals import sheltered

NAMESPACE = KUBE_SYSTEM
DEADLINE = 4 * 3600  # seconds after which the kubelet ends a pod that was left behind
PATIENCE = 300.0  # seconds for which the connection to a node may be cut
START_TIMEOUT = 60.0  # seconds in which the pod must run, once its kubelet knows of it
# Seconds in which the kubelet must have heard of the pod. One whose API server was restarted finds out by a
# health check of 45 s, and tries again after up to 30 s.
# Source: kubernetes/kubernetes staging/src/k8s.io/apimachinery/pkg/util/net/http.go, readIdleTimeout and
# pingTimeout; staging/src/k8s.io/client-go/tools/cache/reflector.go, defaultBackoffMax.
UNHEARD_TIMEOUT = 120.0
EVENTS = 100  # events of the pod that are listed
OUTAGE_TIMEOUT = 120.0  # seconds for which the API server may not answer while it starts
POLL_INTERVAL = 3.0  # seconds between two looks at the events of a pod that does not run


@dataclass(frozen=True, slots=True)
class Options:
    """A person's choices about debug pods.

    namespace: where they are made; it must allow privileged pods. image: instead of one that the node holds;
    it is pulled if need be. deadline: seconds after which the kubelet ends a pod that was left behind.
    patience, retries: seconds for which the way to the node may be cut, and failures in a row (None: any).
    critical: whether the node makes room for the pod, by killing another one if it is full.
    """

    namespace: str = NAMESPACE
    image: str | None = None
    deadline: int = DEADLINE
    patience: float = PATIENCE
    retries: int | None = None
    critical: bool = False


@dataclass(frozen=True, slots=True)
class DebugPod:
    """A debug pod that runs: its name, and the server's own id of it, which no other pod ever has."""

    name: str
    uid: str


def rights(namespace: str) -> list[Right]:
    """The rights to make a debug pod in the namespace and to run commands in it."""
    pod = [Right(verb, "pods", namespace) for verb in ("create", "get", "list", "watch", "delete")]
    # The WebSocket of an exec is opened by a GET, and servers since 1.35 ask for «create» as well.
    execution = [Right(verb, "pods/exec", namespace) for verb in ("create", "get")]
    return [Right("get", "nodes"), *pod, *execution]


@contextmanager
def running(
    cluster: Cluster, node: str, operation: Operation, options: Options, say: Callable[[str], None]
) -> Iterator[DebugPod]:
    """A debug pod that runs on the node; it is gone when this is left.

    say: is given a sentence where something takes long, or can't be removed. Raises LeftOutError for a node
    that is not a Linux host, and AdminError where the node can't take the pod or the server refuses it, with
    the reason and the pod's events.
    """
    refuse_misnamed("namespace", options.namespace)
    about = read_node(cluster, node)
    refuse_foreign(about)
    refuse_unready(about)
    chosen, pull = (options.image, "IfNotPresent") if options.image else (find_image(cluster, about), "Never")
    missing: tuple[str, ...] = ()
    while True:
        body = manifest.debug_pod(
            f"kubectl-admin-{operation.id}-{secrets.token_hex(8)}",
            node,
            operation=operation,
            attempt=secrets.token_hex(8),
            image=chosen,
            pull=pull,
            deadline=options.deadline,
            critical=options.critical,
            missing=missing,
        )
        if operation.over.is_set():
            raise AdminError(f"node {node}: interrupted")
        uid, refused = None, False
        with sheltered() as shelter:
            try:
                with shelter.exposed():
                    try:
                        pod = create(cluster, options.namespace, body)
                        uid = str(pod["metadata"]["uid"])
                    except AdminError as error:
                        refused = not is_transient(error)
                        raise
                    if limits := pod_start_errors.limits(pod):
                        say(f"pod {options.namespace}/{body['metadata']['name']} {limits}")
                    with pod_start_errors.explaining(body, pod):
                        lacking = wait_until_running(cluster, options.namespace, pod, missing, say)
                    if lacking is None:
                        yield DebugPod(body["metadata"]["name"], uid)
                        return
            finally:
                if not refused:
                    remove_pod(cluster, options.namespace, body, uid, say)
        # Not every system has all of them: a host of another C library has no /lib64.
        missing = (*missing, lacking)


def find_image(cluster: Cluster, node: dict[str, Any]) -> str:
    """An image that the node holds and that nobody can bring there by its name; AdminError for none."""
    unseen = []
    if found := image.sandbox(node):
        return found
    name = node["metadata"]["name"]
    try:
        on_node = cluster.list(SYSTEM_PODS, [("fieldSelector", f"spec.nodeName={name}")])
        if found := image.of_system(on_node):
            return found
    except Forbidden:
        unseen.append(Right("list", "pods", NAMESPACE))
    try:
        mirrored = image.mirrored(cluster.get(KUBEADM_CONFIG))
        if mirrored and (found := image.sandbox(node, [mirrored])):
            return found
    except Forbidden:
        unseen.append(Right("get", "configmaps", NAMESPACE))
    except NotFound:
        pass
    rights = f"; {may_not('', together(unseen))}" if unseen else ""
    raise AdminError(
        f"node {name}: found no image on the node that can run the debug pod{rights}",
        f"name one that you trust with --image, such as {image.SANDBOXES[0]}:TAG",
    )


def create(cluster: Cluster, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
    """The pod as the server made it; AdminError with its words and a way out where it does not want it."""
    node = body["spec"]["nodeName"]
    try:
        return Retry(RETRY_TIMEOUT, clock=cluster.clock)(lambda: post(cluster, namespace, body))
    except ApiError as error:
        hint = pod_start_errors.way_out(error, namespace)
        if hint is None:
            raise
        raise AdminError(f"node {node}: the debug pod was refused: {error.message}", hint) from error


def post(cluster: Cluster, namespace: str, body: dict[str, Any]) -> dict[str, Any]:
    """The pod as the server made it, in one attempt.

    One of that name is ours, made by a request whose answer was lost, only if it has this attempt's mark.
    A request that collides with others (the count of a quota) made nothing: NotReadyError.
    Source: kubernetes/kubernetes issue 67761.
    """
    path, name = f"/api/v1/namespaces/{namespace}/pods", body["metadata"]["name"]
    try:
        made: dict[str, Any] = cluster.post(path, body)
    except Conflict as error:
        if error.reason != "AlreadyExists":
            raise NotReadyError(f"node {body['spec']['nodeName']}: {error.what}") from error
        try:
            made = cluster.get(f"{path}/{name}")
        except NotFound:
            raise AdminError(f"pod {namespace}/{name} was deleted by somebody else") from None
        if not manifest.is_attempt(made, body):
            raise AdminError(f"pod {namespace}/{name} is there already, made by another run") from error
    return made


class Patience:
    """How long a pod is waited for: until its kubelet knows of it, and then until it runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._is_heard_of = False
        self.begin()

    @property
    def limit(self) -> float:
        """Seconds that it may take."""
        return START_TIMEOUT if self._is_heard_of else UNHEARD_TIMEOUT

    @property
    def why(self) -> str:
        """Why it does not run, if there is nothing else to be said."""
        return "it has no events" if self._is_heard_of else "its kubelet has not taken it"

    def begin(self) -> None:
        """The time counts from now on."""
        self.end = Deadline.after(self.limit, self._clock)

    def see(self, pod: Mapping[str, Any]) -> None:
        """The pod as the server shows it now."""
        if not self._is_heard_of and pod_start_errors.is_heard_of(pod):
            self._is_heard_of = True
            self.begin()


def wait_until_running(
    cluster: Cluster,
    namespace: str,
    pod: dict[str, Any],
    known: Collection[str],
    say: Callable[[str], None],
) -> str | None:
    """Waits until the pod's container runs, and returns None; or the directory that this host does not have.

    known: those that are known to be missing. Raises AdminError where it has failed; where, while the API
    server answers, its kubelet does not take it within UNHEARD_TIMEOUT seconds, or it does not run
    START_TIMEOUT seconds after that; where the API server does not answer for OUTAGE_TIMEOUT.
    """
    clock = cluster.clock
    patience, last = Patience(clock), ""
    name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
    events_of = partial(warnings_about, cluster, namespace, name)
    cut: Deadline | None = None  # of an API server that does not answer
    while True:
        try:
            for shown in watched(cluster, namespace, name):
                if pod_start_errors.is_running(shown["object"], shown["type"], uid, events_of):
                    return None
                patience.see(shown["object"])
        except AdminError as error:
            cut = cut or Deadline.after(OUTAGE_TIMEOUT, clock)
            if not is_transient(error) or cut.left < 0:
                raise
            # Until the API server is back, no kubelet hears of the pod.
            patience.begin()
            clock.sleep(0.5)
            continue
        cut = None
        events = pod_start_errors.without_echoes(events_of())
        for message in events:
            if directory := manifest.missing_directory(message, known):
                return directory
        if patience.end.left < 0:
            said = "; ".join(events) or patience.why
            raise AdminError(
                f"pod {namespace}/{name} does not run after {duration(patience.limit)}: {said}",
                "look at the node's kubelet and container runtime",
            )
        if events and events[-1] != last:
            last = events[-1]
            say(f"pod {namespace}/{name} is not running yet: {last}")


def watched(cluster: Cluster, namespace: str, name: str) -> Iterator[dict[str, Any]]:
    """What the server shows of the pod for POLL_INTERVAL seconds, first as it is now."""
    query = [("fieldSelector", f"metadata.name={name}")]
    return cluster.watch(f"/api/v1/namespaces/{namespace}/pods", query, timeout=POLL_INTERVAL)


def warnings_about(cluster: Cluster, namespace: str, name: str) -> list[str]:
    """The warnings about the pod, the oldest first; none where events may not be read.

    One page of them, and of these the last: their names, by which they are listed, end in their time.
    """
    selector = f"involvedObject.kind=Pod,involvedObject.name={name},type=Warning"
    try:
        query = [("fieldSelector", selector), ("limit", str(EVENTS))]
        found = mapping(cluster.get(f"/api/v1/namespaces/{namespace}/events", query)).get("items") or ()
    except AdminError:
        return []
    said = (
        f"{event.get('reason', '')}: {event.get('message', '')}" for event in found[-pod_start_errors.MOST :]
    )
    return [each[: pod_start_errors.LONGEST] for each in said]
