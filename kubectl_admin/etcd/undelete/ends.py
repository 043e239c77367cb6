"""What has become of the objects of a plan, in one run. Plain data."""

from dataclasses import dataclass
from enum import StrEnum

from kubectl_admin.etcd.undelete.facts import Change, Item


class Became(StrEnum):
    """What has become of an object of the plan."""

    MADE = "made"
    PUT_BACK = "put back"
    COMPLETED = "completed"  # an earlier run has made it; its owners and field managers are noted
    THERE = "there"  # somebody has made the same meanwhile
    REFUSED = "refused"
    LEFT_OUT = "left out"
    TAKEN_BACK = "taken back"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Outcome:
    """why: for a person, "" where all is well. left: fields of a Service that others have taken.

    altered: the fields in which it is another than it was.
    """

    item: Item
    became: Became
    why: str = ""
    left: tuple[str, ...] = ()
    altered: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """That something could not be noted in an object that is made, and why.

    is_owner: whether it is an owner; else its field managers are.
    """

    item: Item
    why: str
    is_owner: bool
