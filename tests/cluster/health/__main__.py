"""`python -m tests.cluster.health LAB [PART…]`: the matrix on a lab of 3+1 that is up, or the cases so named.

Prints a row a case as it goes, in Markdown, as docs/lab.md has them. Exit code 1: one has failed.
"""

import sys
import time

from tests.cluster import labs
from tests.cluster.health.cases import CASES
from tests.cluster.health.trial import Tried, try_out, wait_until_calm
from tests.lab.nodes import lab as all_labs


def main(name: str, parts: list[str]) -> int:
    """Tries the cases whose names have one of the parts, or all."""
    lab = all_labs.get(name)
    labs.wait_until_whole(lab)
    failed = 0
    print("| broken | named | cell | seconds | besides | |\n|---|---|---|---|---|---|", flush=True)
    for case in CASES:
        if parts and not any(part in case.name for part in parts):
            continue
        began = time.monotonic()
        tried = try_out(lab, case)
        faults = list(tried.faults)
        failed += bool(faults)
        print(row(tried, faults), flush=True)
        for look in tried.seen:
            told = [
                f"{one['severity']} {one['rule']} {one['subject']}: {one['evidence']}" for one in look.serious
            ]
            cell = look.states.get(tried.node, {}).get(case.component, "")
            print(
                f"  after {look.after:.0f} s, took {look.took:.1f} s: {cell} {told} {look.words}",
                file=sys.stderr,
            )
        labs.wait_until_whole(lab)
        wait_until_calm(lab)
        print(f"  {case.name}: {time.monotonic() - began:.0f} s with mending", file=sys.stderr, flush=True)
    return 1 if failed else 0


def row(tried: Tried, faults: list[str]) -> str:
    """A case as a row of a table."""
    case = tried.case
    named = f"`{tried.named['rule']}` ({case.severity}) on {tried.node}" if tried.named else "nothing"
    seconds = f"{tried.last.after + tried.last.took:.0f}"
    cell = f"{case.component}: {tried.state}" if case.component else ""
    followed = ", ".join(f"`{rule}`" for rule in tried.followed)
    return f"| {case.name} | {named} | {cell} | {seconds} | {followed} | {'; '.join(faults) or 'ok'} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
