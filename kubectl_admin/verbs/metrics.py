"""`kubectl admin metrics`."""

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import Word, output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

COMPONENTS = (
    *("kubelet", "kube-proxy", "kube-apiserver", "etcd"),
    *("kube-controller-manager", "kube-scheduler"),
)


@click.command("metrics", cls=Verb)
@click.argument("node", shell_complete=candidates.nodes)
@click.argument("component", type=Word(COMPONENTS), metavar="COMPONENT")
@click.argument("name", nargs=-1)
@click.option(
    "--histograms",
    type=click.Choice(["quantiles", "buckets"]),
    default="quantiles",
    show_default=True,
    help="Show a histogram by its quantiles since the process began, or bucket by bucket.",
)
@output("table", "json", "yaml", "name")
@click.pass_obj
def command(
    env: Environment, node: str, component: str, name: tuple[str, ...], histograms: str
) -> "Report | None":
    """Show the metrics of a node's component, as it gives them itself.

    It is asked at its own endpoint (/metrics) through a port-forward; no pod is started. NAME is the
    beginning of a metric's name; several may be given. Without any the text is passed on unchanged.

    \b
    Examples:
      # Everything, for another program
      kubectl admin metrics cp-1 etcd > etcd.prom
      # How long do etcd's writes to disk take?
      kubectl admin metrics cp-1 etcd etcd_disk
      # Which errors do a kubelet's requests meet?
      kubectl admin metrics w1 kubelet rest_client_requests_total -o json
    """
    from kubectl_admin.control_plane.component import Component
    from kubectl_admin.running import gather, report
    from kubectl_admin.running.metrics import families, values
    from kubectl_admin.running.metrics import histograms as read_histograms

    text = gather.metrics(env.cluster(), node, Component(component))
    if not name and env.output == "table":
        env.write(report.on_terminal(text) if env.stdout.isatty() else text)
        return None
    found = families(text, name or ("",))
    if not found:
        raise UsageError(f"{component} on node {node} has no metric that begins with {' or '.join(name)}")
    whole = [one for one in found if one.kind == "histogram" and histograms == "quantiles"]
    singles = [value for one in found if one not in whole for value in values(text, one)]
    shown = report.metrics(
        singles,
        [each for one in whole for each in read_histograms(text, one)],
        {one.name: one for one in found},
    )
    env.show(shown)
    return shown
