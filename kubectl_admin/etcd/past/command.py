"""A command with an opened snapshot as its cluster: run to its end, or a shell that says so in its prompt."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from kubectl_admin.errors import AdminError, UsageError
from kubectl_admin.etcd.past.facts import Past
from kubectl_admin.signals import SIGNALS

UNSAFE = re.compile(r"[^A-Za-z0-9._ :+-]")
PROMPT = "KUBECTL_ADMIN_PAST"
KUBECONFIG = "KUBECTL_ADMIN_PAST_KUBECONFIG"  # the same as KUBECONFIG, which the user's files may set
CACHE = "KUBECACHEDIR"  # of kubectl, which knows a server by its address: another may have had the same port
LOOK_INTERVAL = 1.0  # seconds between two looks whether it is still open
KILLED = 128  # what a shell adds to the signal that has ended a command


def refuse_missing(argv: Sequence[str], environ: Mapping[str, str]) -> None:
    """Raises UsageError for a command that is not there: it is known before anything is opened."""
    if argv and shutil.which(argv[0], path=environ.get("PATH", os.defpath)) is None:
        raise UsageError(f"{argv[0]}: there is no such command")


def run(
    argv: Sequence[str],
    environ: Mapping[str, str],
    kubeconfig: Path,
    look: Callable[[], None] = lambda: None,
) -> int:
    """The exit code of the command; 128 and the signal's number for one that a signal has ended.

    look: called now and then while it runs. Signals to this process are the command's. Raises AdminError
    where it can't be started.
    """
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []  # those that come before it is known which process is the command's

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number in FROM_TERMINAL and is_in_foreground():
            return
        if process:
            process.send_signal(number)
        else:
            early.append(number)

    with handled(pass_on):
        try:
            process = subprocess.Popen(argv, env={**environ, **variables(kubeconfig)})
        except OSError as error:
            raise AdminError(f"{argv[0]} can't be run: {error.strerror}") from error
        for number in early:
            process.send_signal(number)
        while True:
            try:
                code = process.wait(LOOK_INTERVAL)
                break
            except subprocess.TimeoutExpired:
                look()
    return code if code >= 0 else KILLED - code


def variables(kubeconfig: Path) -> dict[str, str]:
    """The environment by which a client sees the snapshot. kubeconfig: the one of the opening."""
    return {"KUBECONFIG": str(kubeconfig), CACHE: str(kubeconfig.parent / "cache")}


# A terminal sends these to all processes in its foreground: the command has them already.
FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


def is_in_foreground() -> bool:
    """Whether a terminal's signals come to this process and those it has started."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def handled(handler: "signal.Handlers | object") -> Iterator[None]:
    """Inside, signals that end this process go to the handler instead; those that are ignored stay so."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, was in before.items():
            if was != signal.SIG_IGN:
                signal.signal(number, handler)  # type: ignore[arg-type]
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)


def title(past: Past) -> str:
    """The snapshot in a prompt: «past: snapshot.db, 2026-11-30 12:00Z», of harmless characters alone."""
    moment = f", {past.moment:%Y-%m-%d %H:%M}Z" if past.moment else ""
    return UNSAFE.sub("_", f"past: {past.path.name}") + moment


def shell(environ: Mapping[str, str], past: Past, kubeconfig: Path) -> tuple[list[str], dict[str, str]]:
    """The user's shell as a command, and the environment that makes it say so in its prompt.

    kubeconfig: the one of the opening; the files that the shell reads when it starts go beside it. A prompt
    that says «past» over a kubectl that asks the live cluster is the worst that can come of this: whatever
    the user's own files and programs set, KUBECONFIG stays that of the opening.
    """
    program = environ.get("SHELL") or "/bin/sh"
    name, directory = Path(program).name, kubeconfig.parent
    own = {**environ, PROMPT: title(past), **variables(kubeconfig), KUBECONFIG: str(kubeconfig)}
    pinned = f'KUBECONFIG="${KUBECONFIG}"; export KUBECONFIG; readonly KUBECONFIG\n'
    pinned += f'{CACHE}="${{{KUBECONFIG}%/*}}/cache"; export {CACHE}\n'
    if name == "bash":
        start = directory / "bashrc"
        start.write_text(
            f'[ ! -r ~/.bashrc ] || . ~/.bashrc\n{pinned}PS1="(${PROMPT}) ${{PS1-}}"\n', encoding="utf-8"
        )
        return [program, "--rcfile", str(start), "-i"], own
    if name == "zsh":
        (directory / ".zshrc").write_text(
            'ZDOTDIR=${KUBECTL_ADMIN_ZDOTDIR:-$HOME}\n[ ! -r "$ZDOTDIR/.zshrc" ] || . "$ZDOTDIR/.zshrc"\n'
            f'{pinned}PROMPT="(${PROMPT}) ${{PROMPT-}}"\n',
            encoding="utf-8",
        )
        return [program, "-i"], {
            **own,
            "ZDOTDIR": str(directory),
            "KUBECTL_ADMIN_ZDOTDIR": environ.get("ZDOTDIR", ""),
        }
    start = directory / "shrc"
    start.write_text(f'PS1="(${PROMPT}) $ "\n', encoding="utf-8")
    return ["/bin/sh", "-i"], {**own, "ENV": str(start)}
