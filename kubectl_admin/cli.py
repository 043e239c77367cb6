"""The program: global flags, verbs loaded when they run, and errors turned into exit codes.

Nothing is imported here that `--help` does not need.
"""

import gc
import importlib
import select
import signal
import sys
from enum import IntEnum
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

import click

from kubectl_admin.command import global_options, spelled_out
from kubectl_admin.environment import Environment
from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.verbs import VERBS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "kubectl admin"
ALLOCATIONS = 100_000  # objects made and not freed again, until garbage is looked for


class ExitCode(IntEnum):
    """What scripts can rely on."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    INTERRUPTED = 130  # 128 + SIGINT, as shells say
    HUNG_UP = 129  # 128 + SIGHUP
    TERMINATED = 143  # 128 + SIGTERM


class Terminated(BaseException):
    """SIGTERM or SIGHUP (the terminal is gone), raised where the program stands: every `finally` runs."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class Program(click.Group):
    """The group of verbs: lists them without loading any."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"kubectl_admin.verbs.{cmd_name}".replace("-", "_"))
        return cast(click.Command, module.command)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list["CompletionItem"]:
        from click.shell_completion import CompletionItem

        verbs = [
            CompletionItem(verb, help=line) for verb, line in VERBS.items() if verb.startswith(incomplete)
        ]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spelled_out(args, self.get_params(ctx)))


@click.pass_context
def _start(ctx: click.Context, /) -> None:
    """Day-2 work on kubeadm clusters from a kubeconfig alone.

    No SSH, no agent, no image to pull: everything goes through the Kubernetes API.

    \b
    Exit codes: 0 fine, 1 failed, 2 wrong usage, 3 findings, 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


program = Program(
    "admin",
    callback=_start,
    help=_start.__doc__,
    params=global_options(hidden=False),
    invoke_without_command=True,
    options_metavar="[GLOBAL OPTIONS]",
    subcommand_metavar="VERB [OPTIONS]",
    epilog='"kubectl admin VERB --help" explains a verb.',
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> NoReturn:
    """The console script."""
    # Nearly all that a run makes it keeps: looking for garbage at Python's own pace is a tenth of its time.
    gc.set_threshold(ALLOCATIONS)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _terminate)
    code = run(sys.argv[1:], Environment.of_process())
    gc.freeze()  # or the interpreter looks through everything once more before it ends
    sys.exit(code)


def run(args: list[str], environment: Environment) -> int:
    """Runs one command line in the environment and returns its exit code; nothing escapes as a traceback."""
    try:
        with program.make_context(PROGRAM, list(args), obj=environment) as context:
            result = program.invoke(context)
        environment.stdout.flush()
        return ExitCode.FINDINGS if getattr(result, "violated", False) else ExitCode.FINE
    except click.exceptions.Exit as end:  # after --help
        return end.exit_code
    except (Exception, KeyboardInterrupt, Terminated) as error:  # noqa: BLE001 - the one place that ends them
        if isinstance(error, BrokenPipeError) and reader_is_gone(environment.stdout):
            # The reader has seen enough (`| head`). What is still buffered must not fail again at exit.
            sys.stdout = None
            return ExitCode.FINE
        if isinstance(error, KeyboardInterrupt) and environment.stderr.isatty():
            environment.stderr.write("\n")  # the terminal has shown ^C
        what, hint, code = words_of(error)
        say(environment, what, hint)
        return code


def reader_is_gone(stream: TextIO) -> bool:
    """Whether the stream is a pipe that nobody reads; a connection breaks likewise, and is a failure."""
    poll = select.poll()
    poll.register(stream, 0)  # errors are reported unasked
    return bool(poll.poll(0))


def words_of(error: BaseException) -> tuple[str, str | None, ExitCode]:
    """What is said of an error: what happened, what to do next, and the exit code."""
    match error:
        case AdminError():
            code = ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAILED
            return error.what, error.hint, code
        case click.ClickException():
            context = getattr(error, "ctx", None)
            hint = f'see "{context.command_path} --help"' if context else None
            return error.format_message(), hint, ExitCode(error.exit_code)
        case KeyboardInterrupt() | click.Abort():
            return "interrupted", None, ExitCode.INTERRUPTED
        case Terminated():
            return "terminated", None, ExitCode(128 + error.number)
        case _:
            hint = "this is a bug in kubectl-admin; run it again with -vv and report what it prints"
            return f"internal error: {type(error).__name__}: {error}", hint, ExitCode.FAILED


def say(environment: Environment, what: str, hint: str | None) -> None:
    """Prints an error as kubectl does, in one line, what to do next below it; the traceback only with -vv."""
    from kubectl_admin.report.terminal import printable

    if environment.verbosity > 1:
        import traceback

        for line in traceback.format_exc().splitlines():
            environment.stderr.write(f"{printable(line)}\n")
    environment.stderr.write(f"error: {printable(what)}\n")
    if hint:
        environment.stderr.write(f"       {printable(hint)}\n")


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated(number)
