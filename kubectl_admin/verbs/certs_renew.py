"""`kubectl admin certs renew`."""

from typing import TYPE_CHECKING

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import change_options, debug_pod, only_nodes, output, skip_host
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report
from kubectl_admin.verbs.certs_change import change_certificates

if TYPE_CHECKING:
    from kubectl_admin.node.debug_pod import Options


@click.command("renew", cls=Verb)
@click.argument("names", nargs=-1, metavar="[NAME]…", shell_complete=candidates.renewable)
@click.option("--all", "everything", is_flag=True, help="Renew all certificates that kubeadm renews.")
@click.option("--ca", "authorities", is_flag=True, help="Say how to replace an authority.")
@only_nodes
@change_options
@skip_host
@debug_pod
@output("table", "wide", "json", "yaml", "name")
@click.pass_obj
def command(  # noqa: PLR0913 - its options
    env: Environment,
    *,
    names: tuple[str, ...],
    everything: bool,
    authorities: bool,
    nodes: tuple[str, ...],
    skipped: tuple[str, ...],
    pods: "Options",
    how: ChangeOptions,
) -> Report:
    """Renew certificates with each node's own kubeadm or kubelet, and verify that the new ones are used.

    On one control-plane node after the other, the present files are backed up, kubeadm renews, and every new
    certificate must be served before the next node. Components that reload their certificates keep running;
    the others are restarted. If interrupted, run the command again to resume. NAME is kubeadm's name
    (apiserver, etcd-server, admin.conf, …).

    Kubelets rotate their own certificates, on every node; name kubelet-client or kubelet-serving to have them
    rotated now.

    \b
    Examples:
      # Show what would be done
      kubectl admin certs renew --all --dry-run
      # All of kubeadm's, on all control-plane nodes
      kubectl admin certs renew --all
      # Two of them, on one node
      kubectl admin certs renew apiserver front-proxy-client --node cp-1
      # The certificate that a worker's kubelet shows to API servers
      kubectl admin certs renew kubelet-client --node worker-1
    """
    from kubectl_admin.certificates.renewable import ROTATED, authority, known, names_to_choose_from
    from kubectl_admin.certificates.renewal.changes import renewal, rotation

    if authorities:
        raise authority("ca")
    if bool(names) == everything:
        hint = None if names else names_to_choose_from()
        raise UsageError("name one or more certificates, or use --all, but not both", hint)
    wanted = known(names)
    asked = rotation(wanted) if wanted and wanted[0] in ROTATED else renewal(wanted)
    return change_certificates(env, asked, nodes, pods, skipped=skipped, how=how)
