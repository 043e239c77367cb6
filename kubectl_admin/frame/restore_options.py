"""The options of etcd-restore that say how it is done, and what is taken upon oneself."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kubectl_admin.frame.options import DURATION, in_order

# The name of each in the fields of Forced, and its help.
FORCED = {
    "other_cluster": "Restore a snapshot of another cluster.",
    "version": "Restore a snapshot of another minor of Kubernetes, or of the minor of etcd before.",
    "quota": "Restore a snapshot that leaves little room below etcd's quota.",
    "authority": "Restore a snapshot that names another certificate authority.",
    "encryption": "Restore a snapshot with Secrets that can't be decrypted here.",
}
OPTIONS = (
    click.option(
        "--all-or-nothing",
        is_flag=True,
        help="Go back to the former data unless all control-plane nodes restore; else a majority is enough.",
    ),
    click.option(
        "--decide-within",
        type=DURATION,
        default="3m",
        show_default=True,
        metavar="DURATION",
        help="How long nodes wait for a majority with the restored data before they go back.",
    ),
    click.option(
        "--etcdutl",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="An etcdutl here, for images of etcd without one (3.6.0 to 3.6.4).",
    ),
    click.option(
        "--etcd-prefix",
        "prefix",
        default="/registry",
        show_default=True,
        metavar="PREFIX",
        help="Where kube-apiserver stores objects, by its flag of this name.",
    ),
    click.option(
        "--webhooks",
        type=click.Choice(["ignore"]),
        help="Let webhooks of the snapshot with nobody behind them refuse nothing until all is done.",
    ),
    click.option(
        "--defrag",
        is_flag=True,
        help="Make the restored database as small as it can be, where it is too large for etcd's quota.",
    ),
    *(
        click.option(f"--force-{name.replace('_', '-')}", f"force_{name}", is_flag=True, help=text)
        for name, text in FORCED.items()
    ),
    click.option(
        "--force-nodes", is_flag=True, help="Restore although nodes would have overlapping ranges of pods."
    ),
    click.option(
        "--force-volumes", is_flag=True, help="Restore although storage would change hands between claims."
    ),
)
# Those that are fields of a restore's Options as they are.
PLAIN = ("all_or_nothing", "etcdutl", "prefix", "defrag", "force_nodes", "force_volumes")
LONGEST_DECISION = 220.0  # seconds: etcd's startup probe ends one that finds no majority after 240


def restore_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for all of them, handed over as `options`, a restore's Options."""

    @functools.wraps(function)
    def decided(
        *arguments: Any,
        decide_within: float,
        webhooks: str | None,
        **others: Any,
    ) -> Any:
        from kubectl_admin.errors import UsageError
        from kubectl_admin.etcd.restore.look.facts import Forced
        from kubectl_admin.etcd.restore.look.look import Options
        from kubectl_admin.etcd.restore.on_nodes.plan import Times

        forced = Forced(**{name: others.pop(f"force_{name}") for name in FORCED})
        if not 10 <= decide_within <= LONGEST_DECISION:
            raise UsageError(f"--decide-within is from 10s to {LONGEST_DECISION:.0f}s")
        options = Options(
            forced=forced,
            times=Times(decide=int(decide_within)),
            ignore_webhooks=webhooks == "ignore",
            **{name: others.pop(name) for name in PLAIN},
        )
        return function(*arguments, options=options, **others)

    return in_order(OPTIONS, decided)
