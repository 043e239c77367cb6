"""`kubectl admin version`."""

import click

from kubectl_admin import __version__
from kubectl_admin.command import Verb
from kubectl_admin.environment import Environment
from kubectl_admin.options import output
from kubectl_admin.report import Column, Report, Table


@click.command("version", cls=Verb)
@click.option("--client", is_flag=True, help="Print this program's version only; ask no cluster.")
@output("table", "json", "yaml")
@click.pass_obj
def command(env: Environment, client: bool) -> Report:
    """Print the version of this program and of the cluster's API server.

    \b
    Examples:
      # Both versions
      kubectl admin version
      # Only this program's, without a cluster
      kubectl admin version --client
    """
    versions = {"kubectl-admin": __version__}
    if not client:
        versions["kube-apiserver"] = str(env.cluster().get("/version")["gitVersion"]).removeprefix("v")
    report = Report(
        kind="Version",
        items=lambda: [{"name": name, "version": version} for name, version in versions.items()],
        names=lambda: versions,
        tables=[Table([Column("NAME"), Column("VERSION")], list(versions.items()))],
    )
    env.show(report)
    return report
