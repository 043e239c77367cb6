"""The kubeconfig of whoever runs this, kept up with the node's where it holds its certificate.

The file stays as it is, comments and all, but for the two values; what it was is kept beside it.
"""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubectl_admin.certificates import x509
from kubectl_admin.certificates.components import KUBERNETES
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


class Own:
    """The kubeconfig of whoever runs this. files: those that kubectl reads, the first wins."""

    def __init__(self, target: Target, files: Iterable[Path], say: Say) -> None:
        self._target, self._files, self._say = target, tuple(files), say
        self._fresh = False

    def keep_up(self, there: Host, done: Done) -> None:
        """Refreshes it, once, where an administrator's certificate that it holds was renewed on a node."""
        for one in done.changed:
            if self._fresh or one.name not in ADMINISTRATORS or not holds(self._target, one.before):
                continue
            self._fresh = True
            try:
                fresh = files.read(there, f"{KUBERNETES}/{one.name}")
                file, backup = refresh(self._target, self._files, fresh, datetime.now(UTC))
                self._say(f"{file} has the new certificate as well; what it was is {backup}")
            except AdminError as error:
                why = f"your own kubeconfig keeps its certificate, which is good until it ends: {error.what}"
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


def refresh(target: Target, places: Iterable[Path], fresh: bytes, now: datetime) -> tuple[Path, Path]:
    """Puts the certificate and the key of a node's kubeconfig into the user's own; returns it and its backup.

    places: the files that kubectl reads, in the order in which they win. fresh: the node's kubeconfig.
    Raises AdminError where that can't be done; then nothing has changed.
    """
    new = user_of(fresh)
    old = {field: str(target.user.get(field) or "") for field in (CERTIFICATE, KEY)}
    file, text = holder(places, old)
    for field, value in old.items():
        text = text.replace(value, new[field])
    backup = file.with_name(f"{file.name}.before-{now:%Y%m%dT%H%M%SZ}")
    write(backup, file.read_bytes())
    write(file, text.encode())
    return file, backup


def user_of(kubeconfig: bytes) -> dict[str, str]:
    """Certificate and key in an administrator's kubeconfig. Raises AdminError where they are not there."""
    try:
        users = kubeconfig_files.parsed(Path("admin.conf"), kubeconfig)["users"]
        found = {field: "".join(str(users[0]["user"][field]).split()) for field in (CERTIFICATE, KEY)}
        for value in found.values():
            base64.b64decode(value, validate=True)
    except (KeyError, IndexError, TypeError, ValueError):
        raise AdminError("the node's kubeconfig holds no certificate with its key") from None
    return found


def holder(places: Iterable[Path], values: Mapping[str, str]) -> tuple[Path, str]:
    """The file in which these values stand, and its text. Raises AdminError where they stand in none."""
    for file in places:
        try:
            real = behind_link(file)
            text = real.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        if all(value and value in text for value in values.values()):
            return real, text
    raise AdminError("the kubeconfig does not hold its certificate and its key in two lines")


def write(file: Path, content: bytes) -> None:
    """Writes a file for its owner alone, whole or not at all."""
    with PartFile(file, force=True) as draft:
        draft.write(content)
        draft.publish()
