"""A change as a plan: steps in their order, each with whether it is so already; and how it is carried out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a change.

    name: short and stable, for scripts. title: what it is, for a person. node: where.
    done: whether it was so already when the plan was made.
    """

    name: str
    title: str
    node: str
    done: bool = False


def carry_out(
    steps: Sequence[Step], actions: Mapping[str, Callable[[], None]], begun: Callable[[Step], None]
) -> dict[str, float]:
    """Takes the steps that are not done, in their order; returns the seconds that each has taken, by name.

    actions: what makes a step so, by its name; it returns when that has been seen, and raises otherwise.
    begun: is told of each step that begins.
    """
    taken: dict[str, float] = {}
    for step in steps:
        if not step.done:
            begun(step)
            since = time.monotonic()
            actions[step.name]()
            taken[step.name] = time.monotonic() - since
    return taken
