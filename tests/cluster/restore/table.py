"""The table of all cases with their ends, as docs/lab.md has it; a run replaces the rows it has tried."""

from collections.abc import Mapping

from tests.cluster.restore.cases import CASES, Case

COLUMNS = ("broken", "at", "by then", "the end", "seconds", "after mending", "without API", "")
HEAD = f"| {' | '.join(COLUMNS[:-1])} | |\n|{'---|' * len(COLUMNS)}"
NOT_RUN = "not run"


def row(case: Case, *told: object) -> str:
    """A row. told: all columns but the first two, or fewer."""
    cells = [case.name, case.at, *(f"{one:.0f}" if isinstance(one, float) else str(one) for one in told)]
    cells += [""] * (len(COLUMNS) - len(cells))
    return "| " + " | ".join(" ".join(cell.replace("|", "/").split()) for cell in cells) + " |"


def key(line: str) -> tuple[str, ...]:
    """What a row is of: what was broken, and when."""
    return tuple(cell.strip() for cell in line.split("|")[1:3])


def merged(text: str, fresh: Mapping[tuple[str, ...], str]) -> str:
    """A page whose table has these rows instead of those that it had, and one for each case.

    fresh: rows by their keys. ValueError where the page has no such table.
    """
    before, head, after = text.partition(HEAD)
    if not head:
        raise ValueError("the page has no table of restores")
    lines = after.removeprefix("\n").splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))
    known = {key(line): line.rstrip("\n") for line in lines[:end]} | fresh
    rows = [known.get((case.name, case.at)) or row(case, "", NOT_RUN) for case in CASES]
    return "\n".join([before + head, *rows, "".join(lines[end:])])
