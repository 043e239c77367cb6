"""`kubectl admin version`."""

from typing import TYPE_CHECKING

import click

from kubectl_admin import __version__
from kubectl_admin.errors import AdminError
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Column, Report, Table

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster


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
        versions["kube-apiserver"] = version_of(env.cluster()).removeprefix("v")
    report = Report(
        kind="Version",
        items=lambda: [{"name": name, "version": version} for name, version in versions.items()],
        names=lambda: versions,
        tables=[Table([Column("NAME"), Column("VERSION")], list(versions.items()))],
    )
    env.show(report)
    return report


def version_of(cluster: "Cluster") -> str:
    """The version that the API server says it has; raises AdminError where it says none."""
    version = cluster.get("/version").get("gitVersion")
    if not isinstance(version, str):
        raise AdminError("the answer to /version gives no version", "is this server the API server?")
    return version
