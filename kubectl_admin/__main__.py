"""Both programs in one: `kubectl-admin`, and `kubectl_complete-admin`, which is a link to it."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # While all else is being imported, Ctrl-C ends the process without a word, as it ends other tools.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import sys
from pathlib import Path

from kubectl_admin.verbs.completion import COMPLETER


def main() -> None:
    """The console script: which program it is, its name says, or the word that scripts for kubectl use."""
    if sys.argv[1:2] == ["__complete"]:
        del sys.argv[1]
    elif Path(sys.argv[0]).stem != COMPLETER:
        from kubectl_admin import cli

        cli.main()
    from kubectl_admin import completion

    completion.main()


if __name__ == "__main__":
    main()
