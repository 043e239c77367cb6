"""`kubectl admin skew`."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import MINOR, host_option, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.versions.facts import Facts


@click.command("skew", cls=Verb)
@click.option(
    "--target",
    type=MINOR,
    metavar="MINOR",
    help="Show the upgrade path to this minor, and what blocks it.",
)
@click.option(
    "--probe", is_flag=True, help="Ask every kubelet and kube-proxy itself: a request per node each."
)
@click.option(
    "--contexts",
    metavar="A,B|GLOB",
    shell_complete=candidates.several_contexts,
    help="Compare contexts of the kubeconfig in one table.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take upstream's versions from this file instead of the table that ships with the program.",
)
@host_option("Also read every node's disk, through a debug pod on each.")
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment,
    *,
    target: int | None,
    probe: bool,
    contexts: str | None,
    data: Path | None,
    hosts: "Callable[[Cluster], Hosts] | None",
) -> Report:
    """Show what runs where, whether the skew policy allows it, and what comes next.

    Every API server is asked itself, as are the controller-manager, the scheduler and etcd of each control
    plane; nodes and kube-proxies are listed. A version with «!» breaks the policy, one with «?» is in doubt.
    Exit code 3: the policy is violated, or the upgrade path to --target is blocked.

    \b
    Examples:
      # The cluster of the current context
      kubectl admin skew
      # With kernel, container runtime and operating system
      kubectl admin skew -o wide
      # The upgrade path to 1.37, and what blocks it
      kubectl admin skew --target 1.37
      # All production clusters side by side
      kubectl admin skew --contexts 'prod-*'
      # Also ask each kubelet and kube-proxy itself
      kubectl admin skew --probe
      # Is there a kubelet that was upgraded and not restarted?
      kubectl admin skew --host
    """
    from kubectl_admin.versions import kubectl

    if contexts and (target or hosts):
        raise click.UsageError("--target and --host are for one cluster; leave --contexts out")

    def read_disks(cluster: "Cluster", facts: "Facts") -> "Facts":
        from kubectl_admin.versions.hosts import read_hosts

        with env.progress("reading disks") as progress:
            return read_hosts(hosts(cluster), facts, answered=progress.step) if hosts else facts

    # kubectl goes first: it finds its version while this process imports what it needs itself.
    with kubectl.asked() as mine:
        from kubectl_admin.versions import skew, upstream

        table, today = upstream.load(data), date.today()
        if contexts:
            with env.progress("asking clusters") as progress:
                report = skew.of_several(
                    env.clusters(contexts), mine, table, today, probe=probe, answered=progress.step
                )
        else:
            with env.progress("asking nodes") as progress:
                report = skew.of_one(
                    env.cluster(),
                    mine,
                    table,
                    today,
                    target=target,
                    probe=probe,
                    answered=progress.step,
                    complete=read_disks if hosts else None,
                )
    env.show(report)
    return report
