"""`kubectl admin etcd-open`."""

from pathlib import Path

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.verb import CommandVerb


class EtcdOpen(CommandVerb):
    """Its command line."""

    before = "SNAPSHOT"


@click.command("etcd-open", cls=EtcdOpen)
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("argv", metavar="[-- COMMAND [ARGUMENT]…]", nargs=-1, type=click.UNPROCESSED)
@click.option("--shell", is_flag=True, help="Open a shell that sees the snapshot, and says so in its prompt.")
@click.option("--local", is_flag=True, help="On this machine, without any cluster.")
@click.option(
    "--bin",
    "programs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIRECTORY",
    help="With --local: where etcd, etcdutl and kube-apiserver are; PATH if not given.",
)
@click.option(
    "--encryption-provider-config",
    "encryption",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="With --local: the API server's file of this name, if Secrets are encrypted.",
)
@click.option(
    "--etcd-prefix",
    "prefix",
    default="/registry",
    show_default=True,
    metavar="PREFIX",
    help="Where kube-apiserver stores objects, by its flag of this name.",
)
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    snapshot: Path,
    argv: tuple[str, ...],
    *,
    shell: bool,
    local: bool,
    programs: Path | None,
    encryption: Path | None,
    prefix: str,
) -> None:
    """Look into a snapshot of etcd as into a cluster.

    An etcd and an API server of its own are started for the snapshot, and kubectl, or any other client, sees
    the cluster as it was. Nobody can change anything in it, and nothing of it reaches the live cluster.
    With a command, it runs with KUBECONFIG set, and its exit code is the exit code. Otherwise the snapshot
    stays open until Ctrl-C. Nothing is left afterwards.

    \b
    Examples:
      # Which Deployments were there?
      kubectl admin etcd-open snapshot.db --local -- kubectl get deployments -A
      # With programs that are not on PATH
      kubectl admin etcd-open snapshot.db --local --bin ./bin -- kubectl get pods -A
      # A shell in the past
      kubectl admin etcd-open snapshot.db --local --shell
    """
    from kubectl_admin.etcd.past import command as running
    from kubectl_admin.etcd.past import gather, use
    from kubectl_admin.etcd.past.local import Local, found, opened

    if not local:
        raise UsageError("a snapshot is opened on this machine alone", "name --local")
    if shell and (argv or not env.stdin.isatty()):
        raise UsageError("--shell takes no command, and a terminal", "leave --shell out")
    running.refuse_missing(argv, env.environ)
    where = Local(programs, encryption, env.flags.get("namespace", ""), env.environ)
    found(where)
    with env.moving("reading the snapshot") as moving:
        past = gather.of_file(snapshot, prefix=prefix, progress=moving)
    with opened(past, where, env.note) as there:
        if there.findings:
            env.show(use.report(there), env.stderr)
        code = use.use(there, argv, env.environ, shell=shell, write=env.write, say=env.note)
    raise click.exceptions.Exit(code)
