"""The states that a component can be in, and the verdict on one, as plain data."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The state of a component on a node; in this order of evidence."""

    ABSENT = "absent"  # the cluster does not have it, or not here
    LEFT_OUT = "left out"  # its node is not in the sample
    NODE = "node off"  # neither kubelet nor anything else of the node answers
    KUBELET = "kubelet down"  # of a kubelet: it does not run, and its node is alive
    UNREACHED = "not reached"  # the API server can't reach it through the kubelet, and the node is alive
    RUNTIME = "runtime hangs"  # the kubelet answers, and forwards no ports
    MISSING = "missing"  # no pod where one is wanted
    CRASHING = "crashing"  # its container does not stay up
    DENIED = "denied"  # this user may not ask
    BOUND = "bound elsewhere"  # it listens at an address that can't be asked this way
    CLOSED = "closed"  # its container runs, and nothing listens
    HANGING = "hanging"  # it takes connections, and does not answer
    UNHEALTHY = "unhealthy"  # it answers that it is not well
    UNKNOWN = "unknown"
    WELL = "well"


CELLS = {
    State.ABSENT: "-",
    State.LEFT_OUT: "…",
    State.NODE: "node?",
    State.KUBELET: "down",
    State.UNREACHED: "node?",
    State.RUNTIME: "rt?",
    State.MISSING: "gone",
    State.CRASHING: "crash",
    State.DENIED: "denied",
    State.BOUND: "bound",
    State.CLOSED: "closed",
    State.HANGING: "hangs",
    State.UNHEALTHY: "bad",
    State.UNKNOWN: "?",
    State.WELL: "ok",
}
PINGED = "ping"  # the cell of a kubelet that is well as far as a ping can tell


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a component on a node.

    cell: its text in the matrix: of CELLS, the status of an answer («500»), PINGED.
    evidence: a sentence without its full stop. seconds: that the slowest answer took; None for no answer.
    """

    state: State
    cell: str
    evidence: str
    seconds: float | None = None

    @property
    def is_well(self) -> bool:
        """Whether it answers that it is well."""
        return self.state is State.WELL

    @property
    def is_bad(self) -> bool:
        """Whether it has been seen not to be well; an unseen one is neither this nor well."""
        return self.state in BAD

    @property
    def is_behind(self) -> bool:
        """Whether it could not be seen since its node, its kubelet or its runtime is not well."""
        return self.state in BEHIND

    @property
    def is_told(self) -> bool:
        """Whether a finding tells of it, or of what it is behind."""
        return self.is_bad or self.is_behind


BEHIND = (State.NODE, State.UNREACHED, State.RUNTIME)
BAD = (
    State.KUBELET,
    State.MISSING,
    State.CRASHING,
    State.CLOSED,
    State.HANGING,
    State.UNHEALTHY,
)
