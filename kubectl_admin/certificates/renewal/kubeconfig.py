"""The user's own kubeconfig, kept up with a node's where it holds the same administrator's certificate.

Only the two values change; comments, mode and owner stay. The previous content is kept beside it.
"""

import base64
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.inventory.components import KUBERNETES
from kubectl_admin.certificates.renewal.work import Done
from kubectl_admin.certificates.x509 import Certificate
from kubectl_admin.cluster import kubeconfig_files
from kubectl_admin.cluster.kubeconfig import Target
from kubectl_admin.errors import AdminError
from kubectl_admin.node import files
from kubectl_admin.node.host import Host, Say
from kubectl_admin.part_file import PartFile, behind_link

ADMINISTRATORS = ("admin.conf", "super-admin.conf")
CERTIFICATE, KEY = "client-certificate-data", "client-key-data"


class AdminKubeconfig:
    """The user's kubeconfig. files: those that kubectl reads, the first wins. read: reads a node's file."""

    def __init__(
        self,
        target: Target,
        files: Iterable[Path],
        say: Say,
        read: Callable[[Host, str], bytes] = files.read,
    ) -> None:
        self._target, self._files, self._say = target, tuple(files), say
        self._read = read
        self._fresh = False

    def keep_up(self, there: Host, done: Done) -> None:
        """Refreshes it, once, where an administrator's certificate that it holds was renewed on a node."""
        for one in done.changed:
            if self._fresh or one.name not in ADMINISTRATORS or not holds(self._target, one.before):
                continue
            self._fresh = True
            try:
                fresh = self._read(there, f"{KUBERNETES}/{one.name}")
                file, backup = refresh(self._target, self._files, fresh, datetime.now(UTC))
                how = f", too; its previous content is in {backup}" if backup else " already"
                self._say(f"{file} has the new certificate{how}")
            except AdminError as error:
                why = f"your kubeconfig keeps its certificate, which is valid until it expires: {error.what}"
                self._say(f"{why}; the new one is in {KUBERNETES}/{one.name} of node {there.node}")


def holds(target: Target, kubeconfig: Certificate | None) -> bool:
    """Whether the user is the administrator whose certificate a node's kubeconfig had."""
    mine = certificate_of(target.user)
    if mine is None or kubeconfig is None:
        return False
    return (mine.subject, mine.issuer) == (kubeconfig.subject, kubeconfig.issuer)


def certificate_of(user: Mapping[str, Any]) -> Certificate | None:
    """The certificate in a user of a kubeconfig; None for one that is in a file, or can't be read."""
    found = x509.of_base64(str(user.get(CERTIFICATE) or ""))[0]
    return found if isinstance(found, Certificate) else None


def refresh(target: Target, places: Sequence[Path], fresh: bytes, now: datetime) -> tuple[Path, Path | None]:
    """Puts the certificate and the key of a node's kubeconfig into the user's own; returns it and its backup.

    Without a backup it has them already: it is the node's kubeconfig itself.
    places: the files that kubectl reads, in the order in which they win. fresh: the node's kubeconfig.
    Raises AdminError where that can't be done; then nothing has changed.
    """
    new = user_of(fresh)
    old = {name: str(target.user.get(name) or "").encode() for name in (CERTIFICATE, KEY)}
    found = holder(places, old)
    if found is None:
        if (same := holder(places, new)) is None:
            raise AdminError("the kubeconfig does not hold certificate and key in one line each")
        return same.path, None
    content = found.content
    for name, value in old.items():
        content = content.replace(value, new[name])
    backup = found.path.with_name(f"{found.path.name}.before-{now:%Y%m%dT%H%M%SZ}")
    write(backup, found.content, found.status)
    write(found.path, content, found.status, force=True)
    return found.path, backup


def user_of(kubeconfig: bytes) -> dict[str, bytes]:
    """Certificate and key in an administrator's kubeconfig. Raises AdminError where they are not there.

    Of several users it is the current context's that kubeadm renews.
    Source: kubernetes cmd/kubeadm/app/phases/certs/renewal/readwriter.go.
    """
    path = Path("admin.conf")
    try:
        document = kubeconfig_files.parsed(path, kubeconfig)
        context = kubeconfig_files.entries(path, document, "contexts", "context")[document["current-context"]]
        user = kubeconfig_files.entries(path, document, "users", "user")[context["user"]]
        found = {name: "".join(str(user[name]).split()).encode() for name in (CERTIFICATE, KEY)}
        for value in found.values():
            base64.b64decode(value, validate=True)
    except (KeyError, TypeError, ValueError):
        raise AdminError("the node's kubeconfig holds no certificate with its key") from None
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """A kubeconfig file as it was found. path: of the file itself, where its name is a link."""

    path: Path
    content: bytes = field(repr=False)
    status: os.stat_result


def holder(places: Iterable[Path], values: Mapping[str, bytes]) -> Found | None:
    """The file in which these values stand; None where they stand in none."""
    for file in places:
        try:
            real = behind_link(file)
            with real.open("rb") as opened:
                found = Found(real, opened.read(), os.fstat(opened.fileno()))
        except (OSError, ValueError):
            continue
        if all(value and value in found.content for value in values.values()):
            return found
    return None


def write(file: Path, content: bytes, status: os.stat_result, *, force: bool = False) -> None:
    """Writes a file, whole or not at all, for those whom one of this status is for. force: over one there."""
    with PartFile(file, force=force) as draft:
        draft.take_after(status)
        draft.write(content)
        draft.publish()
