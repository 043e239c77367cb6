"""Components by the objects of their pods. Pure.

A kubelet's word may be old: its node is looked at before its pods are.
"""

from datetime import datetime

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.components.ages import age
from kubectl_admin.health.facts import Container, Facts, Pod, Process
from kubectl_admin.report.text import span

# A process that has begun so recently may not serve yet.
START_GRACE = 60.0  # seconds
# An end of a process within this time counts as crashing while it does not answer.
CRASH_WINDOW = 600.0  # seconds
# The exit code that the runtime gives to a process whose end nobody saw: the machine was restarted.
# Source: containerd internal/cri/server/restart.go, unknownExitCode.
UNSEEN_END = 255
# Reasons why a container waits that are not its own fault.
BEGINNING = ("", "ContainerCreating", "PodInitializing")


def main_container(process: Process) -> Container | None:
    """The container in which a component runs: that of its name, else the only one."""
    containers = process.pod.containers if process.pod else ()
    named = next((one for one in containers if one.name == process.component), None)
    return named or (containers[0] if len(containers) == 1 else None)


def has_crashed(facts: Facts, node: str, container: Container) -> bool:
    """Whether its process has failed within the last minutes; a machine's restart is not a failure."""
    if container.waiting == "CrashLoopBackOff":
        return True
    if not container.restarts or container.finished is None or container.exit_code in (None, 0, UNSEEN_END):
        return False
    return _ago(facts, node, container.finished) < CRASH_WINDOW


def is_starting(facts: Facts, process: Process) -> bool:
    """Whether its process has begun so recently that it need not serve yet, and not after a crash."""
    container = main_container(process)
    if container is None or has_crashed(facts, process.node, container):
        return False
    if container.started is None:
        return process.pod is not None and not is_older(facts, process.pod, START_GRACE)
    return _ago(facts, process.node, container.started) < START_GRACE


def is_running_on(facts: Facts, node: str, container: Container) -> bool:
    """Whether its process has run for longer than any needs to begin."""
    return container.started is not None and _ago(facts, node, container.started) >= START_GRACE


def is_older(facts: Facts, pod: Pod, seconds: float) -> bool:
    """Whether a pod was created longer ago than that; one without a time is taken to be."""
    return pod.created is None or (facts.now - pod.created).total_seconds() >= seconds


def told(facts: Facts, node: str, container: Container) -> str:
    """How a container fares, in words: «CrashLoopBackOff, 7 restarts, exit code 1 (Error) 30 seconds ago»."""
    parts = [container.waiting] if container.waiting else []
    if container.restarts:
        parts.append(f"{container.restarts} restart{'s' if container.restarts > 1 else ''}")
    if container.exit_code is not None:
        reason = f" ({container.reason})" if container.reason else ""
        when = f" {span(_ago(facts, node, container.finished))} ago" if container.finished else ""
        parts.append(f"exit code {container.exit_code}{reason}{when}")
    return ", ".join(parts)


def kubelet_says(process: Process) -> str:
    """The kubelet's own verdict on a component, in words; "" on itself."""
    if process.component is Component.KUBELET:
        return ""
    if process.pod is None:
        return "the kubelet has no word on it"
    return "the kubelet says Ready" if process.pod.ready else "the kubelet says that it is not Ready"


def shown_as(process: Process) -> str:
    """The same beside what was seen now: a pod's object lags behind its process."""
    is_ready = process.pod is not None and process.pod.ready and process.component is not Component.KUBELET
    return "its pod is still shown as Ready" if is_ready else kubelet_says(process)


def _ago(facts: Facts, node: str, moment: datetime) -> float:
    return age(facts, node, moment).seconds
