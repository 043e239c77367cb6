"""The judgement on webhooks whose Service has nothing behind it: admission and conversion. Pure."""

from collections.abc import Iterator, Sequence

from kubectl_admin.certificates.judge.alike import grouped
from kubectl_admin.cluster.access import enumerated
from kubectl_admin.cluster.admission import VITAL
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.components.ages import seconds_since
from kubectl_admin.health.facts import Facts
from kubectl_admin.health.object_facts import Backend, Hook, Objects
from kubectl_admin.report.text import some_of

KINDS = {
    "validatingwebhook": "validatingwebhookconfiguration",
    "mutatingwebhook": "mutatingwebhookconfiguration",
    "crd": "crd",
}
USUAL_TIMEOUT = 10  # seconds; kubernetes/api admissionregistration/v1 types.go, TimeoutSeconds


def backends(facts: Facts) -> Iterator[Finding]:
    """Services of webhooks without a ready endpoint: one finding for all webhooks of one that fail alike.

    A webhook that is called by its URL can't be looked at from here, nor one whose Service leads elsewhere.
    """
    objects = facts.objects or Objects()
    without = [
        (hook, backend)
        for hook in objects.hooks
        if hook.service
        and (backend := objects.backends.get(hook.service))
        and not backend.ready
        and not backend.elsewhere
    ]

    def severity_of(hook: Hook, backend: Backend) -> Severity:
        if _is_passing(facts, hook, backend):
            return Severity.NOTE
        return Severity.VIOLATION if hook.fails else Severity.WARNING

    for (service, severity), pairs in grouped(
        without, lambda pair: (pair[0].service or ("", ""), severity_of(*pair))
    ):
        alike, backend = [hook for hook, _ in pairs], pairs[0][1]
        holders = tuple(dict.fromkeys(hook.holder for hook in alike))
        yield rules.WEBHOOK_NO_BACKEND.finding(
            severity,
            subject=f"webhook of Service {'/'.join(service)}",
            evidence="; ".join((_seen(backend), *_consequences(alike, objects))),
            fix=_advice(service[0], alike),
            objects=holders,
            since=backend.changed if backend.exists else None,
        )


def _is_passing(facts: Facts, hook: Hook, backend: Backend) -> bool:
    """Whether a moment may mend it: the last endpoint has just gone, or the webhook has just been made."""
    times = [seconds_since(facts, hook.created)]
    times += [seconds_since(facts, backend.changed)] if backend.exists else []
    return any(seconds is not None and seconds < rules.YOUNG for seconds in times)


def _seen(backend: Backend) -> str:
    if backend.exists is False:
        return "the Service does not exist"
    if backend.others:
        return f"none of its endpoints is ready: {some_of(backend.others)}"
    return "the Service has no endpoint"


def _consequences(alike: Sequence[Hook], objects: Objects) -> Iterator[str]:
    """The effect on requests, the worst in words."""
    holders = some_of(list(dict.fromkeys(hook.holder for hook in alike)))
    if any(hook.is_conversion for hook in alike):
        yield f"objects of {holders} can't be read or written in another version than the stored one"
    admission = [hook for hook in alike if not hook.is_conversion]
    if not admission:
        return
    if admission[0].fails:
        yield f"every request that {holders} asks about is refused"
    else:
        longest = max(hook.timeout or USUAL_TIMEOUT for hook in admission)
        yield f"every request that {holders} asks about goes on without it, after up to {longest} s"
    if covered := [name for name in VITAL if any(name in hook.covers for hook in admission)]:
        yield f"{enumerated(covered)} are among them"
    labels = objects.system_labels
    if labels and any(hook.namespaces is None or hook.namespaces.selects(labels) for hook in admission):
        yield "namespace kube-system is not exempt"


def _advice(namespace: str, alike: Sequence[Hook]) -> str:
    kind, _, name = alike[0].holder.partition("/")
    first = f"bring up its pods: kubectl -n {namespace} get pods"
    if alike[0].is_conversion:
        return first
    return (
        f"{first}; where nothing needs the webhook any more: kubectl delete {KINDS.get(kind, kind)} {name};"
        " exempt kube-system by its namespaceSelector"
    )
