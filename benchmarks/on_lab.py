"""The lab of real nodes on which a benchmark runs, and what is run there."""

import argparse
import subprocess
from collections.abc import Sequence

from benchmarks.process import environment
from tests.lab.nodes import cluster
from tests.lab.nodes import lab as all_labs
from tests.lab.nodes.lab import Lab
from tests.program import PROGRAM

LIMIT = 900  # seconds for one command


def parser(description: str | None, control_planes: int) -> argparse.ArgumentParser:
    """The options of a benchmark: how often, and on which lab. description: its module's."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument(
        "--lab", help=f"One that is up, instead of a new one; control planes: {control_planes}."
    )
    made.set_defaults(control_planes=control_planes)
    return made


def lab_of(options: argparse.Namespace, name: str) -> Lab:
    """The lab that is named in the options, or one of that name, made for it."""
    if options.lab:
        return all_labs.get(options.lab)
    return cluster.up(name, control_planes=options.control_planes, workers=1, version="1.36")


def program(lab: Lab, *words: str) -> bytes:
    """What this program says on stdout."""
    return run(lab, [*PROGRAM, *words])


def run(lab: Lab, command: Sequence[str]) -> bytes:
    """What a command says on stdout; raises CalledProcessError where it fails."""
    done = subprocess.run(
        command,
        env=environment(lab.kubeconfig),
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=LIMIT,
    )
    return done.stdout
