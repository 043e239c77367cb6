"""`kubectl admin drain-upgrade`."""

import math
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, debug_pod, drain_flags, output, skip_host
from kubectl_admin.frame.verb import Verb

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options as Pods
    from kubectl_admin.report import Report


@click.command("drain-upgrade", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@click.option("--to", metavar="VERSION", help="A version or a minor (1.37.2, 1.37) instead of the cluster's.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and touch nothing.")
@click.option("--status", is_flag=True, help="Show how far the upgrade of this node is.")
@click.option("--logs", is_flag=True, help="Show what an upgrade that is not over has written on the node.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before it begins.")
@click.option("--allow", metavar="RULE", multiple=True, help="Go ahead although this rule is broken.")
@click.option("--first", is_flag=True, help="Begin with this control-plane node, not the oldest one.")
@click.option("--take-over", is_flag=True, help="Take over from somebody else who upgrades it.")
@click.option("--renew-key", is_flag=True, help="Fetch the package repository's key anew.")
@click.option(
    "--snapshot",
    type=click.Path(),
    default=".",
    metavar="FILE",
    help="File or folder for the snapshot of etcd that is taken before a control plane is touched.",
)
@click.option("--no-snapshot", is_flag=True, help="Take no snapshot of etcd.")
@click.option("--ignore-preflight-errors", "ignored", metavar="LIST", help="kubeadm's own flag.")
@click.option("--patches", metavar="FOLDER", help="kubeadm's own flag: a folder on the node.")
@click.option("--no-drain", is_flag=True, help="Leave the pods on the node: for patches of the same minor.")
@drain_flags
@click.option(
    "--timeout",
    type=DURATION,
    default="0",
    show_default=True,
    metavar="DURATION",
    help="Time for the drain (30s, 10m); 0 is no limit.",
)
@click.option(
    "--ready-timeout",
    type=DURATION,
    default="10m",
    show_default=True,
    metavar="DURATION",
    help="Time for the node to be well again.",
)
@skip_host
@output("table", "wide", "json", "yaml", "name")
@debug_pod
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - its options
    env: Environment,
    node: str,
    to: str | None,
    dry_run: bool,
    status: bool,
    logs: bool,
    yes: bool,
    allow: tuple[str, ...],
    first: bool,
    take_over: bool,
    renew_key: bool,
    snapshot: str,
    no_snapshot: bool,
    ignored: str | None,
    patches: str | None,
    no_drain: bool,
    delete_emptydir_data: bool,
    force: bool,
    disable_eviction: bool,
    timeout: float,
    primary_timeout: float,
    wait_for_budgets: bool,
    ready_timeout: float,
    skipped: tuple[str, ...],
    pods: "Pods",
) -> "Report | None":
    """Upgrade a node: packages, kubeadm, and, drained, its kubelet.

    What is slow or may fail comes first, while the node still works; only the kubelet's restart is between
    cordon and uncordon. The work runs on the node and survives a cut: the same command goes on from where the
    node is. Exit code 3 says that something forbids it: nothing was touched.

    \b
    Examples:
      # To the version that the cluster has
      kubectl admin drain-upgrade node-1
      # The first control-plane node, to the newest 1.37 that the packages offer
      kubectl admin drain-upgrade cp-1 --to 1.37 --dry-run
      # How far is it?
      kubectl admin drain-upgrade cp-1 --status
    """
    from kubectl_admin.cluster.retry import LOOK_TIMEOUT
    from kubectl_admin.drain.drain import Options as Drain
    from kubectl_admin.drain.filters import Flags
    from kubectl_admin.upgrade import look, report
    from kubectl_admin.upgrade import node as upgrade
    from kubectl_admin.upgrade import status as state
    from kubectl_admin.upgrade.progress import UpgradeLines

    if sum((dry_run, status, logs)) > 1:
        raise UsageError("--dry-run, --status and --logs exclude each other")
    flags = Flags(
        ignore_daemonsets=True,
        delete_emptydir_data=delete_emptydir_data,
        force=force,
        disable_eviction=disable_eviction,
    )
    drain = Drain(
        flags=flags,
        timeout=timeout,
        primary_timeout=primary_timeout,
        wait_for_budgets=wait_for_budgets,
    )
    options = look.Options(
        to=to,
        allow=allow,
        ignored=ignored or "-",
        patches=patches or "-",
        renew_key=renew_key,
        snapshot=None if no_snapshot else snapshot,
        first=first,
        draining=None if no_drain else drain,
        ready_timeout=ready_timeout or math.inf,
        pods=pods,
        skipped=skipped,
    )
    # Whatever is asked here, an upgrade of this node may be at work, and restart the only API server.
    doing = not (dry_run or status or logs)
    cluster = env.cluster_for_work(patience=pods.patience if doing else LOOK_TIMEOUT, resuming=True)
    with upgrade.open_host(cluster, node, options, env.note, doing=doing) as there:
        if logs:
            env.write(state.logs(there))
            return None
        if status:
            shown = state.report(state.status(cluster, there))
            env.show(shown)
            return shown
        holding = upgrade.hold_lease(cluster, there, options, env.note, take_over=take_over)
        with nullcontext() if dry_run else holding as held:
            if not dry_run:
                with env.live() as live:
                    upgrade.wait_for_running_jobs(there, UpgradeLines(live.line, live.block))
            seen = upgrade.look_when_reachable(cluster, there, options, env.note)
            plan = report.planned(seen, waits=wait_for_budgets, wide=env.output == "wide")
            if dry_run or seen.over or not look.is_possible(seen, options):
                env.show(plan)
                return plan
            env.show(plan, env.stderr)
            env.confirm(f"upgrade node {node} of context {cluster.target.context}", yes=yes)
            with env.live() as live:
                progress = UpgradeLines(live.line, live.block, whole=env.verbosity > 0)
                check = held.check if held else lambda: None
                done = upgrade.upgrade(cluster, there, seen, options, progress, check=check, watch=env.moving)
    shown = report.upgraded(done)
    env.show(shown)
    return shown
