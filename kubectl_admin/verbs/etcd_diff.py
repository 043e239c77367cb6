"""`kubectl admin etcd-diff`."""

from pathlib import Path

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import TABLE_FORMATS, Environment
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report

SHOWN = 25  # objects of each difference, until --all is given


@click.command("etcd-diff", cls=Verb)
@click.argument("a", metavar="A.db", type=click.Path(path_type=Path))
@click.argument("b", metavar="B.db", type=click.Path(path_type=Path))
@click.option("--all", "every", is_flag=True, help="List every object, those that always change as well.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    shell_complete=candidates.kinds,
    help="Only objects of this kind (pod, deployments.apps); may be repeated.",
)
@click.option(
    "--etcd-prefix",
    "prefix",
    default="/registry",
    show_default=True,
    metavar="PREFIX",
    help="Where kube-apiserver stores objects, by its flag of this name.",
)
@click.option("--exit-code", is_flag=True, help="End with exit code 3 if any object differs.")
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment, a: Path, b: Path, *, every: bool, kinds: tuple[str, ...], prefix: str, exit_code: bool
) -> Report:
    """Show the objects in which two snapshots of etcd differ.

    It asks no cluster and needs no etcd. It shows which objects are only in A.db, only in B.db, recreated
    under the same name, or changed, by kind and namespace (-n NAMESPACE for one namespace). Events, Leases
    and the like are counted, and listed with --all.

    \b
    Examples:
      # Which objects came and went between two backups?
      kubectl admin etcd-diff monday.db tuesday.db
      # One namespace, every object
      kubectl admin etcd-diff monday.db tuesday.db -n shop --all
      # Secrets that only monday.db has, for a program
      kubectl admin etcd-diff monday.db tuesday.db --kind secret -o json \\
        | jq '.items[] | select(.difference == "onlyInA") | .name'
    """
    from kubectl_admin.etcd.diff import report as diff_report
    from kubectl_admin.etcd.diff.compare import Options, compare
    from kubectl_admin.etcd.diff.facts import Wanted

    listed = env.output in TABLE_FORMATS
    wanted = Wanted(env.flags.get("namespace", ""), frozenset(kind.lower() for kind in kinds))
    options = Options(
        prefix,
        wanted,
        limit=SHOWN if listed and not every else None,
        noise=every or env.output in ("json", "yaml"),
        uids=env.output in ("json", "yaml"),
    )
    with env.moving("comparing") as moving:
        compared = compare(a, b, options, progress=moving)
    report = diff_report.report(compared, noise=every, exit_code=exit_code, listed=listed)
    env.show(report)
    return report
