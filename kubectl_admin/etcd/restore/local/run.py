"""The script, run on this host by root: its answers, and its way through a restore."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.local.script import bare
from kubectl_admin.etcd.restore.local.settings import Settings
from kubectl_admin.etcd.restore.on_nodes.status import NodeState, state_of
from kubectl_admin.node.script import END
from kubectl_admin.node.workspace import STATE

LOG = f"{STATE}/restore/log"
ASKED = "kubectl-admin etcd-restore --local"  # in hints
LAST_WORDS = 5  # lines of it


@dataclass(frozen=True, slots=True)
class Told:
    """How a run of the script has ended. out, err: its words, "" where they went to the terminal."""

    code: int
    out: str = ""
    err: str = ""


Run = Callable[[Sequence[str], str, bool], Told]  # arguments, settings, whether its words are kept


def run(arguments: Sequence[str], given: str, quiet: bool) -> Told:
    """Runs the script here. quiet: its words are kept; else they are shown as they come, and Ctrl-C reaches
    it.
    """
    # Not in a variable: a shell's argument has a limit. The file may be gone once it was read.
    with tempfile.TemporaryDirectory(prefix="kubectl-admin-") as directory:
        path = Path(directory) / "restore"
        path.write_text(bare(), encoding="utf-8")
        words = ["/bin/sh", str(path), *arguments, "--asked", ASKED, *(["--settings"] if given else [])]
        kept = subprocess.PIPE if quiet else None
        return until_ended(words, given, kept)


def until_ended(words: Sequence[str], given: str, kept: int | None) -> Told:
    """Runs a command to its end, also where this process is interrupted meanwhile: then the command is told
    to end, and puts back what it has stopped. Killed, as subprocess.run does, it could not.
    """
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=kept,
        stderr=kept,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            out, err = process.communicate(given)
        except BaseException:
            process.terminate()
            while process.poll() is None:
                with suppress(KeyboardInterrupt):
                    process.communicate()
            raise
    return Told(process.returncode, out or "", err or "")


@dataclass(frozen=True, slots=True)
class Here:
    """This host. run: as `run`."""

    run: Run = run

    def facts(self, etcdutl: Path | None) -> dict[str, str]:
        """What --look tells, by name; «-» is left out. Raises AdminError where a restore is refused here."""
        out = self._answer([*_etcdutl(etcdutl), "--look"], "")
        pairs = (line.partition(" ") for line in out.splitlines())
        return {name: value for name, _, value in pairs if value not in ("", "-")}

    def check(self, settings: Settings, snapshot: Path | None, words: Sequence[str]) -> None:
        """Raises AdminError for whatever this host refuses. words: further options of the script."""
        self._ended(self.run([*_snapshot(snapshot), *words, "--check"], _given(settings), True))

    def rehearse(self, settings: Settings, snapshot: Path | None, words: Sequence[str]) -> None:
        """Restores aside, and removes it again."""
        self._ended(self.run([*_snapshot(snapshot), *words, "--dry-run", "--yes"], _given(settings), True))

    def save(self, file: Path, etcdutl: Path | None) -> str:
        """This node's own data into a file: «saved» by etcd, or the «file» of an etcd that was ended for
        it.
        """
        for line in self._answer([*_etcdutl(etcdutl), "--save", str(file)], "").splitlines():
            if line.startswith("saved "):
                return line.removeprefix("saved ")
        raise AdminError("the host has not said how its data were saved")

    def restore(self, settings: Settings, snapshot: Path | None, words: Sequence[str]) -> None:
        """Restores and follows it, with its words shown. AdminError where this node is not restored."""
        told = self.run([*_snapshot(snapshot), *words, "--yes"], _given(settings), False)
        if told.code:
            raise AdminError(
                "this node is not restored (see above)",
                "how far it is: kubectl-admin etcd-restore --status --local",
            )

    def status(self) -> NodeState:
        """How far a restore is here."""
        out = self._answer(["--status"], "")
        name = next((line.removeprefix("node ") for line in out.splitlines() if line.startswith("node ")), "")
        return state_of(name or os.uname().nodename, out)

    def _answer(self, arguments: Sequence[str], given: str) -> str:
        out = self._ended(self.run(arguments, given, True)).out
        if not out.endswith(END.decode()):
            raise AdminError(f"unexpected answer of the host: {out[:80]!r}")
        return out.removesuffix(END.decode())

    def _ended(self, told: Told) -> Told:
        if told.code:
            raise said(told.err)
        return told


def said(err: str) -> AdminError:
    """The script's refusal, as an error of this program."""
    lines = err.strip().splitlines() or ["the script on this host has failed"]
    at = next((at for at, line in enumerate(lines) if line.startswith("error: ")), None)
    if at is None:
        return AdminError(lines[-1])
    hint = lines[at + 1].strip() if lines[at + 1 : at + 2] and lines[at + 1].startswith("       ") else None
    return AdminError(lines[at].removeprefix("error: "), hint)


def last_words(path: str = LOG) -> list[str]:
    """The last lines of the worker's log here; none where there is none."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_WORDS:]
    except OSError:
        return []


@contextmanager
def room() -> Iterator[Path]:
    """A directory for this node's own data, for root alone, gone at the end."""
    Path(STATE).mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="local-", dir=STATE) as directory:
        yield Path(directory)


def _given(settings: Settings) -> str:
    return "".join(f"{line}\n" for line in settings.lines())


def _snapshot(file: Path | None) -> list[str]:
    # A name may begin with a dash.
    return [str(file.absolute())] if file else []


def _etcdutl(file: Path | None) -> list[str]:
    return ["--etcdutl", str(file.absolute())] if file else []
