"""Both programs in one: `kubectl-admin`, and `kubectl_complete-admin`, which is a link to it."""

import signal
import sys
from pathlib import Path


def main() -> None:
    """The console script: which program it is, its name says, or the word that scripts for kubectl use."""
    end_quietly()
    from kubectl_admin.verbs.completion import COMPLETER

    if sys.argv[1:2] == ["__complete"]:
        del sys.argv[1]
    elif Path(sys.argv[0]).stem != COMPLETER:
        from kubectl_admin import cli

        cli.main()
    from kubectl_admin import completion

    completion.main()


def end_quietly() -> None:
    """Has Ctrl-C end the process without a traceback while all else is still being imported."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
