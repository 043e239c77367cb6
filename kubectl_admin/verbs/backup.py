"""`kubectl admin backup`: makes one by itself; whatever is done with archives is a subcommand."""

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.file_output import check_target, file_output, hand_over, show
from kubectl_admin.frame.options import DURATION, RATE, debug_pod
from kubectl_admin.frame.verb import VerbGroup

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options
    from kubectl_admin.report import Report

SUBCOMMANDS: dict[str, tuple[str, str]] = {
    "show": ("backup_show:command", "Show what a backup says of itself, without a key."),
    "verify": ("backup_verify:command", "Verify that a backup is whole, and what it brings back."),
    "extract": ("backup_extract:command", "Write what is in a backup below a directory."),
}


@click.command("backup", cls=VerbGroup, subcommands=SUBCOMMANDS)
@file_output
@click.option(
    "-r",
    "--recipient",
    "recipients",
    multiple=True,
    metavar="KEY",
    help="Encrypt it to this public key of age or SSH, or to those in a file. Several are possible.",
)
@click.option(
    "--keys-recipient",
    "keys_recipients",
    multiple=True,
    metavar="KEY",
    help="Encrypt the nodes' files, with the cluster's keys, to this one instead.",
)
@click.option("--passphrase", is_flag=True, help="Encrypt it by a passphrase, which is asked for.")
@click.option("--passphrase-file", type=click.Path(), metavar="FILE", help="Read the passphrase from a file.")
@click.option("--plain", is_flag=True, help="Do not encrypt it.")
@click.option("--only", type=click.Choice(["etcd", "files"]), help="Save only the snapshot, or all but it.")
@click.option(
    "--node", metavar="NODE", shell_complete=candidates.nodes, help="Use etcd's member on this node."
)
@click.option(
    "--limit-rate", type=RATE, metavar="RATE", help="Most bytes a second of the snapshot (500k, 10M)."
)
@click.option(
    "--timeout",
    type=DURATION,
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="How long the connection may be cut, or etcd may send nothing; 0: no limit.",
)
@debug_pod
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - its options
    env: Environment,
    target: str,
    force: bool,
    recipients: tuple[str, ...],
    keys_recipients: tuple[str, ...],
    passphrase: bool,
    passphrase_file: str | None,
    plain: bool,
    only: str | None,
    node: str | None,
    limit_rate: float | None,
    timeout: float,
    as_json: bool,
    pods: "Options",
) -> "Report":
    """Save all that brings the cluster back into one encrypted archive: etcd, keys, nodes' files.

    It holds a verified snapshot of etcd, the files of every control plane (kubeadm's, the kubelet's, and all
    that flags name) and the objects that describe volumes. It is a tar, packed by zstd and encrypted by age,
    read back before it gets its name. Exit code 3: it lacks something, as a control plane that is down.

    \b
    Examples:
      # Into a directory, encrypted to the public keys in a file
      kubectl admin backup -o /backups/ --recipient recipients.txt
      # The snapshot to one key, the cluster's own keys to another
      kubectl admin backup -r ops.txt --keys-recipient safe.txt
      # By a passphrase, which is asked for
      kubectl admin backup -o backup.tar --passphrase
    """
    from kubectl_admin.backup import report, run
    from kubectl_admin.backup.chosen import chosen, passphrase_of
    from kubectl_admin.cluster.retry import RESTART_TIMEOUT
    from kubectl_admin.etcd.save import save
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    check_target(env, target, "backup")
    began = time.monotonic()
    words = passphrase_of(passphrase_file, asked=passphrase)
    wanted = chosen(recipients, keys_recipients, words, plain=plain, only=only)
    wanted = replace(wanted, snapshot=save.SnapshotOptions(node, rate=limit_rate))
    cluster = env.cluster_for_work(patience=min(timeout or math.inf, RESTART_TIMEOUT))
    hosts = Hosts(cluster, Operation.begin(), replace(pods, patience=timeout or math.inf), env.note)
    file = save.destination(target, cluster.target.cluster_name, "backup", ".tar")
    with save.draft_of(file, force=force) as draft:
        with env.progress("looking at control planes") as progress:
            looked = run.look(hosts, wanted, answered=progress.step)
        made = run.back_up(hosts, wanted, looked, draft, watch=env.moving)
        whole = draft.content.stat().st_size
        hand_over(env, draft)
    shown = report.report(made, file, whole, time.monotonic() - began)
    show(env, shown, file, as_json=as_json)
    return shown
