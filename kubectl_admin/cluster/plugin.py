"""Credentials from an exec plugin of the kubeconfig, as client-go runs them.

The kubernetes package continues as nobody if a plugin fails, drops a certificate that comes with a token and
takes stdout for stdin when it asks whether somebody is there, so plugins are run here.

Source: client-go plugin/pkg/client/auth/exec/exec.go; docs «client-go credential plugins».
"""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.decode import SHOWN, decode_object, is_text
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.cluster.limits import TooLong
from kubectl_admin.cluster.usable import interactive_mode
from kubectl_admin.errors import AdminError
from kubectl_admin.report.text import duration

KIND = "ExecCredential"
QUIET_TIMEOUT = 60.0  # seconds for a plugin that asks nobody anything
ANSWER_LIMIT = 1 << 20  # bytes
INTERACTIVE_TIMEOUT = 600.0  # seconds for one that may ask a person to log in
CLUSTER_FIELDS = (
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
)
OWN_EXTENSION = "client.authentication.k8s.io/exec"


@dataclass(frozen=True, slots=True)
class Credential:
    """A plugin's answer: a token, a certificate with its key (PEM), or both; None never expires."""

    token: str = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    expires: datetime | None

    @property
    def expired(self) -> bool:
        """Whether a new one is needed by now."""
        return self.expires is not None and datetime.now(UTC) > self.expires


def run(target: Target) -> Credential:
    """Runs the user's plugin and returns what it gives; its words on stderr go straight to the person.

    Raises AdminError if it can't be run, fails, or gives nothing that can be used.
    """
    plugin: Mapping[str, Any] = target.user["exec"]
    command = os.path.normpath(plugin["command"])
    interactive = is_interactive(plugin)
    given = {item["name"]: str(item.get("value", "")) for item in plugin.get("env") or ()}
    try:
        asked = json.dumps(request(target, interactive=interactive), default=str)
    except (TypeError, ValueError, RecursionError):
        raise failed(target, "an extension of the cluster can't be written as JSON") from None
    question = {"KUBERNETES_EXEC_INFO": asked}
    timeout = INTERACTIVE_TIMEOUT if interactive else QUIET_TIMEOUT
    try:
        code, answer = answer_of(
            [command, *map(str, plugin.get("args") or ())],
            os.environ | given | question,
            interactive=interactive,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise failed(target, f"executable {command} gave no credential within {duration(timeout)}") from None
    except TooLong:
        reason = f"executable {command} writes more than {ANSWER_LIMIT} bytes on stdout"
        raise failed(target, reason) from None
    except FileNotFoundError:
        raise failed(target, f"executable {command} not found", plugin.get("installHint")) from None
    except OSError as error:
        raise failed(target, f"{command}: {error.strerror}") from None
    if code:
        raise failed(
            target,
            f"executable {command} failed with exit code {code}",
            "its own message is above",
        )
    return credential(target, answer)


def answer_of(
    command: Sequence[str], environ: Mapping[str, str], *, interactive: bool, timeout: float
) -> tuple[int, bytes]:
    """A plugin's exit code and its words on stdout; whatever ends the waiting for it ends the plugin.

    One that asks nobody anything is in a session of its own: Ctrl-C is for this program, which may be asking
    for a credential to clean up with. timeout: seconds. Raises OSError where it can't be run, TimeoutExpired
    where it takes longer, TooLong where it writes more than ANSWER_LIMIT.
    """
    with subprocess.Popen(
        command,
        stdin=None if interactive else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environ,
        start_new_session=not interactive,
    ) as process:
        try:
            answer = read_output(process, timeout)
        except BaseException:
            if interactive:
                process.kill()
            else:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started
            # A process that it has started may have stdout open still, and is not waited for.
            if process.stdout:
                process.stdout.close()
            raise
        return process.returncode, answer


def read_output(process: subprocess.Popen[bytes], timeout: float) -> bytes:
    """Its words on stdout until it has ended; raises as `answer_of`."""
    if process.stdout is None:
        raise TypeError("stdout is not a pipe")
    end, answer = time.monotonic() + timeout, bytearray()
    waiting = select.poll()
    waiting.register(process.stdout)
    while True:
        left = end - time.monotonic()
        if left <= 0 or not waiting.poll(left * 1000):
            raise subprocess.TimeoutExpired(process.args, timeout)
        piece = os.read(process.stdout.fileno(), ANSWER_LIMIT)
        if not piece:
            break
        answer += piece
        if len(answer) > ANSWER_LIMIT:
            raise TooLong
    process.wait(max(end - time.monotonic(), 0.0))
    return bytes(answer)


def credential(target: Target, answer: bytes) -> Credential:
    """The credential in a plugin's answer; raises AdminError if there is none."""
    asked = target.user["exec"]["apiVersion"]
    try:
        document = decode_object(answer, "stdout")
    except AdminError:
        raise failed(target, "decoding stdout: it is not a JSON object") from None
    version, status = document.get("apiVersion"), document.get("status")
    if document.get("kind") != KIND or version != asked:
        raise failed(
            target, f"plugin is configured to use API version {asked}, it returned {str(version)[:SHOWN]}"
        )
    if not isinstance(status, dict):
        raise failed(target, "plugin didn't return a status field")
    token, certificate, key = (
        str(status.get(name) or "") for name in ("token", "clientCertificateData", "clientKeyData")
    )
    if not all(map(is_text, (token, certificate, key))):
        raise failed(target, "plugin returned something that is not text")
    if bool(certificate) != bool(key):
        raise failed(target, "plugin returned only certificate or key, not both")
    if not token and not certificate:
        raise failed(target, "plugin didn't return a token or cert/key pair")
    try:
        expires = status.get("expirationTimestamp")
        until = datetime.fromisoformat(expires) if expires else None
    except (TypeError, ValueError):
        until = datetime.min
    if until and not until.tzinfo:
        raise failed(target, "decoding stdout: its expirationTimestamp is not a time as in RFC 3339")
    return Credential(token, certificate, key, until)


def request(target: Target, *, interactive: bool) -> dict[str, Any]:
    """The question to the plugin."""
    plugin = target.user["exec"]
    spec: dict[str, Any] = {"interactive": interactive}
    if plugin.get("provideClusterInfo"):
        spec["cluster"] = cluster_info(target)
    return {"kind": KIND, "apiVersion": plugin["apiVersion"], "spec": spec}


def cluster_info(target: Target) -> dict[str, Any]:
    """The cluster as plugins that ask for it get to see it: its authority is data, never a file name."""
    cluster = target.cluster
    info = {name: cluster[name] for name in CLUSTER_FIELDS if name in cluster}
    if authority := cluster.get("certificate-authority"):
        info["certificate-authority-data"] = base64.b64encode(Path(authority).read_bytes()).decode()
    for extension in cluster.get("extensions") or ():
        if extension.get("name") == OWN_EXTENSION:
            info["config"] = extension.get("extension")
    return info


def is_interactive(plugin: Mapping[str, Any]) -> bool:
    """Whether the plugin gets our standard input; raises AdminError if it needs a terminal and has none."""
    asks = may_ask(plugin)
    if interactive_mode(plugin) == "Always" and not asks:
        raise AdminError(
            "getting credentials: exec plugin cannot support interactive mode: "
            "standard input is not a terminal",
            f"run it in a terminal: {plugin['command']} wants to ask you something",
        )
    return asks


def may_ask(plugin: Mapping[str, Any]) -> bool:
    """Whether the plugin may ask a person something: there is a terminal, and it is not to leave it alone."""
    return interactive_mode(plugin) != "Never" and sys.stdin is not None and sys.stdin.isatty()


def failed(target: Target, reason: str, hint: str | None = None) -> AdminError:
    """A plugin that gave no credential, which ends everything: nobody wants to go on as system:anonymous."""
    return AdminError(f'getting credentials of user "{target.user_name}": exec: {reason}', hint)
