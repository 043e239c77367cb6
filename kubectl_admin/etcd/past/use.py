"""How an opened snapshot is used: by a command, a shell, or whoever takes its kubeconfig."""

import shlex
from collections.abc import Callable, Mapping, Sequence

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past import command
from kubectl_admin.etcd.past.opened import Opened
from kubectl_admin.report import Report

WATCH_INTERVAL = 1.0  # seconds between two looks whether it is still open
SHELL = "this shell sees the cluster as it was; it can change nothing; exit ends it"
STAYS = "open until Ctrl-C"


def use(
    opened: Opened,
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    shell: bool,
    write: Callable[[str], None],
    say: Callable[[str], None],
) -> int:
    """The exit code, once the snapshot is not needed any more.

    argv: a command. shell: the user's shell instead. With neither, the line that a shell takes is written,
    and Ctrl-C is the end. Raises AdminError where it does not stay open.
    """
    if shell:
        argv, environ = command.shell(environ, opened.past, opened.kubeconfig)
        say(SHELL)
    if argv:
        return command.run(argv, environ, opened.kubeconfig, saying_once(opened.check, say))
    for name, value in command.variables(opened.kubeconfig).items():
        write(f"export {name}={shlex.quote(value)}\n")
    say(STAYS)
    try:
        while True:
            opened.check()
            opened.cluster.clock.sleep(WATCH_INTERVAL)
    except KeyboardInterrupt:
        return 0


def saying_once(check: Callable[[], None], say: Callable[[str], None]) -> Callable[[], None]:
    """Says that the snapshot is not open any more, to whoever only sees connections that are refused."""
    said = False

    def look() -> None:
        nonlocal said
        if not said:
            try:
                check()
            except AdminError as error:
                said = True
                say(f"the snapshot is not open any more: {error.what}")

    return look


def report(opened: Opened) -> Report:
    """What is to be known about an opened snapshot."""
    return Report(kind="EtcdOpen", items=lambda: (), names=lambda: (), findings=opened.findings)
