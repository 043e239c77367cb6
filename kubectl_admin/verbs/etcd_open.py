"""`kubectl admin etcd-open`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import debug_pod
from kubectl_admin.frame.verb import CommandVerb

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options


class EtcdOpen(CommandVerb):
    """Its command line."""

    before = "SNAPSHOT"


@click.command("etcd-open", cls=EtcdOpen)
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("argv", metavar="[-- COMMAND [ARGUMENT]…]", nargs=-1, type=click.UNPROCESSED)
@click.option("--shell", is_flag=True, help="Open a shell that sees the snapshot, and says so in its prompt.")
@click.option(
    "--node",
    default="",
    metavar="NODE",
    shell_complete=candidates.nodes,
    help="On this control-plane node; the one with the most memory if not given.",
)
@click.option("--local", is_flag=True, help="On this machine, without any cluster.")
@click.option(
    "--bin",
    "programs",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="With --local: where etcd, etcdutl and kube-apiserver are; PATH if not given.",
)
@click.option(
    "--encryption-provider-config",
    "encryption",
    type=click.Path(path_type=Path, dir_okay=False),
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
@debug_pod
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    snapshot: Path,
    argv: tuple[str, ...],
    *,
    shell: bool,
    node: str,
    local: bool,
    programs: Path | None,
    encryption: Path | None,
    prefix: str,
    pods: "Options",
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
    from kubectl_admin.etcd.past import gather, on_node, use
    from kubectl_admin.etcd.past import local as here
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    if (local and node) or (not local and (programs or encryption)):
        raise UsageError("--node is for a node, --bin and --encryption-provider-config are for --local")
    if shell and (argv or not env.stdin.isatty()):
        raise UsageError("--shell takes no command, and a terminal", "leave --shell out")
    running.refuse_missing(argv, env.environ)
    namespace = env.flags.get("namespace", "")
    own = here.Local(programs, encryption, namespace, env.environ)
    if local:
        here.found(own)
    with env.moving("reading the snapshot") as moving:
        past = gather.of_file(snapshot, prefix=prefix, progress=moving)
    if local:
        opening = here.opened(past, own, env.note)
    else:
        hosts = Hosts(env.cluster_for_work(), Operation.begin(), pods, env.note)
        opening = on_node.opened(past, hosts, on_node.Wish(node, namespace, env.environ, env.moving))
    with opening as there:
        if there.findings:
            env.show(use.report(there), env.stderr)
        code = use.use(there, argv, env.environ, shell=shell, write=env.write, say=env.note)
    raise click.exceptions.Exit(code)
