"""kubectl's kubeconfig files: which ones count, their content, which one wins.

The kubernetes package takes the last file's current-context where kubectl takes the first one's, and reads 17
times as slowly, so they are read here. Nothing but PyYAML is imported: the shell completes names from this.

Source: client-go tools/clientcmd/loader.go.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubectl_admin.cluster.decode import yaml_loader
from kubectl_admin.errors import UsageError

Entry = Mapping[str, Any]

# Fields of an entry that name files, relative to the kubeconfig they stand in.
CLUSTER_FILES = ("certificate-authority",)
USER_FILES = ("client-certificate", "client-key", "tokenFile")


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """The merged files, each entry by its name."""

    current_context: str
    contexts: Mapping[str, Entry]
    clusters: Mapping[str, Entry]
    users: Mapping[str, Entry]


def read(flag: str | None, environ: Mapping[str, str]) -> Kubeconfig:
    """All files that count: the flag's alone, or each of $KUBECONFIG, or ~/.kube/config.

    The first file to name a context, cluster or user, or a current context, wins. Missing files are skipped
    unless the flag names them. Raises UsageError for a file that can't be read or is not a kubeconfig.
    """
    files = [loaded(path, required=bool(flag)) for path in paths(flag, environ)]
    by_name: dict[str, dict[str, Entry]] = {"contexts": {}, "clusters": {}, "users": {}}
    for file in reversed(files):
        for kind, entries in by_name.items():
            entries.update(file.get(kind, {}))
    current = (str(file["current-context"]) for file in files if file.get("current-context"))
    return Kubeconfig(next(current, ""), **by_name)


def paths(flag: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """The files to read, in the order in which they win."""
    if flag:
        yield Path(flag)
    elif listed := environ.get("KUBECONFIG"):
        yield from (Path(path) for path in dict.fromkeys(listed.split(os.pathsep)) if path)
    else:
        # A process may have neither $HOME nor a user that anybody knows, as in a container.
        with suppress(RuntimeError):
            home = environ.get("HOME") or Path.home()
            yield Path(home, ".kube", "config")


def loaded(path: Path, *, required: bool) -> dict[str, Any]:
    """One file's current-context and its entries by name, file names made absolute; {} for a missing file."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        if required:
            raise UsageError(f"stat {path}: no such file or directory") from None
        return {}
    except OSError as error:
        raise broken(path, f"open {path}: {str(error.strerror).lower()}") from None
    document = parsed(path, text)
    base = Path(os.path.abspath(path)).parent  # noqa: PTH100 - resolve() would follow links, kubectl does not
    return {
        "current-context": document.get("current-context"),
        "contexts": entries(path, document, "contexts", "context"),
        "clusters": {
            name: with_absolute_files(cluster, CLUSTER_FILES, base)
            for name, cluster in entries(path, document, "clusters", "cluster").items()
        },
        "users": {
            name: with_absolute_command(with_absolute_files(user, USER_FILES, base), base)
            for name, user in entries(path, document, "users", "user").items()
        },
    }


def parsed(path: Path, text: bytes) -> Entry:
    """The file's document; an empty file is an empty kubeconfig."""
    import yaml

    try:
        # JSON first: it may be indented with tabs, which YAML forbids.
        json_like = text.lstrip().startswith(b"{")
        document = json.loads(text) if json_like else first_document(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise broken(path, " ".join(str(error).split())) from None
    if not isinstance(document or {}, dict):
        raise broken(path, "it is not a kubeconfig")
    return document or {}


def first_document(text: bytes) -> Any:
    """The first of a file's YAML documents; as in kubectl, the others are not looked at."""
    import yaml

    return next(yaml.load_all(text, yaml_loader()), None)


def entries(path: Path, document: Entry, kind: str, key: str) -> dict[str, dict[str, Any]]:
    """One list of the file as a mapping by name, empty fields left out."""
    found: dict[str, dict[str, Any]] = {}
    listed = document.get(kind) or []
    if not isinstance(listed, list):
        raise broken(path, f"{kind} is not a list")
    for item in listed:
        body = (item.get(key) or {}) if isinstance(item, dict) else None
        if not isinstance(body, dict):
            raise broken(path, f"an entry of {kind} makes no sense")
        name = str(item.get("name", ""))
        if name in found:
            raise broken(path, f'duplicate name "{name}" in {kind}')
        found[name] = {
            field: value for field, value in body.items() if value not in (None, "", [], {}, False)
        }
    return found


def with_absolute_files(fields: dict[str, Any], names: tuple[str, ...], base: Path) -> dict[str, Any]:
    """The entry with its file names made absolute against the directory of its own kubeconfig."""
    return fields | {
        name: os.path.normpath(base / fields[name]) for name in names if isinstance(fields.get(name), str)
    }


def with_absolute_command(user: dict[str, Any], base: Path) -> dict[str, Any]:
    """A credential plugin named by a relative path is beside the kubeconfig; a bare name is on PATH."""
    plugin = user.get("exec")
    command = plugin.get("command") if isinstance(plugin, dict) else None
    if not isinstance(plugin, dict) or not isinstance(command, str) or os.sep not in command:
        return user
    return user | {"exec": plugin | {"command": os.path.normpath(base / command)}}


def broken(path: Path, reason: str) -> UsageError:
    """A kubeconfig that is there and can't be used."""
    return UsageError(f'error loading config file "{path}": {reason}')
