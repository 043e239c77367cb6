"""The programs that open a snapshot: their versions, and how they have ended. Pure."""

import re
from collections.abc import Mapping

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.past.flags import APISERVER, ETCD, RESTORE
from kubectl_admin.etcd.past.judge import minor
from kubectl_admin.report.text import printable

NAMES = (RESTORE, ETCD, APISERVER)
# What asks each for its version, and how it answers.
ASKED = {RESTORE: "version", ETCD: "--version", APISERVER: "--version"}
VERSION = re.compile(r"(?:etcdutl version: |etcd Version: |Kubernetes v)(\d\S*)")
KILLED = 128 + 9  # the exit code of a program that was killed
LONGEST = 300  # characters of a program's words


def version(said: str) -> str:
    """The version in a program's answer, or ""."""
    found = VERSION.search(said)
    return found[1] if found else ""


def refuse_unable(versions: Mapping[str, str], where: str, hint: str) -> None:
    """Raises AdminError unless all three programs are there and fit. where: names the place."""
    lacking = [name for name in NAMES if not versions.get(name)]
    if lacking:
        raise AdminError(
            f"{where}: {', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not there", hint
        )
    if minor(versions[RESTORE]) != minor(versions[ETCD]):
        raise AdminError(
            f"{where}: etcdutl is {printable(versions[RESTORE])}, and etcd is {printable(versions[ETCD])}",
            hint,
        )


def refuse_ended(ended: Mapping[str, int], words: Mapping[str, str]) -> None:
    """Raises AdminError where a program has ended that should run. ended: exit codes. words: ends of logs.

    etcdutl ends well once the database is made.
    """
    for name, code in ended.items():
        if name == RESTORE and code == 0:
            continue
        if code == KILLED:
            raise AdminError(
                f"{name} was killed, as it is where it takes more memory than is there for it",
                "open the snapshot where there is more (--node, --local)",
            )
        lines = [line for line in words.get(name, "").splitlines() if line.strip()]
        said = next((line for line in reversed(lines) if not is_usage(line)), "it said nothing")
        raise AdminError(f"{name} has ended with exit code {code}: {printable(said.strip())[:LONGEST]}")


def is_usage(line: str) -> bool:
    """Whether a line of a program's last words is of no help."""
    return line.startswith(("goroutine", "\t", "Usage", "exit status"))
