"""The certificates in the backups on a node, which a rollback would restore. Keys stay there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kubectl_admin.certificates.facts import Source, Use
from kubectl_admin.certificates.inventory import disk
from kubectl_admin.certificates.inventory.components import File
from kubectl_admin.certificates.renewable import RENEWABLE
from kubectl_admin.certificates.renewal.facts import Backup
from kubectl_admin.certificates.x509 import Broken, Certificate
from kubectl_admin.node.host import Host
from kubectl_admin.node.workspace import STATE

BACKUPS = f"{STATE}/certificates"


def read(there: Host, backups: Sequence[Backup]) -> tuple[Backup, ...]:
    """The backups with what each of them holds. Raises AdminError where the host can't be asked."""
    return tuple(replace(backup, held=held(there, backup.name)) for backup in backups)


def held(there: Host, backup: str) -> Mapping[str, Certificate | Broken]:
    """The certificates in one backup, by kubeadm's names for them."""
    files = [
        File(
            one.name,
            f"{BACKUPS}/{backup}/{one.files[-1]}",
            Use.CLIENT,
            one.name.endswith(".conf"),
            required=False,
        )
        for one in RENEWABLE.values()
    ]
    words = ["-"]
    for file in files:
        words += ["kubeconfig" if file.kubeconfig else "pem", file.name, file.path]
    found: dict[str, Certificate | Broken] = {}
    for seen in disk.seen(there.node, there.script(disk.SCRIPT, *words), files):
        wanted = Source.KUBECONFIG if seen.name.endswith(".conf") else Source.FILE
        if seen.name in RENEWABLE and seen.source is wanted:
            found.setdefault(seen.name, seen.content)
    return found


def close_all(there: Host) -> None:
    """Notes that nothing that this run or an earlier one has renewed is left unseen."""
    marks = ["find", BACKUPS, "-maxdepth", "2", "-name", "open", "-exec", "rm", "-f", "--", "{}", "+"]
    there.persistently(lambda: there.run(marks))
