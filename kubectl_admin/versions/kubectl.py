"""The kubectl of this machine: the one that a person types."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kubectl_admin.cluster.decode import decode_json
from kubectl_admin.control_plane.component import Component
from kubectl_admin.errors import AdminError
from kubectl_admin.versions.facts import Evidence, Instance
from kubectl_admin.versions.version import Version

ANSWER_TIMEOUT = 10.0  # seconds for kubectl's answer
Asked = Callable[[], Instance | None]


@contextmanager
def asked() -> Iterator[Asked]:
    """Asks the kubectl on PATH for its version while other work continues, for as long as the context lasts.

    The function that it gives waits for the answer: None where PATH has no kubectl. One that fails is an
    instance with a problem.
    """
    path = shutil.which("kubectl")
    if path is None:
        yield lambda: None
        return
    command = [path, "version", "--client", "--output=json"]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    except OSError as error:
        broken = failed(path, error)
        yield lambda: broken
        return
    with process:
        try:
            yield lambda: answer_of(process, path)
        finally:
            process.kill()


def answer_of(process: subprocess.Popen[bytes], path: str) -> Instance:
    """The running kubectl's answer."""
    try:
        answer, _ = process.communicate(timeout=ANSWER_TIMEOUT)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        version = Version.parse(decode_json(answer, "its answer")["clientVersion"]["gitVersion"])
    except (OSError, subprocess.SubprocessError, AdminError, ValueError, KeyError, TypeError) as error:
        return failed(path, error)
    return Instance(Component.KUBECTL, running=Evidence(version, "its version command"))


def failed(path: str, error: Exception) -> Instance:
    """A kubectl that does not report its version, and why."""
    return Instance(Component.KUBECTL, problem=f"{path} version --client failed: {error}")
