"""A drain as a process of its own: one that goes on while a test changes things, or a whole one."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator

from tests.apiserver.drain.world import World
from tests.program import PROGRAM, Ended, environ, run, start

PATIENCE = 300.0  # seconds for what a drain says and does; it takes a few on an idle machine


@contextlib.contextmanager
def draining(
    world: World, *arguments: str, program: tuple[str, ...] = PROGRAM
) -> Iterator["subprocess.Popen[str]"]:
    """A drain of the node that goes on while a test changes things around it."""
    env = environ(KUBECONFIG=str(world.kubeconfig))
    words = ("drain", world.node, "--yes", "--ignore-daemonsets", *arguments)
    process = start(*words, program=program, env=env)
    watchdog = threading.Timer(PATIENCE, process.kill)  # what never comes is not waited for
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def until(process: "subprocess.Popen[str]", *words: str) -> list[str]:
    """Reads what the process tells until all of these have been said, in any order; fails at its end."""
    lines, missing = [], set(words)
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        missing = {each for each in missing if each not in line}
        if not missing:
            return lines
    raise AssertionError(f"{missing} was not said: {''.join(lines)}")


def ended(process: "subprocess.Popen[str]") -> Ended:
    """The rest of what it says, and how it ended."""
    out, err = process.communicate(timeout=PATIENCE)
    return Ended(process.returncode, out, err)


def finished(world: World, *arguments: str) -> Ended:
    """A whole drain."""
    env = environ(KUBECONFIG=str(world.kubeconfig))
    return run("drain", world.node, "--yes", "--ignore-daemonsets", *arguments, env=env)
