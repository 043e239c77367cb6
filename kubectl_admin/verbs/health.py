"""`kubectl admin health`."""

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.health_options import health_options
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import Verb
from kubectl_admin.report import Report
from kubectl_admin.streams import ReaderGone

if TYPE_CHECKING:
    from kubectl_admin.finding import Rule
    from kubectl_admin.health.run import Options


@click.command("health", cls=Verb)
@health_options
@output("table", "wide", "json", "yaml", "name", "prometheus")
@click.pass_obj
def command(env: Environment, *, explained: "Rule | None", watching: bool, options: "Options") -> Report:
    """Ask every component of the cluster at its own endpoint, and say what is wrong.

    API servers, etcd, kubelets, kube-proxies, controller-managers and schedulers are asked on every node,
    through one connection a node, and without any debug pod unless --host is given; DNS is asked a question,
    and clocks are compared. Then the API's objects are judged: nodes, webhooks, aggregated APIs, system pods.
    A component that could not be looked at is shown as «?» or «denied», never as well or down. Exit code 3:
    something is wrong, by --fail-on; or it is still not well after --wait. Exit code 1: no component has
    answered.

    \b
    Examples:
      # The cluster of the current context
      kubectl admin health
      # With clocks, times of answers, and how each node was reached
      kubectl admin health -o wide
      # Judge rates as well, by two looks that are a minute apart
      kubectl admin health --sample 60
      # Before and after a change
      kubectl admin health --save before.json
      kubectl admin health --diff before.json
      # Also ask what listens at another address than the loopback, through a debug pod
      kubectl admin health --host
      # Wait in a script until all is well
      kubectl admin health --wait 10m
      # Keep looking, until you press q
      kubectl admin health --watch
      # What does a rule want, and where is that written?
      kubectl admin health --explain kube-proxy-behind
      # For the textfile collector of Prometheus' node_exporter; not «&&»: exit code 3 has output, too
      cd /var/lib/node_exporter && kubectl admin health -o prometheus > health.tmp;
        [ -s health.tmp ] && mv health.tmp health.prom
    """
    from kubectl_admin.health.run import run
    from kubectl_admin.health.shown import explain

    if explained:
        shown = explain.report(explained)
        env.show(shown)
    elif watching:
        shown = watch(env, options)
        env.show(shown)
    else:
        outcome = run(env.cluster, options, env.note, partial(env.progress, "asking nodes"))
        shown = outcome.report
        env.show(shown)
        outcome.require_whole()
    return shown


def watch(env: Environment, options: "Options") -> Report:
    """Looks again and again: on a terminal as a picture, elsewhere as lines; the report of the last look."""
    from kubectl_admin.health.again import watch
    from kubectl_admin.health.again.picture import picture
    from kubectl_admin.health.again.window import Window
    from kubectl_admin.health.run import outcome_of, take
    from kubectl_admin.report.screen import opened

    look = partial(take, env.cluster(), options, window=Window())

    def now() -> datetime:
        return datetime.now().astimezone()

    def write(line: str) -> None:
        env.write(line)
        if env.unread:
            raise ReaderGone

    if not env.steers(env.stdout):
        watch.in_lines(look, write, now=now)
    keys = env.stdin.fileno() if env.stdin.isatty() else None
    draw = partial(picture, colour=env.colour(env.stdout), wide=options.wide)
    with opened(env.stdout.fileno(), keys) as screen:
        last = watch.on_screen(look, screen, draw, now=now)
    return outcome_of(last, options).report if last else Report("Health", items=list, names=list)
