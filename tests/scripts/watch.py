"""Who could read what: the arguments and environments of all programs that a script starts.

Every user of a host reads the arguments of all its processes, and audit logs keep them for good.
"""

import base64
import os
from dataclasses import dataclass, replace
from pathlib import Path

from tests.fakes.host import Shell

WRAPPER = """#!/bin/sh
{{ printf '%s\\n' "${{0##*/}}" "$@"; /bin/cat "/proc/$$/environ"; }} >> "{seen}/$$"
exec "{real}/${{0##*/}}" "$@"
"""


@dataclass(frozen=True)
class Watch:
    """A shell, all of whose programs write down what they were started with. folder: where."""

    shell: Shell
    folder: Path

    def forget(self, program: str) -> None:
        """There is no such program any more."""
        (Path(self.shell.path) / program).unlink(missing_ok=True)

    def seen(self) -> bytes:
        """What any user could have read until now."""
        return b"".join(path.read_bytes() for path in self.folder.iterdir())


def watched(shell: Shell, folder: Path) -> Watch:
    """The shell under watch; none of its programs is found but through what writes down how it is called."""
    real, outside, seen = (folder / name for name in ("real", "outside", "seen"))
    for path in (real, outside, seen):
        path.mkdir()
    wrapper = folder / "wrapper"
    wrapper.write_text(WRAPPER.format(seen=seen, real=real))
    wrapper.chmod(0o755)
    for programs in map(Path, shell.path.split(":")):
        for program in programs.iterdir() if programs.is_dir() else ():
            if not (real / program.name).is_symlink() and os.access(program, os.X_OK):
                (real / program.name).symlink_to(program)
                (outside / program.name).symlink_to(wrapper)
    return Watch(replace(shell, path=str(outside)), seen)


def forms(secret: str) -> list[bytes]:
    """How a secret would look in an argument: as it is, and within what is base64, wherever that begins."""
    raw = secret.encode()
    within = [base64.b64encode(raw[shift : len(raw) - (len(raw) - shift) % 3]) for shift in range(3)]
    return [raw, *within]
