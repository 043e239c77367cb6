"""The checks behind an answer of a component on its health, by their names. Pure.

Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/server/healthz/healthz.go: «[+]ping ok»,
«[-]etcd failed: reason withheld»; etcd server/etcdserver/api/etcdhttp/health.go has the same form, with
reasons.
"""

import json
import re
from collections.abc import Mapping

from kubectl_admin.control_plane.component import Component
from kubectl_admin.health.facts import NoReply, Process, Reply

# The questions whose answer is the component's word on its own health; others tell why, or something else.
HEALTH_PATHS = ("/livez", "/readyz", "/healthz", "/health")

FAILED = re.compile(r"^\[-\](\S+) failed(?:: (.*))?$", re.MULTILINE)
WITHHELD = "reason withheld"


def health_replies(process: Process) -> Mapping[str, Reply | NoReply]:
    """A component's answers on its health, by path.

    Paths that its version does not have (404) are left out where another one is answered: etcd before 3.5.11
    has only /health, a scheduler before 1.31 only /healthz.
    """
    asked = {bare: reply for path, reply in process.replies.items() if (bare := _bare(path)) in HEALTH_PATHS}
    there = {path: reply for path, reply in asked.items() if not _is_unknown(reply)}
    return there or asked


def failed_checks(process: Process, path: str) -> dict[str, str]:
    """The checks that failed behind an answer, with their reasons: «etcd»: "" where none is known.

    A reason that the list withholds is taken from the answer on the check itself («/readyz/etcd»).
    """
    reply = next((one for asked, one in process.replies.items() if _bare(asked) == path), None)
    if not isinstance(reply, Reply) or reply.is_fine:
        return {}
    return {
        name: _reason(process, path, name) if said in ("", WITHHELD) else said
        for name, said in FAILED.findall(reply.text)
    }


def _reason(process: Process, path: str, name: str) -> str:
    alone = process.replies.get(f"{path}/{name}")
    if not isinstance(alone, Reply) or alone.is_fine:
        return ""
    # «internal server error: etcd failed: error getting data from etcd: context deadline exceeded»
    text = " ".join(alone.text.split())
    return text.removeprefix("internal server error: ")


def words(process: Process, path: str) -> str:
    """An answer that is not fine, in one line: its failed checks, else its text in short."""
    failed = failed_checks(process, path)
    if failed:
        return "; ".join(f"{name}: {said}" if said else f"{name} failed" for name, said in failed.items())
    reply = health_replies(process).get(path)
    if not isinstance(reply, Reply):
        return ""
    text = plain(reply.text)
    return text if len(text) <= TEXT_SHOWN else f"{text[:TEXT_SHOWN]}…"


TEXT_SHOWN = 200  # characters of an answer that is not a list of checks


def plain(text: str) -> str:
    """An answer in one line; of a Status of the API only its message."""
    try:
        said = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        said = None
    message = said.get("message") if isinstance(said, dict) else None
    return " ".join((message if isinstance(message, str) and message else text).split())


def is_only_standby(process: Process, leads: bool) -> bool:
    """Whether a scheduler is not ready only since it does not lead: its caches are filled when it does.

    Source: kubernetes/kubernetes cmd/kube-scheduler/app/server.go, delayCacheUntilActive.
    """
    if process.component is not Component.SCHEDULER or leads:
        return False
    return set(failed_checks(process, "/readyz")) == {"sched-handler-sync"}


def _bare(path: str) -> str:
    return path.partition("?")[0]


def _is_unknown(reply: Reply | NoReply) -> bool:
    return isinstance(reply, Reply) and reply.status == 404
