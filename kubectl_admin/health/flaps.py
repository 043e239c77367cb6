"""How often things that should stand still have changed while looks were taken. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flaps:
    """The changes that looks have seen in the last `seconds`, 15 minutes at most.

    ready: of the condition Ready, by node. leaders: of the holders of Leases, by the names of these.
    elections: of etcd's leader, by the node whose member has counted them.
    """

    seconds: float
    ready: Mapping[str, int]
    leaders: Mapping[str, int]
    elections: Mapping[str, int]
