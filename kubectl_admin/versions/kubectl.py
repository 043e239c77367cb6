"""Which kubectl this machine has: the one that a person types."""

import json
import shutil
import subprocess

from kubectl_admin.versions.facts import Component, Evidence, Instance
from kubectl_admin.versions.version import Version

TIMEOUT = 10.0  # seconds


def find() -> Instance | None:
    """The kubectl on PATH with its version; None where there is none. One that fails has a problem."""
    path = shutil.which("kubectl")
    if not path:
        return None
    try:
        answer = subprocess.run(
            [path, "version", "--client", "--output=json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=True,
        )
        version = Version.parse(json.loads(answer.stdout)["clientVersion"]["gitVersion"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        return Instance(Component.KUBECTL, problem=f"{path} version --client failed: {error}")
    return Instance(Component.KUBECTL, running=Evidence(version, "its version command"))
