"""`kubectl admin etcd-verify`."""

from pathlib import Path

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report


@click.command("etcd-verify", cls=Verb)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--full", is_flag=True, help="Check every key as well, as «etcdutl snapshot status» does.")
@output("table", "json", "yaml")
@click.pass_obj
def command(env: Environment, file: Path, full: bool) -> Report:
    """Verify a snapshot of etcd on this machine, and show what it holds.

    It asks no cluster and needs no etcd. It checks the sha256 that etcd appended and the structure of the
    whole database, and shows revision, members, alarms and versions. Exit code 3: the file is damaged,
    truncated, or not a snapshot.

    \b
    Examples:
      # Is the backup whole, and how old is it?
      kubectl admin etcd-verify backup.db
      # Every key in its place, and the numbers of etcdutl
      kubectl admin etcd-verify backup.db --full
      # In a script, after each backup
      kubectl admin etcd-verify backup.db > report || mail -s 'bad backup' root < report
    """
    from kubectl_admin.etcd.snapshot import report as snapshot_report
    from kubectl_admin.etcd.snapshot.verify import verify
    from kubectl_admin.report.text import printable

    with env.moving(f"verifying {printable(file.name)}") as moving:
        verdict = verify(file, full=full, progress=moving)
    report = snapshot_report.report(verdict)
    env.show(report)
    return report
