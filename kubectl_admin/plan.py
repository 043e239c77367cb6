"""A change as a plan: steps in their order, each with whether it is so already; and the one who takes them.

A room that knows more of a step than its title (which certificates it renews) makes a subclass of it.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kubectl_admin.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a change.

    name: short and stable, for scripts.
    title: for a person.
    node: where.
    done: whether it was so already when the plan was made.
    """

    name: str
    title: str
    node: str
    done: bool = False


S_co = TypeVar("S_co", bound=Step, covariant=True)
S = TypeVar("S", bound=Step)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Plan(Generic[S_co]):
    """Steps of a change, one after the other, and the findings about it.

    context: of the kubeconfig.
    findings: a violation among them forbids the change.
    """

    context: str
    steps: tuple[S_co, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def is_possible(self) -> bool:
        """Whether nothing forbids it."""
        return not any(finding.severity is Severity.VIOLATION for finding in self.findings)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return all(step.done for step in self.steps)


@dataclass(frozen=True, slots=True)
class Taken(Generic[R]):
    """A step that was taken. result: of its action. seconds: how long it took."""

    step: Step
    result: R
    seconds: float


def carry_out(
    steps: Iterable[S],
    act: Callable[[S], R],
    begin: Callable[[S], None] = lambda _: None,
    taken: list[Taken[R]] | None = None,
) -> list[Taken[R]]:
    """Takes the steps that are not done, in their order. The first that fails ends it, with its exception.

    act: makes a step so; it returns when that has been seen, and raises otherwise.
    begin: is called before each step that is taken; its error ends it, too.
    taken: is given each step once it is taken, for who wants to know how far it has come; it is returned.
    """
    taken = [] if taken is None else taken
    for step in steps:
        if not step.done:
            begin(step)
            since = time.monotonic()
            result = act(step)
            taken.append(Taken(step, result, time.monotonic() - since))
    return taken
