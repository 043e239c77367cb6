"""The judgement on the cluster's DNS: whether anybody answers, and what. Pure."""

from collections.abc import Iterator

from kubectl_admin.certificates.judge.alike import grouped
from kubectl_admin.finding import Finding, Gap, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.asking.dns import REFUSES
from kubectl_admin.health.components.ages import seconds_since, unready_for
from kubectl_admin.health.facts import Facts, NoReply, Pod, Resolver, Why
from kubectl_admin.health.object_facts import DNS, Backend, Objects, Workload
from kubectl_admin.report.text import some_of

LABELS = {"k8s-app": "kube-dns"}  # of DNS' pods, as kubeadm makes them
NAMESPACE, SERVICE = DNS
TITLE = f"Service {NAMESPACE}/{SERVICE}"
OBJECTS = (f"service/{NAMESPACE}/{SERVICE}",)
PODS = f"kubectl -n {NAMESPACE} get pods -l k8s-app=kube-dns -o wide"
# Silence that says something of the pod, and not of the way to it.
OWN_SILENCE = (Why.REFUSED, Why.SILENT, Why.GARBLED)


def down(facts: Facts) -> Iterator[Finding]:
    """DNS without a pod that is ready, or with one where there should be several."""
    objects = facts.objects or Objects()
    backend = objects.backends.get(DNS)
    if backend is None or backend.exists is False or backend.elsewhere:
        return
    seconds = seconds_since(facts, backend.changed)
    passing = seconds is not None and seconds < rules.YOUNG
    here = [one for one in objects.workloads if _is_dns(one)]
    if not backend.ready and here and not any(one.desired or one.kind == "DaemonSet" for one in here):
        yield rules.DNS_DOWN.violation(
            subject=TITLE,
            evidence=f"it has no pod, and none is wanted: {here[0].kind} {here[0].name} has 0 replicas",
            fix=f"no name is resolved in the cluster until one is: {_scale(here[0])}",
            objects=OBJECTS,
            since=backend.changed,
        )
    elif not backend.ready:
        yield rules.DNS_DOWN.finding(
            Severity.NOTE if passing else Severity.VIOLATION,
            subject=TITLE,
            evidence=f"no pod of it is ready: {_others(facts, backend)}"
            if backend.others
            else "it has no pod",
            fix=f"no name is resolved in the cluster until one is: {PODS}",
            objects=OBJECTS,
            since=backend.changed,
        )
    elif len(backend.ready) == 1 and len(facts.nodes) > 1:
        yield from _alone(facts, objects, backend, passing=passing)


def answers(facts: Facts) -> Iterator[Finding]:
    """DNS pods that are Ready, and answer nothing or something else for the Service kubernetes."""
    for one in facts.resolvers:
        if not one.pod.ready or one.pod.deleted or one.pod.is_over:
            continue
        if seen := _fault(one):
            yield rules.DNS_NO_ANSWER.violation(
                subject=f"pod {one.pod.namespace}/{one.pod.name}",
                evidence=f"{one.question}: {seen}",
                fix=f"kubectl -n {one.pod.namespace} logs {one.pod.name}; see that it reaches the API",
                objects=(f"pod/{one.pod.namespace}/{one.pod.name}",),
            )
    unseen = [(one, one.answer) for one in facts.resolvers if isinstance(one.answer, NoReply)]
    for (_, said, permission), alike in grouped(
        [pair for pair in unseen if pair[1].why not in OWN_SILENCE],
        lambda pair: (pair[1].why, pair[1].said, pair[1].permission),
    ):
        names = some_of([one.pod.name for one, _ in alike])
        yield Gap(f"the answers of {names}", said or str(alike[0][1].why), permission).finding()


def _alone(facts: Facts, objects: Objects, backend: Backend, *, passing: bool) -> Iterator[Finding]:
    """One pod answers for the whole cluster: by decision, or since others are not well."""
    here = [one for one in objects.workloads if _is_dns(one)]
    wanted = sum(one.desired for one in here)
    if wanted == 1:
        yield rules.DNS_DOWN.note(
            subject=TITLE,
            objects=OBJECTS,
            evidence="one pod answers all questions of the cluster, and no other is wanted",
            fix=_scale(here[0]),
        )
    elif wanted > 1 and not passing and not _is_coming(facts, objects):
        yield rules.DNS_DOWN.warning(
            subject=TITLE,
            objects=OBJECTS,
            evidence=f"only {backend.ready[0]} of {wanted} pods is ready"
            + (f", not {some_of(backend.others)}" if backend.others else ""),
            fix=PODS,
            since=backend.changed,
        )


def _scale(one: Workload) -> str:
    return f"kubectl -n {NAMESPACE} scale {one.kind.lower()} {one.name} --replicas 2"


def _others(facts: Facts, backend: Backend) -> str:
    """The pods that are not ready, with what they answer instead."""
    faults = {one.pod.name: _fault(one) for one in facts.resolvers}
    return some_of([f"{name} ({faults[name]})" if faults.get(name) else name for name in backend.others])


def _is_dns(one: Workload) -> bool:
    return one.namespace == NAMESPACE and one.selector is not None and one.selector.selects(LABELS)


def _is_coming(facts: Facts, objects: Objects) -> bool:
    """Whether a pod of DNS has just been made or has just begun, and may be ready in a moment."""
    return any(
        (unready_for(facts, pod) or rules.YOUNG) < rules.YOUNG for pod in objects.pods or () if _answers(pod)
    )


def _answers(pod: Pod) -> bool:
    return pod.namespace == NAMESPACE and all(pod.labels.get(key) == value for key, value in LABELS.items())


def _fault(one: Resolver) -> str:
    """The fault of an answer; "" where it has none, or could not be seen."""
    if isinstance(one.answer, NoReply):
        if one.answer.why not in OWN_SILENCE:
            return ""
        _, refused, code = one.answer.said.partition(REFUSES)
        if refused:
            return f"it answers {code.strip()}"
        return {
            Why.REFUSED: "nothing listens at its port",
            Why.SILENT: "no answer in time",
            Why.GARBLED: "its answer can't be read",
        }[one.answer.why] + (f" ({one.answer.said})" if one.answer.said else "")
    if not one.answer:
        return "it knows no address"
    if one.expected and not set(one.answer) & set(one.expected):
        return f"it answers {some_of(one.answer)}, and not {some_of(one.expected)}"
    return ""
