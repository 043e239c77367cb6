"""The one script by which a node restores etcd by itself: printed, or run on this host. Pure.

It holds the texts of other scripts, as they are: what runs on a node is written once.
"""

from collections.abc import Iterator

from kubectl_admin.etcd.restore.local.settings import Settings
from kubectl_admin.etcd.restore.on_nodes import steps
from kubectl_admin.etcd.restore.on_nodes.arm import unit_of
from kubectl_admin.node.script import Script

MAIN = Script("etcd", "restore-local")
PARTS = ("survey", "aside", "arm", "remove", "state", "prune", "worker")
PATHS = "@PATHS@"  # in the unit's text, which the host replaces
HEAD = """\
#!/bin/sh
# Restores etcd on this control-plane node, by itself. Run it as root on each of: {names}
#   sh THIS-FILE{snapshot} [--check | --dry-run] [--yes] [--etcdutl FILE]
#   sh THIS-FILE --status | --prune
# Printed by kubectl-admin {version}; operation {id}, revisions raised by {bump}.
"""


def printed(settings: Settings, version: str) -> str:
    """The script to be carried to each node. version: of this program."""
    snapshot = "" if settings.digest == "own" else " SNAPSHOT"
    names = ", ".join(peer.name for peer in settings.members)
    head = HEAD.format(names=names, snapshot=snapshot, version=version, id=settings.id, bump=settings.bump)
    return head + _body("\n".join(settings.lines()))


def bare() -> str:
    """The script for this host, which is given its settings on stdin, if it needs any."""
    return "#!/bin/sh\n" + _body("")


def _body(settings: str) -> str:
    # Nothing is run before the last line: a copy that was cut off does nothing.
    return "".join(
        (
            "part() {\n  case $1 in\n",
            *_parts(),
            "  esac\n}\n",
            _function("settings", settings),
            MAIN.text(),
            'main "$@"\nexit\n',
        )
    )


def _parts() -> Iterator[str]:
    texts = {f"restore-{name}": Script("etcd", f"restore-{name}").text() for name in PARTS}
    texts |= {"restore-steps": steps.text(), "restore-unit": unit_of(PATHS)}
    for name, text in texts.items():
        yield f"    {name})\n{_document(name, text)}      ;;\n"


def _function(name: str, text: str) -> str:
    return f"{name}() {{\n{_document(name, text)}}}\n"


def _document(name: str, text: str) -> str:
    """A command that prints the text as it is."""
    end = f"END OF {name}"
    body = text if text.endswith("\n") or not text else f"{text}\n"
    return f"cat << '{end}'\n{body}{end}\n"
