"""The program: global flags, verbs loaded when they run, and errors turned into exit codes.

Nothing is imported here that `--help` does not need.
"""

import gc
import importlib
import sys
import warnings
from enum import IntEnum
from typing import TYPE_CHECKING, NoReturn, cast

import click

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.failure import sentence
from kubectl_admin.frame.verb import global_options, spelled_out
from kubectl_admin.signals import Terminated, install
from kubectl_admin.streams import ReaderGone
from kubectl_admin.verbs import GROUPS, VERBS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "kubectl admin"
ALLOCATIONS = 100_000  # objects made and not freed again, until garbage is looked for


class ExitCode(IntEnum):
    """Stable, for scripts."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    FINDINGS = 3
    INTERRUPTED = 130  # 128 + SIGINT, as shells say
    HUNG_UP = 129  # 128 + SIGHUP
    QUIT = 131  # 128 + SIGQUIT
    TERMINATED = 143  # 128 + SIGTERM


class Program(click.Group):
    """The group of verbs: lists them without loading any."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"kubectl_admin.verbs.{cmd_name}".replace("-", "_"))
        return cast(click.Command, module.command)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        # For the shell to offer: help shows the verbs.
        return [*super().get_params(ctx), *global_options(hidden=not ctx.resilient_parsing)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, VERBS))
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{verb:{width}}", line) for verb, line in verbs.items()])

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
        ctx.ensure_object(Environment).write(f"{ctx.get_help()}\n")


program = Program(
    "admin",
    callback=_start,
    help=_start.__doc__,
    invoke_without_command=True,
    options_metavar="[GLOBAL OPTIONS]",
    subcommand_metavar="VERB [OPTIONS]",
    epilog='"kubectl admin VERB --help" explains a verb, "kubectl admin options" lists the global options.',
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> NoReturn:
    """The console script."""
    # Nearly all that a run makes it keeps: looking for garbage at Python's own pace is a tenth of its time.
    gc.set_threshold(ALLOCATIONS)
    silence_warnings()
    install()
    code = run(sys.argv[1:], Environment.of_process())
    sys.stdout = None  # an unwritten rest must not fail again at exit, with a code of Python's own
    gc.freeze()  # or the interpreter looks through everything once more before it ends
    sys.exit(code)


def silence_warnings() -> None:
    """Keeps libraries' words to programmers off the terminal of a user.

    A certificate with an odd name or serial number is the cluster's, and no news. Python's -W and
    PYTHONWARNINGS still count.
    """
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def run(args: list[str], environment: Environment) -> int:
    """Runs one command line in the environment and returns its exit code; nothing escapes as a traceback."""
    try:
        with program.make_context(PROGRAM, list(args), obj=environment) as context:
            result = program.invoke(context)
        environment.write("")  # what a verb has written and not flushed
        return ExitCode.FINDINGS if getattr(result, "failed", False) else ExitCode.FINE
    except click.exceptions.Exit as end:  # after --help
        return end.exit_code
    except ReaderGone:  # of help, or of what a command on a node has written
        return ExitCode.FINE
    except (Exception, KeyboardInterrupt, Terminated) as error:  # noqa: BLE001 - the one place that ends them
        if isinstance(error, KeyboardInterrupt) and environment.stderr.isatty():
            environment.stderr.write("\n")  # the terminal has shown ^C
        what, hint, code = words_of(error)
        say(environment, what, hint)
        return code


def words_of(error: BaseException) -> tuple[str, str | None, ExitCode]:
    """An error in words: what happened, what to do next, and the exit code."""
    match error:
        case AdminError():
            code = ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAILED
            return sentence(error), error.hint, code
        case click.ClickException():
            context = getattr(error, "ctx", None)
            hint = f'see "{context.command_path} --help"' if context else None
            return error.format_message(), hint, ExitCode(error.exit_code)
        case KeyboardInterrupt() | click.Abort():
            return sentence(error), None, ExitCode.INTERRUPTED
        case Terminated():
            return sentence(error), None, ExitCode(128 + error.number)
        case _:
            hint = "this is a bug in kubectl-admin; run it again with -vv and report what it prints"
            return sentence(error), hint, ExitCode.FAILED


def say(environment: Environment, what: str, hint: str | None) -> None:
    """Prints an error as kubectl does, in one line, what to do next below it; the traceback only with -vv."""
    from kubectl_admin.report.pages import located
    from kubectl_admin.report.text import printable

    if environment.verbosity > 1:
        import traceback

        for line in traceback.format_exc().splitlines():
            environment.stderr.write(f"{printable(line)}\n")
    environment.stderr.write(f"error: {printable(located(what))}\n")
    if hint:
        environment.stderr.write(f"       {printable(located(hint))}\n")
