"""The picture of a watch: a screen's lines from what was seen. Pure.

From top to bottom: a title, the matrix, the lines below it, findings in a line each, and changes.
Where they do not all fit, each part is cut, and says how much is left out. Where the last look has
failed, the first lines say so, and all that an earlier look has seen is dim below them.
"""

from collections.abc import Sequence
from datetime import datetime

from kubectl_admin.health.again.watch import Event, Seen
from kubectl_admin.health.look import counted
from kubectl_admin.health.shown.matrix import table
from kubectl_admin.health.shown.report import lines
from kubectl_admin.report.screen import cut
from kubectl_admin.report.terminal import DIM, RED, RESET, coloured, headline, table_text
from kubectl_admin.report.text import and_more, printable

KEYS = "q quits"
LEAST = 4  # lines of findings, and of changes, that are kept free for each


def picture(
    seen: Seen, doing: str, size: tuple[int, int], now: datetime, *, colour: bool, wide: bool = False
) -> list[str]:
    """The lines of a screen of so many columns and lines. doing: the present work."""
    columns, height = size
    if seen.last is None:
        return [title(f"{now:%H:%M:%S}  {doing}", columns), *past(seen.events, height, colour)]
    look = seen.last
    head = [title(f"{now:%H:%M:%S}  {counted(look.findings) or 'no findings'}  ({doing})", columns)]
    if seen.since:
        head = outage(seen, look.facts.at, doing, columns, now)
        head = [f"{RED}{line}{RESET}" for line in head] if colour else head
    stale = bool(seen.since)
    bright = colour and not stale
    cells = table(look, wide=wide, changed=seen.changed(now))
    matrix = table_text(cells, wide=wide, headers=True, colour=bright).splitlines()
    about = [printable(line) for line in lines(look)]
    found = [
        coloured(printable(f"{one.severity}: {headline(one, look.facts.now)}"), one, bright)
        for one in look.findings
    ]
    if colour and stale:
        matrix, about, found = ([f"{DIM}{line}{RESET}" for line in part] for part in (matrix, about, found))
    events = past(seen.events, len(seen.events), colour)
    room = height - len(head) - len(about) - 3  # a line between the parts
    kept = min(len(found), LEAST) + min(len(events), LEAST)
    matrix = shortened(matrix, max(room - kept, 3), "rows")
    room -= len(matrix)
    found = shortened(found, max(room - min(len(events), LEAST), 0), "findings")
    events = events[: max(room - len(found), 0)]
    parts = [[*head, *matrix], about, found, events]
    shown = [line for part in parts if part for line in (*part, "")][:-1]
    return [cut(line, columns) for line in shown[:height]]


def outage(seen: Seen, at: datetime, doing: str, columns: int, now: datetime) -> list[str]:
    """The first lines while no look succeeds. at: the moment of the look that is shown below them."""
    since = f"{seen.since:%H:%M:%S}" if seen.since else ""
    return [
        title(f"{now:%H:%M:%S}  {seen.outage.upper()} since {since}  ({doing})", columns),
        printable(f"below: as seen at {at.astimezone(now.tzinfo):%H:%M:%S}; {seen.problem}"),
    ]


def title(text: str, columns: int) -> str:
    """The first line, with the keys at its right end."""
    return f"{text[: max(columns - len(KEYS) - 2, 0)]:{max(columns - len(KEYS), 0)}}{KEYS}"


def past(events: Sequence[Event], room: int, colour: bool) -> list[str]:
    """The latest changes, the last one on top."""
    shown = []
    for event in list(events)[::-1][:room]:
        line = f"{event.when:%H:%M:%S} {printable(event.text)}"
        shown.append(f"{RED if event.is_bad else DIM}{line}{RESET}" if colour else line)
    return shown


def shortened(part: list[str], room: int, what: str) -> list[str]:
    """As many of the lines as there is room for, the last one on how many are left out."""
    if len(part) <= room:
        return part
    kept = max(room - 1, 0)
    return [*part[:kept], f"… {and_more(len(part) - kept)} {what}"][:room]
