"""The judgement on pods that a cluster can't do without, on DaemonSets and on disruption budgets. Pure.

Pods that are young, that have done their work or that are being ended are not sick. A pod on a node that is
not Ready follows from its node.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from kubectl_admin.certificates.judge.alike import grouped
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.components.ages import age, seconds_since, unready_for
from kubectl_admin.health.components.containers import is_older
from kubectl_admin.health.components.states import verdict
from kubectl_admin.health.facts import Facts, Node, Pod
from kubectl_admin.health.object_facts import CRITICAL, Budget, Objects, Workload
from kubectl_admin.report.text import some_of

BACKING_OFF = "CrashLoopBackOff"


def critical(facts: Facts) -> Iterator[Finding]:
    """System-critical pods that are not Ready, or whose program does not stay up; of one owner together."""
    nodes = {node.name: node for node in facts.nodes}
    sick = [
        pod
        for pod in (facts.objects or Objects()).pods or ()
        if pod.priority_class in CRITICAL and is_sick(facts, pod) and not _is_told(facts, nodes, pod)
    ]
    for (namespace, owner, _), alike in grouped(
        sick, lambda pod: (pod.namespace, pod.owner_name or pod.name, _reason(pod))
    ):
        first, count = alike[0], len(alike)
        name = f"{namespace}/{first.name}" if count == 1 else f"{namespace}/{owner}"
        yield rules.CRITICAL_POD.finding(
            Severity.VIOLATION if namespace == KUBE_SYSTEM else Severity.WARNING,
            subject=f"pod {name}" if count == 1 else f"{count} pods of {first.owner} {name}",
            evidence=_told(first) if count == 1 else f"{first.name}: {_told(first)}",
            fix=f"kubectl -n {namespace} describe pod {first.name}; kubectl -n {namespace} logs {first.name}",
            objects=(f"pod/{pod.namespace}/{pod.name}" for pod in alike),
            since=min((pod.since for pod in alike if pod.since), default=None),
        )


def daemonsets(facts: Facts) -> Iterator[Finding]:
    """DaemonSets of kube-system that have stood still for a quarter of an hour, short of pods."""
    objects = facts.objects or Objects()
    if objects.pods is None:
        return  # they tell for how long
    for workload in objects.workloads:
        if workload.kind != "DaemonSet" or workload.namespace != KUBE_SYSTEM:
            continue
        pods = [
            pod
            for pod in objects.pods
            if (pod.namespace, pod.owner, pod.owner_name) == (KUBE_SYSTEM, "DaemonSet", workload.name)
        ]
        if not is_stuck(facts, workload, pods):
            continue
        off = [node.name for node in facts.nodes if not _is_ready(node)]
        sick = [pod for pod in pods if (unready_for(facts, pod) or 0.0) > rules.STANDING]
        waits = f"; nodes that are not Ready: {some_of(off)}" if off else ""
        yield rules.DAEMONSET_STUCK.warning(
            subject=f"DaemonSet {KUBE_SYSTEM}/{workload.name}",
            evidence=f"of {workload.desired} pods {workload.updated} are of its present template and"
            f" {workload.available} available; none has begun or become Ready for 15 minutes{waits}",
            fix="bring those nodes back, or delete them: a roll-out waits for their pods"
            if off
            else f"kubectl -n {KUBE_SYSTEM} describe daemonset {workload.name}"
            + (f"; kubectl -n {KUBE_SYSTEM} describe pod {sick[0].name}" if sick else ""),
            objects=(f"daemonset/{KUBE_SYSTEM}/{workload.name}",),
            since=min((pod.since for pod in sick if pod.since), default=None),
        )


def budgets(facts: Facts) -> Iterator[Finding]:
    """Disruption budgets that have been short for a quarter of an hour, by the times of their pods."""
    for budget in (facts.objects or Objects()).budgets:
        sick = lasting(facts, budget)
        if not sick:
            continue
        names = [pod.name for pod in sick]
        when = max((pod.since for pod in sick if pod.since), default=None)
        yield rules.BUDGET_SHORT.warning(
            subject=f"disruption budget {budget.namespace}/{budget.name}",
            evidence=f"it needs {budget.desired} healthy pods and has {budget.current};"
            f" not Ready: {some_of(names)}",
            fix=f"kubectl -n {budget.namespace} describe pod {names[0]}; until the budget has enough, none of"
            " its pods may be evicted, and a drain waits",
            objects=(f"poddisruptionbudget/{budget.namespace}/{budget.name}",),
            since=when,
        )


def is_sick(facts: Facts, pod: Pod) -> bool:
    """Whether a pod is not well although it should be by now."""
    if pod.is_over or pod.deleted or not is_older(facts, pod, rules.YOUNG):
        return False
    if any(container.waiting == BACKING_OFF for container in pod.containers):
        return True
    return (unready_for(facts, pod) or 0.0) > rules.YOUNG


def is_stuck(facts: Facts, workload: Workload, pods: list[Pod]) -> bool:
    """Whether a DaemonSet is short of pods and stands still.

    A pod that has not been Ready for long counts; a missing or old one only where no pod has begun or become
    Ready lately, and there are more of them than nodes that have just come.
    """
    behind = workload.updated < workload.current and not workload.on_delete
    if not behind and workload.available >= workload.desired:
        return False
    if any(not pod.deleted and (unready_for(facts, pod) or 0.0) > rules.STANDING for pod in pods):
        return True
    moved = [seconds_since(facts, workload.changed)]
    moved += [seconds_since(facts, pod.created) for pod in pods]
    moved += [age(facts, pod.node, pod.since).seconds for pod in pods if pod.since]
    if any(seconds is not None and seconds <= rules.STANDING for seconds in moved):
        return False
    came = sum(1 for node in facts.nodes if _is_new(facts, node))
    missing = workload.desired - len({pod.node for pod in pods})
    return behind or missing > came


def lasting(facts: Facts, budget: Budget) -> list[Pod]:
    """The pods that have not been Ready for long, where a budget would be short even if all others were."""
    sick = partial(_is_lastingly_sick, facts)
    live = [pod for pod in budget.pods if not pod.is_over]
    others = sum(1 for pod in live if not sick(pod))
    return [pod for pod in live if sick(pod)] if others < budget.desired else []


def _is_lastingly_sick(facts: Facts, pod: Pod) -> bool:
    return not pod.deleted and (unready_for(facts, pod) or 0.0) > rules.STANDING


def _is_told(facts: Facts, nodes: Mapping[str, Node], pod: Pod) -> bool:
    """Whether another finding tells of the pod: that of its node, or of its component, which was asked."""
    node = nodes.get(pod.node)
    if node is None:
        return False
    if not _is_ready(node):
        return True
    for process in node.processes:
        if process.pod and (process.pod.namespace, process.pod.name) == (pod.namespace, pod.name):
            found = verdict(facts, node, process)
            return found.is_told or found.is_well
    return False


def _is_ready(node: Node) -> bool:
    ready = node.condition("Ready")
    return ready is not None and ready.status == "True"


def _is_new(facts: Facts, node: Node) -> bool:
    """Whether a node has come, or come back, lately."""
    ready = node.condition("Ready")
    times = [seconds_since(facts, node.created), seconds_since(facts, ready.since if ready else None)]
    return any(seconds is not None and seconds <= rules.STANDING for seconds in times)


def _reason(pod: Pod) -> str:
    """Why a pod is not well, in a word: pods that have it alike are one finding."""
    waiting = next((one.waiting for one in pod.containers if one.waiting), "")
    return waiting or pod.message.partition(":")[0] or pod.phase


def _told(pod: Pod) -> str:
    """Why a pod is not well, in words."""
    for container in pod.containers:
        if container.waiting:
            code = f", exit code {container.exit_code}" if container.exit_code is not None else ""
            return f"container {container.name}: {container.waiting}, {container.restarts} restarts{code}"
    return f"not Ready: {pod.message or f'its phase is {pod.phase}'}"
