"""`python -m tests.cluster.restore LAB [PART…] [--seed N]`: restores on a lab of 3+1 that is up, each broken.

All cases, or those with one of the parts in their titles. Prints a row a case as it goes, in Markdown; with
--record FILE also into the table of that page. Exit code 1: one has failed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.restore import objects, table
from tests.cluster.restore.cases import CASES, Case
from tests.cluster.restore.trial import Tried, clear, try_out
from tests.lab.errors import LabError
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab

FAILURES = (AssertionError, LabError, OSError, subprocess.SubprocessError)


def main() -> int:
    """Tries the cases."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.restore")
    parser.add_argument("lab")
    parser.add_argument("parts", nargs="*", metavar="PART", help="only cases with this in their titles")
    parser.add_argument("--seed", type=int, default=0, help="of what is done at random")
    parser.add_argument("--record", type=Path, metavar="FILE", help="the page whose table gets the rows")
    options = parser.parse_intermixed_args()
    cases = [one for one in CASES if not options.parts or any(part in one.title for part in options.parts)]
    return 1 if try_all(all_labs.get(options.lab), cases, options.seed, options.record) else 0


def try_all(lab: Lab, cases: Iterable[Case], seed: int, page: Path | None) -> int:
    """How many of the cases have failed."""
    failed = 0
    print(table.HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        clear(lab)
        objects.remove(lab)
        for case in cases:
            began = time.monotonic()
            try:
                clear(lab)
                tried = try_out(lab, case, Path(folder, "snapshot.db"), seed)
            except FAILURES as error:
                failed += 1
                line = table.row(case, "", "not seen", "", "", "", error)
            else:
                failed += bool(tried.faults)
                line = row(tried)
                sys.stderr.write(tried.said)
            print(line, flush=True)
            if page:
                text = page.read_text(encoding="utf-8")
                page.write_text(table.merged(text, {table.key(line): line}), encoding="utf-8")
            print(f"  {case.title}: {time.monotonic() - began:.0f} s in all", file=sys.stderr, flush=True)
        objects.remove(lab)
    return failed


def row(tried: Tried) -> str:
    """A case as a row of the table."""
    then = "" if tried.last == tried.case.at else tried.last
    passed = "; ".join(tried.faults) or "ok"
    return table.row(*(tried.case, then, tried.end, tried.seconds, tried.after, tried.without_api, passed))


if __name__ == "__main__":
    sys.exit(main())
