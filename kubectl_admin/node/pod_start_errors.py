"""Why a debug pod does not run, in words: refused, not started, ended. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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

MOST = 20  # sentences on one pod that are kept; a node that was taken over may send any number
LONGEST = 1000  # characters of each

LIMITS = "kubernetes.io/limit-ranger"
EXCEPTION = "make an exception where it was refused, or name another namespace with --debug-namespace"
# By words of the server's, the first that apply.
WAYS_OUT = {
    "exceeded quota": "the quota of namespace {namespace} has no room; name another --debug-namespace",
    "failed quota": "the quota wants every pod to have requests or limits; name another --debug-namespace",
    "violates PodSecurity": "namespace {namespace} takes no privileged pods; name one that does with "
    "--debug-namespace",
    "failed calling webhook": "bring the webhook back, or name a namespace that it does not look at with "
    "--debug-namespace",
    "denied request": EXCEPTION,
    "denied the request": EXCEPTION,
}


def way_out(error: ApiError, namespace: str) -> str | None:
    """The hint where the server does not want the pod; None where it does not mind the pod.

    Admission policies written in CEL refuse with 422, all others with 403, webhooks with what they like.
    Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/admission.
    """
    for words, hint in WAYS_OUT.items():
        if words in error.message:
            return hint.format(namespace=namespace)
    if isinstance(error, Forbidden) and not error.verb:
        return EXCEPTION
    if isinstance(error, NotFound):
        return "name an existing one with --debug-namespace"
    return None


def is_running(pod: dict[str, Any], event: str, uid: str, events: Callable[[], list[str]]) -> bool:
    """Whether the pod's container runs; AdminError if it never will.

    uid: of the pod that was made; another one of its name is not it. events: asks for what was said of it.
    """
    where = f"{pod['metadata'].get('namespace')}/{pod['metadata']['name']}"
    status = pod.get("status", {})
    said = (status.get("message") or status.get("reason") or "")[:LONGEST]
    if event == "DELETED" or pod["metadata"].get("uid") != uid:
        raise AdminError(f"pod {where} was deleted by somebody else")
    if status.get("phase") in ("Failed", "Succeeded"):
        ended = said or "; ".join(events()) or "no reason is given"
        raise AdminError(f"pod {where} has ended: {ended}", not_taken(status.get("reason") or ""))
    for container in status.get("containerStatuses") or ():
        state = container.get("state") or {}
        waiting = state.get("waiting") or {}
        if waiting.get("reason") in HOPELESS:
            first = f"{waiting['reason']}: {waiting.get('message', '')}"
            why = without_echoes([first, *events()[1 - MOST :]])
            hint = "name an image that the node has or can pull with --image"
            raise AdminError(f"pod {where} does not start: {'; '.join(why)}", hint)
        if "running" in state:
            return True
    return False


def is_heard_of(pod: Mapping[str, Any]) -> bool:
    """Whether the pod's kubelet knows of it, which writes when it has.

    Source: kubernetes/kubernetes pkg/kubelet/status/status_manager.go, updateStatusInternal.
    """
    status = pod.get("status") or {}
    return bool(status.get("startTime") or status.get("containerStatuses"))


def not_taken(reason: str) -> str:
    """The hint where a kubelet did not take the pod. reason: the kubelet's.

    Source: kubernetes/kubernetes pkg/kubelet/lifecycle/predicate.go, «OutOf…»; pkg/kubelet/eviction, Evicted.
    """
    if reason.startswith("OutOf"):
        return (
            "the node is full: let it have one pod less, or add --debug-critical, for which its kubelet"
            " kills another pod, past its disruption budget"
        )
    if reason == "Evicted":
        return "the node is short of disk, memory or process numbers; --debug-critical is let in all the same"
    return "the node's kubelet did not take it"


@contextmanager
def explaining(sent: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[None]:
    """Inside, an AdminError says as well what the server has made of the pod, and who does such a thing."""
    try:
        yield
    except AdminError as error:
        if said := changes(sent, made):
            what, hint = f"{error.what}; not as it was sent: {'; '.join(said)}", who(sent, made)
            raise AdminError(what, hint) from error
        raise


def changes(sent: Mapping[str, Any], made: Mapping[str, Any]) -> list[str]:
    """Changes of the pod by the API server's admission, if they decide whether it runs."""
    (mine,) = sent["spec"]["containers"]
    theirs: Mapping[str, Any] = next(
        (each for each in made["spec"]["containers"] if each["name"] == mine["name"]), {}
    )
    found = [
        f"{field} is {theirs.get(field)}, not {mine[field]}"
        for field in ("image", "imagePullPolicy")
        if theirs.get(field) != mine[field]
    ]
    found += [f"{what} {given}" for what, given in (theirs.get("resources") or {}).items() if given]
    others = [each["name"] for each in made["spec"]["containers"] if each["name"] != mine["name"]]
    return [*found, *(f"container {name} was added" for name in others)]


def limits(made: Mapping[str, Any]) -> str:
    """The sentence on limits that the server gave the pod, and so all commands in it, or ""."""
    given = [(each.get("resources") or {}).get("limits") or {} for each in made["spec"]["containers"]]
    limits_given = ", ".join(f"{what} {amount}" for each in given for what, amount in each.items())
    return (
        f"has been given limits: a command that needs more than {limits_given} is killed"
        if limits_given
        else ""
    )


def who(sent: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Who changes pods like that, and what to do.

    Source: kubernetes/kubernetes plugin/pkg/admission/alwayspullimages and limitranger (which leaves a note).
    """
    (mine,), theirs = sent["spec"]["containers"], made["spec"]["containers"]
    pulled = [each.get("imagePullPolicy") for each in theirs] == ["Always"]
    if limits := (made["metadata"].get("annotations") or {}).get(LIMITS):
        return f"a LimitRange did that ({limits}): name a namespace without one with --debug-namespace"
    if pulled and [each.get("image") for each in theirs] == [mine["image"]]:
        return (
            "the API server's admission plugin AlwaysPullImages, or a policy like it, did that: the node must"
            " reach a registry for this image; name one that it can pull with --image"
        )
    return (
        "an admission webhook or policy did that (kubectl get mutatingwebhookconfigurations,"
        "mutatingadmissionpolicies): have it make an exception, or name another --debug-namespace"
    )


def without_echoes(said: Sequence[str]) -> list[str]:
    """The sentences («Reason: message») that say something new, the first coming first.

    The kubelet reports one failure several times, each time with a few words more around it or less. Of many,
    the last MOST are heard, of each LONGEST characters.
    """
    kept: list[str] = []
    for sentence in (each[:LONGEST] for each in said[-MOST:]):
        message = message_of(sentence)
        echoed = any(message in before or (message_of(before) or before) in message for before in kept)
        if message not in HOPELESS and not echoed:
            kept.append(sentence)
    return kept


def message_of(sentence: str) -> str:
    """A sentence after its reason; the kubelet's «Error: ErrImagePull» is a reason twice."""
    return sentence.partition(": ")[2].removeprefix("Error: ")
