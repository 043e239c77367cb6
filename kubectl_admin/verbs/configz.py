"""`kubectl admin configz`."""

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import Word, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

COMPONENTS = ("kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler", "kube-apiserver")


@click.command("configz", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@click.argument("component", type=Word(COMPONENTS), required=False, metavar="[COMPONENT]")
@click.option("--flags", "with_flags", is_flag=True, help="Show all flags as well, defaults included.")
@click.option(
    "--diff",
    "other",
    metavar="NODE",
    shell_complete=candidates.nodes,
    help="Show only what differs from this node, of the same minor.",
)
@click.option(
    "--written", is_flag=True, help="Show only what differs from what is written in the cluster's ConfigMaps."
)
@output("table", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment, node: str, component: str | None, *, with_flags: bool, other: str | None, written: bool
) -> Report:
    """Show the configuration that a node's components run with, as they say it themselves.

    Kubelet, kube-proxy, kube-controller-manager, kube-scheduler and kube-apiserver are asked at their own
    endpoints (/configz, /flagz, /statusz), through a port-forward; no pod is started. Tokens and passwords
    are masked. Exit code 3, with --diff or --written: something differs.

    \b
    Examples:
      # All components of node w1
      kubectl admin configz w1
      # Which eviction thresholds does the kubelet of w1 use?
      kubectl admin configz w1 kubelet | grep eviction
      # Where do two nodes differ?
      kubectl admin configz w1 --diff w2
      # Does the kubelet run with what ConfigMap kubelet-config says?
      kubectl admin configz w1 kubelet --written
    """
    from datetime import UTC, datetime

    from kubectl_admin.control_plane.component import Component
    from kubectl_admin.running import compare, gather, report

    if other and written:
        raise UsageError("--diff and --written can't be used together")
    if with_flags and (other or written):
        raise UsageError("--flags shows everything: leave it out with --diff and --written")
    cluster, wanted = env.cluster(), (Component(component),) if component else None
    found = gather.gather(cluster, node, wanted)
    if not (other or written):
        shown = report.running(found, datetime.now(UTC), with_flags=with_flags)
    elif other:
        theirs = gather.gather(cluster, other, tuple(one.component for one in found))
        different, gaps = compare.nodes(found, theirs)
        shown = report.differences(different, gaps, node, other)
    else:
        texts, unread = gather.written(cluster, [one.component for one in found])
        different, gaps = compare.all_written(found, texts, unread)
        shown = report.differences(different, gaps, node, config_maps=gather.compared(found, texts))
    env.show(shown)
    return shown
