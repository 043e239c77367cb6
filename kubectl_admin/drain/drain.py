"""A drain from its preview to its end: for verbs, and for what drains a node on its way to something else."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.drain.cordon import Cordon, cordoned
from kubectl_admin.drain.evict import DrainError, Evictions, Moved
from kubectl_admin.drain.facts import Pod
from kubectl_admin.drain.filters import Action, Context, Flags, Verdict, judge
from kubectl_admin.drain.gather import gather
from kubectl_admin.drain.node_watch import NodeWatch
from kubectl_admin.drain.preview import Preview, preview
from kubectl_admin.drain.primaries import await_moved
from kubectl_admin.drain.progress import DrainProgress

PODS_TIMEOUT = 60.0  # seconds until the node's pods must be known after the cordon
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Options:
    """How a node is drained.

    flags: they decide about pods. pod_selector: the pods that are looked at at all; "" is every one.
    timeout: seconds for all of it; 0 sets no limit. primary_timeout: seconds that operators are given to move
    primaries once the node is cordoned; 0 does not wait for them.
    keep_cordon: the node stays cordoned even if the drain fails.
    wait_for_budgets: proceeds although a budget can never be met as it is.
    """

    flags: Flags = field(default_factory=Flags)
    pod_selector: str = ""
    timeout: float = 0.0
    primary_timeout: float = 3 * MINUTE
    keep_cordon: bool = False
    wait_for_budgets: bool = False


@dataclass(frozen=True, slots=True)
class Drained:
    """How a drain has ended, or how far it has come.

    moved: the fate of its pods; after a good end none is left.
    was_cordoned: whether the node was cordoned before. seconds: from the cordon on.
    """

    moved: Moved
    was_cordoned: bool
    seconds: float


class Run:
    """One drain on its way: how far it has come can be asked at any time, and after it has failed."""

    def __init__(self, seen: Preview) -> None:
        self._seen = seen
        self._begun: float | None = None
        self.cordon: Cordon | None = None
        self.evictions: Evictions | None = None

    def begin(self) -> float:
        """It begins now, in time.monotonic's seconds."""
        self._begun = time.monotonic()
        return self._begun

    @property
    def so_far(self) -> Drained:
        """How far it has come."""
        before = not self.cordon.cordoned if self.cordon else self._seen.facts.node.unschedulable
        nobody = Moved((), (), left=tuple(verdict.pod for verdict in self._seen.leaving))
        moved = self.evictions.so_far if self.evictions else nobody
        return Drained(moved, before, time.monotonic() - self._begun if self._begun else 0.0)


def look(cluster: Cluster, node: str, options: Options) -> Preview:
    """The preview of the node's drain; nothing is touched. Raises AdminError, as `gather` does."""
    facts = gather(cluster, node, options.pod_selector)
    return preview(facts, options.flags, datetime.now(UTC))


def is_possible(seen: Preview, options: Options) -> bool:
    """Whether a drain may begin: no pod is refused, and no budget blocks for ever."""
    return not seen.refused and (options.wait_for_budgets or not seen.blocked)


def drain(
    cluster: Cluster, seen: Preview, options: Options, progress: DrainProgress, run: Run | None = None
) -> Drained:
    """Cordons the node and moves its pods, as the preview has it; returns when they are gone.

    run: of this preview; it knows how far the drain has come.
    Raises DrainError if it can't begin or does not come to its end. The node is then uncordoned, if it was
    this run that cordoned it, and so it is on Ctrl-C; the progress is told.
    """
    if not is_possible(seen, options):
        raise DrainError(f"node {seen.node} can't be drained with these options; nothing was changed")
    run = run or Run(seen)
    begun = run.begin()
    deadline = begun + options.timeout if options.timeout else math.inf
    mark = Cordon.begin(datetime.now(UTC), moved_workloads(seen))
    with cordoned(cluster, seen.node, mark, keep=options.keep_cordon, say=progress.note) as put:
        run.cordon = put
        progress.note(f"node/{seen.node} {'cordoned' if put.cordoned else 'was cordoned before'}")
        watch = NodeWatch(cluster, seen.node)
        try:
            empty(cluster, watch, seen, options, progress, deadline, run)
        finally:
            watch.close()
    return run.so_far


def empty(  # noqa: PLR0913, PLR0917 - whose, where, what, how, who is told, and for how long
    cluster: Cluster,
    watch: NodeWatch,
    seen: Preview,
    options: Options,
    progress: DrainProgress,
    deadline: float,
    run: Run,
) -> None:
    """Moves the pods of a node that is cordoned."""
    groups = [group for group in seen.groups if group.is_moved_at_cordon]
    if groups and options.primary_timeout:
        await_moved(watch, groups, progress, options.primary_timeout, deadline)
    verdicts = judged_again(watch, seen, options, progress, deadline)
    evictions = Evictions(
        cluster,
        watch,
        options.flags,
        None if options.pod_selector else judge_of(seen),
        progress,
        deadline,
    )
    leaving = [verdict.pod for verdict in verdicts if verdict.leaves]
    staying = [verdict.pod for verdict in verdicts if not verdict.leaves]
    run.evictions = evictions
    try:
        evictions.run(leaving, staying)
    except Exception:
        raise
    except BaseException:  # Ctrl-C, SIGTERM
        for each in evictions.waiting:
            progress.note(f"still there: pod {each.pod}: {each.why}")
        raise


def judged_again(
    watch: NodeWatch, seen: Preview, options: Options, progress: DrainProgress, deadline: float
) -> list[Verdict]:
    """The verdict on each pod there, now that no more can come. Raises DrainError if one is refused."""
    end = min(time.monotonic() + PODS_TIMEOUT, deadline)
    while (present := watch.pods) is None:
        if time.monotonic() > end:
            why = watch.problem or "no answer"
            raise DrainError(f"the pods of node {seen.node} can't be listed: {why}")
        progress.waiting(())
        watch.wait(1.0)
    before = {verdict.pod.uid for verdict in seen.verdicts}
    judge_one = judge_of(seen)
    verdicts = [judge_one(pod) for pod in present.values() if pod.uid in before or not options.pod_selector]
    refused = [verdict for verdict in verdicts if verdict.action is Action.REFUSE]
    if refused:
        pods = ", ".join(f"{verdict.pod} ({verdict.why}: {verdict.flag})" for verdict in refused)
        raise DrainError(f"pods that may not be evicted came after the cordon: {pods}")
    return verdicts


def judge_of(seen: Preview) -> Callable[[Pod], Verdict]:
    """Judges one pod as the preview did."""

    def judge_one(pod: Pod) -> Verdict:
        return judge(pod, Context(seen.flags, seen.facts.daemonsets, datetime.now(UTC)))

    return judge_one


def moved_workloads(seen: Preview) -> list[str]:
    """The workloads whose pods leave and that are healthy now, «Kind/namespace/name»."""
    found = set()
    for verdict in seen.leaving:
        owner = verdict.pod.controller
        scale = seen.facts.scales.get(owner.uid) if owner else None
        if owner and scale and scale.ready >= scale.desired:
            found.add(f"{owner.kind}/{verdict.pod.namespace}/{owner.name}")
    return sorted(found)
