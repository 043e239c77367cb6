"""Quantities, lists and foreign words as text: written one way by every verb. Pure.

Exact spans of time (`exactly`) are for limits that are compared, the others for a person's sense of time.
"""

from collections.abc import Sequence
from datetime import datetime

OBJECTS_SHOWN = 3

MINUTE, HOUR, DAY = 60, 3600, 86400  # seconds
BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
MIB = 1 << 20  # bytes


def printable(text: str) -> str:
    """The text with an escape for every character that can't be seen.

    Control characters move the cursor; others reverse the direction of the text or have no width. Nobody who
    names a node or writes a message may hide words from the reader with them.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def some_of(objects: Sequence[object], shown: int = OBJECTS_SHOWN, separator: str = ", ") -> str:
    """The first few objects and the number of the others, so that 5,000 nodes stay one line."""
    listed = separator.join(str(each) for each in objects[:shown])
    rest = and_more(len(objects) - shown)
    return f"{listed} {rest}" if rest else listed


def beside(objects: Sequence[str], shown: int = OBJECTS_SHOWN) -> str:
    """A finding's objects, to be put behind its subject: « on node/w1»; « (pod/default/web)», since a pod is
    not a place, or "".
    """
    if not objects:
        return ""
    listed = some_of(objects, shown)
    return f" ({listed})" if objects[0].startswith("pod/") else f" on {listed}"


def and_more(rest: int) -> str:
    """«and 1,997 more»; "" if nothing is left."""
    return f"and {rest:,} more" if rest > 0 else ""


def size(count: int) -> str:
    """Bytes in powers of 1024, as etcd's quota is given: «2.3MiB», «512MiB», «2.0GiB»."""
    number, unit = float(count), 0
    while number >= 1023.5 and unit < len(BYTE_UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.{0 if not unit or number >= 99.95 else 1}f}{BYTE_UNITS[unit]}"


def mib(count: int) -> int:
    """Bytes as whole MiB, rounded down: for what there is, beside what is needed (`mib_needed`)."""
    return count // MIB


def mib_needed(count: int) -> int:
    """Bytes as whole MiB, rounded up: a file without room is never shown to have it."""
    return -(-count // MIB)


def duration(seconds: float, *, tenths: bool = False) -> str:
    """A time that something takes, or may take, as Kubernetes writes it: «45s», «2m5s», «1h3m».

    tenths: whether tenths of a second count, below a minute: «5.3s».
    """
    if tenths and seconds < MINUTE:
        return f"{round(seconds, 1):g}s"
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m{whole % MINUTE}s"
    return f"{whole // HOUR}h{whole % HOUR // MINUTE}m"


def span(seconds: float) -> str:
    """A time in the one unit that says enough, in words: «47 hours», «2 days»."""
    count, unit = _in_one_unit(seconds)
    return f"{count:,} {unit}"


def short_span(seconds: float) -> str:
    """The same for a table, as kubectl writes an age: «90m», «47h», «2d»."""
    count, unit = _in_one_unit(seconds)
    return f"{count}{unit[0]}"


def age(made: datetime, now: datetime) -> str:
    """How long ago something was made, in one unit; 0 seconds for what is to be made only now."""
    return short_span(max(0.0, (now - made).total_seconds()))


def relative(moment: datetime, now: datetime) -> str:
    """«in 12 days», «3 hours ago»."""
    text = span(abs(moment - now).total_seconds())
    return f"{text} ago" if moment <= now else f"in {text}"


def exactly(seconds: int) -> str:
    """A time that is compared with another, without any rounding: «366 days», «2 hours», «601 seconds»."""
    for length, unit in ((DAY, "days"), (HOUR, "hours")):
        if seconds % length == 0 and seconds > length:
            return f"{seconds // length} {unit}"
    return f"{seconds} seconds"


def _in_one_unit(seconds: float) -> tuple[int, str]:
    """How many of which unit: the greatest of which there are two."""
    for unit, length in (("days", DAY), ("hours", HOUR), ("minutes", MINUTE)):
        if seconds >= 2 * length:
            return int(seconds // length), unit
    return int(seconds), "seconds"
