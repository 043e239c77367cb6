"""The program with one more verb, `act`, which does what a test asks for.

`python -m tests.fakes.program act WHAT` is that program as a process of its own.
"""

import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from kubectl_admin import __main__
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.finding import Finding, Severity
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Cell, Column, Mark, Report, Table
from kubectl_admin.verbs import VERBS

# What somebody who may name things could put into them: colour, a cleared screen, an eight-bit escape,
# text that runs backwards, a character without width, a forged second line.
NASTY = "w1\x1b[31m\x1b[2J\x9b1A\u202etxt\u200b\nerror: forged\r"
HARMLESS = r"w1\x1b[31m\x1b[2J\x9b1A\u202etxt\u200b\nerror: forged\r"


FLOOD = 5_000  # rows; more than any pipe holds


def report(severity: Severity = Severity.NOTE, rows: int = 1) -> Report:
    """A report with text of both kinds in every place that shows text."""
    return Report(
        kind="Act",
        items=lambda: [{"name": NASTY, "version": "1.30"}],
        names=lambda: [f"node/{NASTY}"],
        tables=[
            Table(
                [Column("NAME"), Column("VERSION"), Column("KERNEL", wide=True)],
                [[NASTY, Cell("1.30", Mark.BAD), "6.1"]] * rows,
            )
        ],
        paragraphs=["first line\nsecond \x1b[1mline"],
        findings=[
            Finding(
                severity, "a-rule", NASTY, NASTY, NASTY, fix=NASTY, source=NASTY, objects=(f"node/{NASTY}",)
            )
        ],
    )


@click.command("act", cls=Verb)
@click.argument("what")
@click.option("--node", metavar="NAME", shell_complete=candidates.nodes, help="Any node.")
@click.option("--careful/--careless", default=None, help="How to act.")
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(env: Environment, what: str, node: str | None, careful: bool | None) -> Report | None:
    """Does what a test asks for.

    \b
    Examples:
      # The only one
      kubectl admin act fine
    """
    if what == "flags":
        env.stdout.write(f"{env.flags} {env.verbosity} {node} {careful}\n")
        return None
    return ACTS[what](env)


def refuse(_env: Environment) -> None:
    raise AdminError(f"node {NASTY}: refused", f"ask {NASTY}")


def misuse(_env: Environment) -> None:
    raise UsageError("no such node: w9")


def fail(_env: Environment) -> None:
    raise KeyError("w1")


def lose(_env: Environment) -> None:
    near, far = socket.socketpair()
    with near:
        far.close()
        near.sendall(b"x")


def interrupt(_env: Environment) -> None:
    raise KeyboardInterrupt


def wait_for_a_signal() -> None:
    """Waits for ever. One that comes before the waiting has begun would not end `signal.pause`."""
    while True:
        time.sleep(0.05)


def wait(env: Environment) -> None:
    try:
        env.stdout.write("ready\n")
        env.stdout.flush()
        wait_for_a_signal()
    finally:
        env.stderr.write("cleaned up\n")


def speak(env: Environment) -> Report:
    """Work that says what it does, in all the ways that there are, until it is done."""
    with env.live() as live, env.moving("moving") as moving:
        live.line("at work")
        env.stdin.readline()
        for step in range(1, 100):
            live.line("still at work" * 100)
            env.note("and now this" * 100)
            moving(step, 100)
    Path(env.environ["DONE"]).write_text("done", encoding="utf-8")
    return shown(env, report(Severity.VIOLATION))


def open_file(env: Environment) -> None:
    with Path(env.environ["DONE"]).open("w", encoding="utf-8") as file:
        file.write(str(file.fileno()))


def progress(env: Environment) -> None:
    with env.progress("asking") as progress:
        progress.step(2)
        progress.step(2)
    env.stderr.write("done\n")


def shown(env: Environment, answer: Report) -> Report:
    env.show(answer)
    return answer


ACTS: dict[str, Callable[[Environment], Report | None]] = {
    "fine": lambda _env: None,
    "refuse": refuse,
    "misuse": misuse,
    "fail": fail,
    "lose": lose,
    "interrupt": interrupt,
    "wait": wait,
    "speak": speak,
    "open": open_file,
    "ask": lambda env: env.confirm("go on", yes=False),
    "progress": progress,
    "écrire": lambda env: env.stdout.write("écrire\n") and None,
    "show": lambda env: shown(env, report(Severity.WARNING)),
    "violate": lambda env: shown(env, report(Severity.VIOLATION)),
    "flood": lambda env: shown(env, report(rows=FLOOD)),
    "flood_and_violate": lambda env: shown(env, report(Severity.VIOLATION, rows=FLOOD)),
}


def register() -> None:
    """Makes `act` a verb of the program."""
    VERBS["act"] = "Do what a test asks for."
    sys.modules["kubectl_admin.verbs.act"] = sys.modules[__name__]


if __name__ == "__main__":
    register()
    __main__.main()
