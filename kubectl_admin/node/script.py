"""Scripts (POSIX sh) that run on a node's host. Each is in the scripts/ of the room that parses its answer.

    SURVEY = Script("certificates", "certs-survey")  # kubectl_admin/certificates/scripts/certs-survey.sh

Their data are arguments, never formatted into their text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

# «. ./OTHER.sh», or «. ../../ROOM/scripts/OTHER.sh» for one that several rooms share.
INCLUDE = re.compile(r"^\. (?:\.|\.\./\.\./([a-z_]+)/scripts)/([a-z-]+)\.sh$", re.MULTILINE)
END = b"\n# end\n"  # the last line of every script's answer: without it, something is missing


@dataclass(frozen=True, slots=True)
class Script:
    """One script. room: its package below kubectl_admin. name: its file's, without «.sh»."""

    room: str
    name: str

    def text(self) -> str:
        """Its text, with the text of another script where a line includes that."""
        script = files("kubectl_admin").joinpath(self.room, "scripts", f"{self.name}.sh")
        return INCLUDE.sub(
            lambda line: Script(line[1] or self.room, line[2]).text(), script.read_text(encoding="utf-8")
        )

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command that runs it with these arguments."""
        return ["/bin/sh", "-c", self.text(), f"kubectl-admin-{self.name}", *arguments]
