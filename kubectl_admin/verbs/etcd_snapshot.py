"""`kubectl admin etcd-snapshot`."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.file_output import check_target, file_output, hand_over, show
from kubectl_admin.frame.options import DURATION, RATE, debug_pod
from kubectl_admin.frame.verb import Verb

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options
    from kubectl_admin.report import Report


@click.command("etcd-snapshot", cls=Verb)
@file_output
@click.option("--node", metavar="NODE", shell_complete=candidates.nodes, help="Use the member on this node.")
@click.option(
    "--compress",
    type=click.Choice(["best", "zstd", "gzip", "none"]),
    default="best",
    show_default=True,
    help="How it is compressed during the download; the file is never compressed.",
)
@click.option("--limit-rate", type=RATE, metavar="RATE", help="Most bytes a second on the wire (500k, 10M).")
@click.option(
    "--retries",
    type=click.IntRange(0),
    metavar="N",
    help="How many attempts in a row may fail; any number if not given.",
)
@click.option(
    "--timeout",
    type=DURATION,
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="How long the connection may be cut, or etcd may send nothing; 0: no limit.",
)
@click.option("--etcdctl", metavar="PATH", help="An etcdctl on the node, instead of etcd's own.")
@debug_pod
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - its options
    env: Environment,
    target: str,
    force: bool,
    node: str | None,
    compress: str,
    limit_rate: float | None,
    retries: int | None,
    timeout: float,
    etcdctl: str | None,
    as_json: bool,
    pods: "Options",
) -> "Report":
    """Save a snapshot of etcd here, and verify it.

    etcd's own client saves it on a control-plane node. It is downloaded through a debug pod piece by piece;
    if the connection is cut, the download resumes. The file is renamed into place only after it is verified,
    and nothing stays on the node. "kubectl admin etcd-verify" verifies it again later.

    \b
    Examples:
      # A snapshot as snapshot.db
      kubectl admin etcd-snapshot -o snapshot.db
      # Into a directory, named by cluster and time
      kubectl admin etcd-snapshot -o /backups/
      # Straight into another program
      kubectl admin etcd-snapshot -o - | age -r KEY > snapshot.db.age
    """
    from kubectl_admin.cluster.retry import RESTART_TIMEOUT
    from kubectl_admin.etcd.save import report as save_report
    from kubectl_admin.etcd.save import save
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation
    from kubectl_admin.node.unpacking import Tool

    check_target(env, target, "snapshot")
    # No single request is tried for longer than the person puts up with a cut.
    cluster = env.cluster_for_work(patience=min(timeout or math.inf, RESTART_TIMEOUT))
    pods = replace(pods, patience=timeout or math.inf, retries=retries)
    hosts = Hosts(cluster, Operation.begin(), pods, env.note)
    options = save.SnapshotOptions(node, None if compress == "best" else Tool(compress), etcdctl, limit_rate)
    file = save.destination(target, cluster.target.cluster_name)
    with save.draft_of(file, force=force) as draft:
        saved = save.save_snapshot(hosts, options, draft, watch=env.moving)
        hand_over(env, draft)
    report = save_report.report(replace(saved, file=file))
    show(env, report, file, as_json=as_json)
    return report
