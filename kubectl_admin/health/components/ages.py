"""How old a time is that a node's clock wrote, by this machine's clock. Pure.

Clocks differ, so client-go does not compare such times with its own clock at all
(tools/leaderelection/leaderelection.go). Here they are corrected by the clocks that were measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import inf
from statistics import median

from kubectl_admin.health.facts import Clock, Facts, Node, Pod


@dataclass(frozen=True, slots=True)
class Age:
    """seconds: never less than 0. error: how far that may be off; None where no clock was measured."""

    seconds: float
    error: float | None

    def is_above(self, limit: float) -> bool:
        """Whether it is above so many seconds, whatever the error. Unmeasured clocks are taken for right."""
        return self.seconds - (self.error or 0.0) > limit

    def is_below(self, limit: float) -> bool:
        """Whether it is below so many seconds, whatever the error."""
        return self.seconds + (self.error or 0.0) < limit


def age(facts: Facts, node: str, moment: datetime, read: datetime | None = None) -> Age:
    """How old a time was that the clock of the node of that name wrote, when it was read.

    read: by this machine's clock; None for `Facts.at`. A node whose clock was not measured is taken to agree
    with the others. Times that API servers wrote have their age by `Facts.now`.
    """
    clock = clock_of(facts, node)
    seconds = ((read or facts.at) - moment).total_seconds() + (clock.offset if clock else 0.0)
    return Age(max(seconds, 0.0), clock.error if clock else None)


def age_of_lease(facts: Facts, node: Node) -> Age | None:
    """How long ago the kubelet renewed its node's lease; None where that is not known."""
    if node.lease is None or node.lease.renewed is None:
        return None
    return age(facts, node.name, node.lease.renewed, node.lease.read)


def clock_of(facts: Facts, node: str) -> Clock | None:
    """The clock of a node, else one as the others', else the API server's; None where none is known."""
    return clocks_by_name(facts).get(node) or common_clock(facts) or server_clock(facts)


# They are asked for with every pod and every node of thousands.
@lru_cache(maxsize=1)
def clocks_by_name(facts: Facts) -> Mapping[str, Clock]:
    """The clocks that were measured, by the names of their nodes."""
    return {node.name: node.clock for node in facts.nodes if node.clock}


@lru_cache(maxsize=1)
def common_clock(facts: Facts) -> Clock | None:
    """The median of all clocks, with the median of their errors; None where none was measured."""
    clocks = clocks_by_name(facts).values()
    if not clocks:
        return None
    return Clock(median(one.offset for one in clocks), median(one.error for one in clocks))


def server_clock(facts: Facts) -> Clock | None:
    """The API server's, which writes whole seconds into its answers; None where it has not said."""
    if facts.server_time is None:
        return None
    return Clock((facts.server_time - facts.at).total_seconds(), 1.0)


def unready_for(facts: Facts, pod: Pod) -> float | None:
    """Seconds for which a pod has not been Ready; None for one that is.

    Its kubelet has written when that began, by its own clock; it can't be longer than there is the pod. Where
    neither is known it is taken to be long.
    """
    if pod.ready:
        return None
    known = [age(facts, pod.node, pod.since).seconds] if pod.since else []
    if pod.created:
        known.append(max((facts.now - pod.created).total_seconds(), 0.0))
    return min(known, default=inf)


def seconds_since(facts: Facts, moment: datetime | None) -> float | None:
    """How long ago an API server wrote a time; None for none."""
    return max((facts.now - moment).total_seconds(), 0.0) if moment else None
