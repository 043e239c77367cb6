"""The second look at metrics, by which rates are judged; an unseen series has no rate, and a note."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.cluster.paths import KUBE_SYSTEM
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Gap
from kubectl_admin.health.asking import listing
from kubectl_admin.health.asking.ask import Asked, Asker
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.asking.silence import WORDS
from kubectl_admin.health.facts import Lease, Metrics, NoReply, Process
from kubectl_admin.pool import ask_all
from kubectl_admin.report.text import some_of

Later = Mapping[Component, Metrics]


@dataclass(frozen=True, slots=True)
class SecondLook:
    """Its answers. asked: with the later metrics beside the earlier. leaders: their Leases as of now."""

    asked: Mapping[str, Asked]
    leaders: Mapping[str, Lease]
    gaps: tuple[Gap, ...] = field(default=())


def take(
    cluster: Cluster,
    on: Callable[[str], Asker],
    listed: Listed,
    asked: Mapping[str, Asked],
    seconds: float,
) -> SecondLook:
    """Looks again at the metrics that a first look has read, within so many seconds.

    on: who asks a node of that name. Raises AdminError where the API server is away now, or no node gives
    any of its metrics: there are no rates then, and the first look must not pass for both.
    """
    asking: dict[str, Callable[[], Later | NoReply]] = {
        name: partial(on(name).metrics, one.way, listed.plans[name])
        for name, one in asked.items()
        if isinstance(one.way, str) and any(map(has_metrics, one.processes))
    }
    answers = ask_all(asking, deadline=seconds)
    leaders, gaps = leaders_again(cluster, listed.leaders, seconds)
    later: dict[str, Later] = {}
    failed: dict[str, str] = {}
    for name, answer in answers.items():
        if isinstance(answer, AdminError):
            failed[name] = answer.what
        elif isinstance(answer, NoReply):
            failed[name] = f"{WORDS[answer.why]}: {answer.said}".removesuffix(": ")
        else:
            later[name] = answer
    if failed and not later:
        raise Unreachable(f"the second look: no node has answered: {next(iter(failed.values()))}")
    if asking and not any(later.values()):
        raise Unreachable("the second look: no component has given its metrics again")
    both = {
        name: replace(one, processes=tuple(with_later(process, later[name]) for process in one.processes))
        if name in later
        else one
        for name, one in asked.items()
    }
    return SecondLook(both, leaders, (*gaps, *_gaps(failed, asked, later)))


def leaders_again(
    cluster: Cluster, before: Mapping[str, Lease], seconds: float
) -> tuple[Mapping[str, Lease], list[Gap]]:
    """The leaders' Leases once more; those from before, and a gap, where they can't be read.

    Raises Unreachable where the API server is away.
    """
    if not before:
        return before, []
    try:
        later = listing.leases(cluster, KUBE_SYSTEM, timeout=seconds)
    except Unreachable as error:
        error.what = f"the second look: {error.what}"
        raise
    except AdminError as error:
        return before, [Gap("changes of the leaders' Leases", f"the second look failed: {error.what}")]
    return {name: later.get(name, lease) for name, lease in before.items()}, []


def has_metrics(process: Process) -> bool:
    """Whether the first look has read its metrics."""
    return isinstance(process.metrics, Mapping)


def with_later(process: Process, later: Later) -> Process:
    """The process with what its metrics are now, and were before."""
    now, before = later.get(process.component), process.metrics
    if now is None or not isinstance(before, Mapping):
        return process
    return replace(process, metrics=now, earlier=before)


def _gaps(failed: Mapping[str, str], asked: Mapping[str, Asked], later: Mapping[str, Later]) -> list[Gap]:
    """Missing rates; one for all nodes that are alike."""
    alike: dict[str, list[str]] = {}
    for name, why in failed.items():
        alike.setdefault(why.replace(name, "NODE"), []).append(name)
    gaps = []
    for why, names in alike.items():
        if len(names) == 1:
            gaps.append(Gap(f"rates of node {names[0]}", f"its second look failed: {failed[names[0]]}"))
        else:
            gaps.append(Gap(f"rates of nodes {some_of(names)}", f"their second look failed: {why}"))
    missing: dict[Component, list[str]] = {}
    for name, one in asked.items():
        metrics = later.get(name, {})
        for process in one.processes if name not in failed else ():
            if has_metrics(process) and process.component not in metrics:
                missing.setdefault(process.component, []).append(name)
    return gaps + [
        Gap(f"rates of {component} on {some_of(names)}", "its metrics were not read at the second look")
        for component, names in missing.items()
    ]
