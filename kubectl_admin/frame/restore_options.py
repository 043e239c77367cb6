"""The options of etcd-restore that say how it is done, and what is taken upon oneself."""

import functools
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from kubectl_admin.frame.options import DURATION, in_order

if TYPE_CHECKING:
    from kubectl_admin.etcd.restore.local.look import ByHand

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
        metavar="DURATION",
        show_default="3m; 1h with --local and --script",
        help="How long nodes wait for a majority with the restored data before they go back: from 10s to "
        "220s, or to 24h with --local and --script.",
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
LOCAL = (
    click.option(
        "--local",
        is_flag=True,
        help="Restore this control-plane node by itself, as root on it; no API is asked.",
    ),
    click.option(
        "--script", is_flag=True, help="Print a script that does the same on each node, without this program."
    ),
    click.option(
        "--members",
        metavar="NAMES",
        help="With --local and --script: the members of the restored etcd, by commas; the others are lost.",
    ),
    click.option(
        "--bump",
        type=click.IntRange(1, 1 << 60),
        metavar="N",
        help="With --local and --script: by how much revisions rise, the same on all nodes.",
    ),
)
# The options by which a report is had, and those that --status and --prune take besides, as parameters.
ANYWHERE = frozenset(
    {"local", "script", "debug_namespace", "image", "debug_critical", "output", "no_headers"}
)
TAKEN = {
    "only_status": ("--status", ANYWHERE | {"only_status"}),
    "prune": ("--prune", ANYWHERE | {"prune", "dry_run", "yes"}),
}
DECISION = 180.0  # seconds
LONGEST_DECISION = 220.0  # seconds: etcd's startup probe ends one that finds no majority after 240
LONGEST_BY_HAND = 86400.0  # seconds: where people start the nodes, the probe only has etcd started again


def restore_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for all of them, handed over as `options`, a restore's Options, and as `by_hand`: how
    the nodes restore by themselves, a ByHand; None where they do not.
    """

    @functools.wraps(function)
    def decided(
        *arguments: Any,
        decide_within: float | None,
        webhooks: str | None,
        local: bool,
        script: bool,
        members: str | None,
        bump: int | None,
        **others: Any,
    ) -> Any:
        from kubectl_admin.errors import UsageError
        from kubectl_admin.etcd.restore.local.settings import DECIDE
        from kubectl_admin.etcd.restore.look.facts import Forced
        from kubectl_admin.etcd.restore.look.look import Options
        from kubectl_admin.etcd.restore.on_nodes.plan import Times

        refuse_strange(click.get_current_context())
        forced = Forced(**{name: others.pop(f"force_{name}") for name in FORCED})
        by_hand = by_hand_of(local=local, script=script, members=members, bump=bump)
        longest = LONGEST_BY_HAND if by_hand else LONGEST_DECISION
        within = decide_within if decide_within is not None else float(DECIDE) if by_hand else DECISION
        if not 10 <= within <= longest:
            raise UsageError(f"--decide-within is from 10s to {longest:.0f}s")
        options = Options(
            forced=forced,
            times=Times(decide=int(within)),
            ignore_webhooks=webhooks == "ignore",
            **{name: others.pop(name) for name in PLAIN},
        )
        return function(*arguments, options=options, by_hand=by_hand, **others)

    return in_order((*OPTIONS, *LOCAL), decided)


def refuse_strange(ctx: click.Context) -> None:
    """Raises UsageError for options of a restore that are given to --status or --prune."""
    from kubectl_admin.errors import UsageError

    asked = [name for name in TAKEN if ctx.params.get(name)]
    if len(asked) != 1:
        return
    option, taken = TAKEN[asked[0]]
    strange = [
        param.opts[-1]
        for param in ctx.command.params
        if isinstance(param, click.Option)
        and param.name not in taken
        and ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    ]
    if strange:
        raise UsageError(f"{', '.join(strange)} {'does' if len(strange) == 1 else 'do'} not go with {option}")


def refuse_no_file(path: Path) -> None:
    """Raises UsageError for a path of this machine that is no file."""
    from kubectl_admin.errors import UsageError

    try:
        is_directory = stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error
    if is_directory:
        raise UsageError(f"{path} can't be read: it is a directory")


def by_hand_of(*, local: bool, script: bool, members: str | None, bump: int | None) -> "ByHand | None":
    """How the nodes restore by themselves; None where they do not. Raises UsageError for misfits."""
    from kubectl_admin.errors import UsageError
    from kubectl_admin.etcd.restore.local.look import ByHand

    if local and script:
        raise UsageError("use --local on the node itself, or --script elsewhere, one of them")
    if not local and not script:
        if members is not None or bump is not None:
            raise UsageError("--members and --bump are for --local and --script")
        return None
    names = tuple(name.strip() for name in (members or "").split(",") if name.strip())
    if members is not None and (not names or len(set(names)) != len(names)):
        raise UsageError(f"--members takes names of members, each once, and not {members!r}")
    return ByHand(names, bump, is_script=script)
