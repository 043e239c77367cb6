"""Waiting until a cluster is well: twice in a row, since one look may fall into a lucky moment.

So does kops («validate cluster --wait», validate-count 2).
"""

import time
from collections.abc import Callable, Iterator

from kubectl_admin.clock import Clock
from kubectl_admin.cluster.errors import Unreachable, in_short
from kubectl_admin.cluster.retry import is_transient
from kubectl_admin.cluster.wait import looks
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.components.verdict import State
from kubectl_admin.health.facts import NoReply, Why
from kubectl_admin.health.look import Look, Row, has_answered
from kubectl_admin.report import Report
from kubectl_admin.report.text import duration, some_of

WAIT_INTERVAL = 5.0  # seconds between two looks
IN_A_ROW = 2  # looks in which it must be well


class Waiting:
    """A wait's result.

    last: the last look; None where there was none. missing: unwell parts; none if all are well. is_away:
    whether the API server has not answered the latest look.
    """

    def __init__(self) -> None:
        self.last: Look | None = None
        self.missing: tuple[str, ...] = ("no look",)
        self.well = 0
        self.is_away = False

    @property
    def is_over(self) -> bool:
        """Whether it was well often enough."""
        return self.well >= IN_A_ROW

    def look(self, take: Callable[[], Look], fail_on: Severity) -> None:
        """Looks once more; raises AdminError for what another look will not mend."""
        try:
            self.last = take()
            self.is_away = False
            self.missing = tuple(missing(self.last, fail_on))
        except AdminError as error:
            if not is_transient(error):
                raise
            self.missing = (away(error),)
            self.is_away = True
        self.well = 0 if self.missing else self.well + 1


def wait_until_well(
    take: Callable[[], Look],
    fail_on: Severity,
    timeout: float,
    say: Callable[[str], None],
    *,
    clock: Clock = time,
) -> Waiting:
    """Looks until all is well twice in a row, or so many seconds are over.

    fail_on: the least severity of a finding that is not well. say: is told what is not well, as it changes.
    Raises AdminError for what no waiting mends.
    """
    waiting, said = Waiting(), ""
    for _ in looks(timeout, WAIT_INTERVAL, clock=clock):
        waiting.look(take, fail_on)
        if waiting.is_over:
            break
        text = ONCE
        if waiting.missing:
            listed = some_of(waiting.missing, separator="; ")
            text = listed if waiting.is_away else f"not well yet: {listed}"
        if text != said:
            say(text)
            said = text
    return waiting


ONCE = f"all is well; looking once more in {WAIT_INTERVAL:.0f} s"


def missing(look: Look, fail_on: Severity) -> Iterator[str]:
    """All that is not well yet, each in a few words."""
    order = list(Severity)
    for finding in look.findings:
        if order.index(finding.severity) <= order.index(fail_on):
            yield named(finding)
    if not has_answered(look):
        yield "no component has answered"
    for row in look.rows:
        for component, verdict in row.verdicts.items():
            if verdict.state is State.UNKNOWN and not is_out_of_reach(row):
                yield f"no answer of {component} on node {row.node.name}"


def named(finding: Finding) -> str:
    """A finding in short: «kubelet-down on node w1», «port-closed of etcd on node cp-1»."""
    where = some_of([one.replace("/", " ", 1) for one in finding.objects]) or finding.subject
    part, _, place = finding.subject.partition(" on ")
    is_part = part in {*Component} and part.removeprefix("kube-") not in finding.rule and place == where
    return f"{finding.rule} of {part} on {where}" if is_part else f"{finding.rule} on {where}"


def away(error: AdminError) -> str:
    """That the API server has not answered, and why."""
    if not isinstance(error, Unreachable):
        return error.what
    why = in_short(error).removeprefix("Unable to connect to the server: ")
    return f"the API server does not answer yet: {why}"


def is_out_of_reach(row: Row) -> bool:
    """Whether there is no way to a node's ports, so that no waiting tells more of it."""
    return isinstance(row.node.way, NoReply) and row.node.way.why in (Why.NO_WAY, Why.FORBIDDEN)


def late(waiting: Waiting, timeout: float) -> Finding:
    """The violation that the time is over, with what is still missing."""
    still = some_of(waiting.missing, 5, "; ") if waiting.missing else "a second look that finds all well"
    return rules.NOT_WELL_YET.violation(
        subject="the cluster",
        evidence=f"after {duration(timeout)} still not well: {still}",
        fix="look at the other findings, and wait longer with --wait",
    )


def blind(waiting: Waiting, timeout: float) -> Report:
    """The report of a wait in which the API server never answered."""
    return Report("Health", items=list, names=list, findings=[late(waiting, timeout)])
