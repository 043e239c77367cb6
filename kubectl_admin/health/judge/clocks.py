"""The judgement on the clocks of the nodes, and on this machine's. Pure.

Each clock was measured against this machine's, with an error; no finding is made that the errors could
explain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from kubectl_admin.finding import Finding, Severity
from kubectl_admin.health import rules
from kubectl_admin.health.components.ages import common_clock
from kubectl_admin.health.facts import Clock, Facts
from kubectl_admin.report.text import span

SYNCHRONISE = "look at its time service: chronyc tracking, or timedatectl"
BACKDATED = (
    "; certificates that others sign now are not valid yet there, since they are backdated by 5 minutes only"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A node's clock, as measured."""

    name: str
    clock: Clock
    is_control_plane: bool


def differing(facts: Facts) -> Iterator[Finding]:
    """Clocks that differ from the others', and those of control planes that differ from each other."""
    measured = [Measured(node.name, node.clock, node.is_control_plane) for node in facts.nodes if node.clock]
    if len(measured) == 2 and _apart(measured[0], measured[1].clock) > rules.CLOCKS_NODES:
        yield _pair(*measured)
        return
    middle = _median(measured)
    off = [] if middle is None else [one for one in measured if _apart(one, middle) > rules.CLOCKS_NODES]
    for one in off:
        yield _finding(one, measured, "the nodes' median")
    planes = [one for one in measured if one.is_control_plane and one not in off]
    yield from _control_planes(planes)


def operator(facts: Facts) -> Iterator[Finding]:
    """This machine's clock, where it differs from the nodes'."""
    clock = common_clock(facts)
    if clock and abs(clock.offset) - clock.error > rules.CLOCKS_NODES:
        yield rules.OPERATOR_CLOCK.note(
            subject="this machine's clock",
            evidence=f"it is {_words(-clock.offset)} of the nodes'; ages are corrected by that",
            fix="synchronise it",
        )


def _control_planes(planes: list[Measured]) -> Iterator[Finding]:
    """Control planes that differ by more than a second from most others, else the pairs that differ."""
    apart = [
        (one, other)
        for one, other in combinations(planes, 2)
        if _apart(one, other.clock) > rules.CLOCKS_CONTROL_PLANES
    ]
    lonely = [
        one
        for one in planes
        if len(planes) > 2 and sum(one in pair for pair in apart) > (len(planes) - 1) / 2
    ]
    for one in lonely:
        yield _finding(one, planes, "the control planes' median")
    for one, other in apart:
        if one not in lonely and other not in lonely:
            yield _pair(one, other)


def _finding(one: Measured, among: list[Measured], of: str) -> Finding:
    """A clock that is off by itself."""
    reference = _median(among) or one.clock
    difference, error = one.clock.offset - reference.offset, one.clock.error + reference.error
    certain = abs(difference) - error
    late = certain > rules.CLOCKS_BACKDATING and difference < 0
    severity = Severity.VIOLATION if certain > rules.CLOCKS_VIOLATION else Severity.WARNING
    return rules.CLOCK_DIFFERS.finding(
        severity,
        subject=f"clock of node {one.name}",
        evidence=f"it is {_words(difference)} of {of} (± {error:.1g} s){BACKDATED if late else ''}",
        fix=SYNCHRONISE,
        objects=(f"node/{one.name}",),
    )


def _pair(one: Measured, other: Measured) -> Finding:
    """Two clocks of which nobody knows which is right."""
    difference, error = one.clock.offset - other.clock.offset, one.clock.error + other.clock.error
    certain = abs(difference) - error
    severity = Severity.VIOLATION if certain > rules.CLOCKS_VIOLATION else Severity.WARNING
    return rules.CLOCK_DIFFERS.finding(
        severity,
        subject=f"clocks of nodes {one.name} and {other.name}",
        evidence=f"the first is {_words(difference)} of the second (± {error:.1g} s)"
        + (
            BACKDATED.replace(" there", " where the clock is behind")
            if certain > rules.CLOCKS_BACKDATING
            else ""
        ),
        fix=SYNCHRONISE.replace("its", "their"),
        objects=(f"node/{one.name}", f"node/{other.name}"),
    )


def _median(measured: list[Measured]) -> Clock | None:
    """The median of clocks; None for no clock.

    Of two it is between them and right for neither, so two are held against each other.
    """
    if not measured:
        return None
    offsets, errors = zip(*((one.clock.offset, one.clock.error) for one in measured), strict=True)
    return Clock(median(offsets), median(errors))


def _apart(one: Measured, reference: Clock) -> float:
    """Seconds by which a clock differs for sure."""
    return abs(one.clock.offset - reference.offset) - one.clock.error - reference.error


def _words(seconds: float) -> str:
    """«3.2 s ahead», «12 minutes behind»."""
    size = abs(seconds)
    return f"{span(size) if size >= 120 else f'{size:.1f} s'} {'ahead' if seconds > 0 else 'behind'}"
