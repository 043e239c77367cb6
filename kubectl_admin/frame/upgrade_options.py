"""The options of an upgrade's verbs: the version, the allowed violations, and how nodes are drained."""

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from kubectl_admin.frame.options import DURATION, debug_pod, drain_options, in_order, skip_host

if TYPE_CHECKING:
    from kubectl_admin.drain.drain import Options as Drain

OPTIONS = (
    click.option("--to", metavar="VERSION", help="This version or minor (1.37.2, 1.37), not the cluster's."),
    click.option(
        "--allow", metavar="RULE", multiple=True, help="Proceed despite a violation of RULE; may be repeated."
    ),
    click.option("--first", is_flag=True, help="Begin with this control-plane node, not the oldest one."),
    click.option("--renew-key", is_flag=True, help="Fetch the package repository's key again."),
    click.option(
        "--snapshot",
        type=click.Path(),
        default=".",
        metavar="FILE",
        help="File or directory for the snapshot of etcd that is taken before a control plane is changed.",
    ),
    click.option("--no-snapshot", is_flag=True, help="Take no snapshot of etcd."),
    click.option("--ignore-preflight-errors", "ignored", metavar="LIST", help="kubeadm's own flag."),
    click.option("--patches", metavar="DIRECTORY", help="kubeadm's own flag: a directory on the node."),
    click.option("--no-drain", is_flag=True, help="Leave the pods on the node: for patches of one minor."),
    drain_options,
    click.option(
        "--ready-timeout",
        type=DURATION,
        default="10m",
        show_default=True,
        metavar="DURATION",
        help="Time for the node to be well again; 0: no limit.",
    ),
    skip_host,
    debug_pod,
)


def upgrade_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for all of these, handed over as `options`, an upgrade's Options."""

    @functools.wraps(function)
    def decided(  # noqa: PLR0913 - those whose values are not the Options' own
        *arguments: Any,
        to: str | None,
        allow: tuple[str, ...],
        first: bool,
        renew_key: bool,
        snapshot: str,
        no_snapshot: bool,
        ignored: str | None,
        patches: str | None,
        no_drain: bool,
        draining: "Drain",
        ready_timeout: float,
        skipped: tuple[str, ...],
        pods: Any,
        **others: Any,
    ) -> Any:
        from kubectl_admin.upgrade.inspection import Options

        options = Options(
            to=to,
            allow=allow,
            ignored=ignored or "-",
            patches=patches or "-",
            renew_key=renew_key,
            snapshot=None if no_snapshot else snapshot,
            first=first,
            draining=None
            if no_drain
            else replace(draining, flags=replace(draining.flags, ignore_daemonsets=True)),
            ready_timeout=ready_timeout or math.inf,
            pods=pods,
            skipped=skipped,
        )
        return function(*arguments, options=options, **others)

    return in_order(OPTIONS, decided)
