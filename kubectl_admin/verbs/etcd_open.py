"""`kubectl admin etcd-open`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.past_options import opening_options
from kubectl_admin.frame.verb import CommandVerb

if TYPE_CHECKING:
    from kubectl_admin.frame.past_options import Opening


class EtcdOpen(CommandVerb):
    """Its command line."""

    before = "SNAPSHOT"


@click.command("etcd-open", cls=EtcdOpen)
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("argv", metavar="[-- COMMAND [ARGUMENT]…]", nargs=-1, type=click.UNPROCESSED)
@click.option("--shell", is_flag=True, help="Open a shell that sees the snapshot, and says so in its prompt.")
@opening_options
@click.pass_obj
def command(
    env: Environment,
    snapshot: Path,
    argv: tuple[str, ...],
    *,
    shell: bool,
    opening: "Opening",
) -> None:
    """Look into a snapshot of etcd as into a cluster.

    An etcd and an API server of its own are started for the snapshot on a control-plane node, and kubectl, or
    any other client, sees the cluster as it was. Nobody can change anything in it, and nothing of it reaches
    the live cluster. With a command, it runs with KUBECONFIG set, and its exit code is the exit code.
    Otherwise the snapshot stays open until Ctrl-C. Nothing is left afterwards.

    \b
    Examples:
      # Which Deployments were there?
      kubectl admin etcd-open snapshot.db -- kubectl get deployments -A
      # A shell in the past
      kubectl admin etcd-open snapshot.db --shell
      # Without a cluster, by programs that are here
      kubectl admin etcd-open snapshot.db --local --bin ./bin -- kubectl get pods -A
    """
    from kubectl_admin.etcd.past import command as running
    from kubectl_admin.etcd.past import use

    if shell and (argv or not env.stdin.isatty()):
        raise UsageError("--shell takes no command, and a terminal", "leave --shell out")
    running.refuse_missing(argv, env.environ)
    past = opening.read(env, snapshot)
    with opening.open(env, past) as there:
        if there.findings:
            env.show(use.report(there), env.stderr)
        code = use.use(there, argv, env.environ, shell=shell, write=env.write, say=env.note)
    raise click.exceptions.Exit(code)
