"""What stands in a debug pod's way, and what is said of it: refused, not started, ended. Pure."""

from collections.abc import Callable, Sequence
from typing import Any

from kubectl_admin.cluster.errors import ApiError, Forbidden, NotFound
from kubectl_admin.errors import AdminError

# Why a container waits when nothing will change by itself.
# Source: kubernetes/kubernetes pkg/kubelet/images/types.go and kuberuntime/kuberuntime_container.go.
HOPELESS = {
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
}


def way_out(error: ApiError, namespace: str) -> str | None:
    """What to do where the server does not want the pod; None where the pod is not what it minds.

    Admission policies written in CEL refuse with 422, all others with 403, webhooks with what they like.
    Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/admission.
    """
    if "violates PodSecurity" in error.message:
        return f"namespace {namespace} takes no privileged pods; name one that does with --debug-namespace"
    if "failed calling webhook" in error.message:
        return "bring the webhook back, or name a namespace that it does not look at with --debug-namespace"
    denied = any(words in error.message for words in ("denied request", "denied the request"))
    if denied or (isinstance(error, Forbidden) and not error.verb):
        return "what refused it must make an exception, or name another namespace with --debug-namespace"
    if isinstance(error, NotFound):
        return "name a namespace that there is"
    return None


def is_running(pod: dict[str, Any], event: str, events: Callable[[], list[str]]) -> bool:
    """Whether the pod's container runs; AdminError if it never will. events: asks for what was said of it."""
    where = f"{pod['metadata'].get('namespace')}/{pod['metadata']['name']}"
    status = pod.get("status", {})
    said = status.get("message") or status.get("reason") or ""
    if event == "DELETED":
        raise AdminError(f"pod {where} was deleted by somebody else")
    if status.get("phase") in ("Failed", "Succeeded"):
        ended = said or "; ".join(events()) or "no reason is given"
        raise AdminError(f"pod {where} has ended: {ended}", "the node's kubelet did not take it")
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        if waiting.get("reason") in HOPELESS:
            why = without_echoes([f"{waiting['reason']}: {waiting.get('message', '')}", *events()])
            hint = "name an image that the node has or can pull with --image"
            raise AdminError(f"pod {where} does not start: {'; '.join(why)}", hint)
        if "running" in state:
            return True
    return False


def without_echoes(said: Sequence[str]) -> list[str]:
    """The sentences («Reason: message») that say something new, the first coming first.

    The kubelet tells one failure several times, each time with a few words more around it or less.
    """
    kept: list[str] = []
    for sentence in said:
        message = message_of(sentence)
        echoed = any(message in before or (message_of(before) or before) in message for before in kept)
        if message not in HOPELESS and not echoed:
            kept.append(sentence)
    return kept


def message_of(sentence: str) -> str:
    """What a sentence says after its reason; the kubelet's «Error: ErrImagePull» is a reason twice."""
    return sentence.partition(": ")[2].removeprefix("Error: ")
