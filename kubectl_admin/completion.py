"""The program `kubectl_complete-admin`, which kubectl runs to complete a command line of `kubectl admin`.

It is given the words typed so far, the last one unfinished or empty, and answers a candidate a line,
`VALUE<TAB>DESCRIPTION`, and a last line that says whether file names may stand there. Whatever goes wrong,
it answers nothing and stays silent: an error in the middle of somebody's typing helps nobody.

Source: kubernetes/kubectl pkg/cmd/plugin_completion.go; the directives are cobra's (completions.go).
"""

import os
import sys
import threading
from typing import TYPE_CHECKING

from kubectl_admin.cli import PROGRAM, program
from kubectl_admin.frame.environment import Environment

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PATIENCE = 2.0  # seconds; who presses TAB does not wait longer for the names of nodes
NO_FILES = ":4"
FILES = ":0"


def main() -> None:
    """The console script: completes the command line in `sys.argv`."""
    # For good, since an exec credential plugin or a thread that is left behind must be as silent as we are.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stderr__.fileno() if sys.__stderr__ else 2)
    lines = [NO_FILES]  # all that is known before the answer

    def answer() -> None:
        lines[:] = candidates(sys.argv[1:], Environment.of_process())

    asking = threading.Thread(target=answer, daemon=True)
    asking.start()
    asking.join(PATIENCE)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def candidates(args: list[str], environment: Environment) -> list[str]:
    """The lines to answer for these words, of which the last is unfinished; raises whatever goes wrong."""
    from click.shell_completion import ShellComplete

    *typed, last = args or [""]
    found = ShellComplete(program, {"obj": environment}, PROGRAM, "").get_completions(typed, last)
    lines = [line(item) for item in found if item.type == "plain" and item.value.isprintable()]
    return [*lines, FILES if any(item.type != "plain" for item in found) else NO_FILES]


def line(item: "CompletionItem") -> str:
    """A candidate and its description, which must be one line without further tabs."""
    about = " ".join(word for word in str(item.help or "").split() if word.isprintable())
    return f"{item.value}\t{about}" if about else str(item.value)
