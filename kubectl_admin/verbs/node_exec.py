"""`kubectl admin node-exec`."""

from typing import TYPE_CHECKING

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import debug_pod
from kubectl_admin.frame.verb import CommandVerb

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options


class NodeExec(CommandVerb):
    """Its command line."""

    before = "NODE"


@click.command("node-exec", cls=NodeExec)
@click.argument("node", shell_complete=candidates.nodes)
@click.argument("argv", metavar="-- COMMAND [ARGUMENT]…", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("-i", "--stdin", is_flag=True, help="Pass standard input to the command.")
@debug_pod
@click.pass_obj
def command(env: Environment, node: str, argv: tuple[str, ...], stdin: bool, pods: "Options") -> None:
    """Run a command on a node's host, as root.

    It runs in the host's own file system, with its processes and network, through a debug pod that is removed
    afterwards. Its output is passed on as it comes, and its exit code is the exit code of this command.

    \b
    Examples:
      # Is the kubelet of cp-1 well?
      kubectl admin node-exec cp-1 -- systemctl status kubelet
      # A pipe needs a shell
      kubectl admin node-exec cp-1 -- sh -c 'ls /etc/kubernetes | wc -l'
      # With input
      kubectl admin node-exec cp-1 -i -- tee /root/motd < motd
    """
    from kubectl_admin.node import passthrough
    from kubectl_admin.node.hosts import Hosts
    from kubectl_admin.node.operation import Operation

    code = passthrough.execute(
        Hosts(env.cluster_for_work(), Operation.begin(), pods, env.note),
        node,
        argv,
        stdin=env.stdin.buffer if stdin and env.stdin else None,  # None where the shell has closed it
        stdout=env.stdout.buffer,
        stderr=env.stderr.buffer,
    )
    raise click.exceptions.Exit(code)
