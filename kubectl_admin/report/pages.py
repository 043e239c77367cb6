"""Pages of the documentation that messages name, «docs/certs.md», by their path on this machine.

The archive for Krew has them beside the program, and pip puts them below its prefix (setup.cfg, data_files).
In a clone they are where the message says.
"""

import re
import sys
from pathlib import Path

NAMED = re.compile(r"\bdocs/[a-z-]+\.md\b")


def located(text: str, home: Path | None = None) -> str:
    """The text with the whole path of each page that is on this machine. home: as `directory` has it."""
    if not NAMED.search(text):
        return text
    home = home or directory()

    def path(match: re.Match[str]) -> str:
        page = home / match[0] if home else None
        return str(page) if page and page.is_file() else match[0]

    return NAMED.sub(path, text)


def directory() -> Path | None:
    """Where the directory docs was installed; None in a clone."""
    bundled = getattr(sys, "_MEIPASS", None)  # PyInstaller's; the program is one directory above
    home = Path(bundled).parent if bundled else Path(sys.prefix) / "share/kubectl-admin"
    return home if (home / "docs").is_dir() else None
