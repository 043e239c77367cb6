"""The options of `health`, and which of them go together."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import TABLE_FORMATS, Environment
from kubectl_admin.frame.options import DURATION, host_option, in_order
from kubectl_admin.frame.rules import EXEMPTION, RULE

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.finding import Severity
    from kubectl_admin.health.shown.ignore import Exemption
    from kubectl_admin.node.hosts import Hosts

NEVER = "never"
TIMEOUT = 10.0  # seconds, unless another time is given
HOST_TIMEOUT = 20.0  # the same with --host: a debug pod takes seconds to start
LONGEST_TIMEOUT = 3600.0  # seconds; those of connections end at 24 days
OPTIONS = (
    click.option(
        "--fail-on",
        type=click.Choice(["violation", "warning", NEVER]),
        default="violation",
        show_default=True,
        help="Exit with code 3 if there is such a finding, or a worse one.",
    ),
    click.option(
        "--ignore",
        "exemptions",
        type=EXEMPTION,
        multiple=True,
        metavar="RULE[=OBJECT]",
        shell_complete=candidates.rules,
        help="Set findings of a rule aside, or those of one object (node/w1); may be repeated.",
    ),
    click.option(
        "--explain",
        "explained",
        type=RULE,
        metavar="RULE",
        shell_complete=candidates.rules,
        help="Say what a rule of this program wants, and where that is written; no cluster is asked.",
    ),
    click.option(
        "--timeout",
        type=DURATION,
        show_default="10s, or 20s with --host",
        metavar="DURATION",
        help="Time for all questions together, whatever hangs.",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 10),
        default=1,
        show_default=True,
        metavar="N",
        help="How often a component that did not answer is asked again.",
    ),
    click.option(
        "--sample",
        type=DURATION,
        metavar="SECONDS",
        help="Read metrics twice, so far apart, and judge rates as well; 60 or more for all of them.",
    ),
    click.option(
        "--all",
        "all_nodes",
        is_flag=True,
        help="Ask every node, not only some of them, in a cluster of more than 200.",
    ),
    click.option(
        "--wait",
        type=DURATION,
        metavar="TIMEOUT",
        help="Look again until all is well twice in a row, for so long at most.",
    ),
    click.option("--watch", "watching", is_flag=True, help="Look again and again until you press q."),
    click.option(
        "--save",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Keep a record of this look, for --diff.",
    ),
    click.option("--force", is_flag=True, help="Replace the file of --save if it is there."),
    click.option(
        "--diff",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Show what differs from a record: what is new, gone, or worse.",
    ),
)
# Options without sense beside the first: that asks nothing, or has no end.
EXCLUDED = {
    "explained": ("exemptions", "sample", "all_nodes", "wait", "watching", "save", "force", "diff", "host"),
    "watching": ("sample", "wait", "save", "force", "diff"),
    "host": ("wait", "watching"),
}
# Debug pods would be made again at every look, or stay on nodes for as long as somebody watches.
HINTS = {"host": "a debug pod is for one look"}
HOST_HELP = (
    "Also ask nodes that no other pod leads to, and what listens at another address than the loopback, "
    "through a debug pod on each of these nodes."
)
NAMES = {"exemptions": "--ignore", "explained": "--explain", "all_nodes": "--all", "watching": "--watch"}


def health_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for all of these; `explained` and `watching` by themselves, the others as `options`.

    explained: a Rule or None. options: the Options of a run.
    """

    @functools.wraps(function)
    def decided(  # noqa: PLR0913 - its options
        *arguments: Any,
        fail_on: str,
        exemptions: "tuple[Exemption, ...]",
        timeout: float | None,
        retries: int,
        sample: float | None,
        all_nodes: bool,
        wait: float | None,
        save: Path | None,
        force: bool,
        diff: Path | None,
        hosts: "Callable[[Cluster], Hosts] | None",
        **others: Any,
    ) -> Any:
        from kubectl_admin.health.gather import How
        from kubectl_admin.health.run import Options

        env = click.get_current_context().ensure_object(Environment)
        require_combination(env.output, {**click.get_current_context().params, **others})
        options = Options(
            how=How(
                timeout=timeout or (HOST_TIMEOUT if hosts else TIMEOUT),
                retries=retries,
                sample=sample,
                all_nodes=all_nodes,
                hosts=hosts,
            ),
            fail_on=severity(fail_on),
            exemptions=exemptions,
            wide=env.output == "wide",
            wait=wait,
            save=save,
            force=force,
            diff=diff,
        )
        return function(*arguments, options=options, **others)

    return in_order(OPTIONS, host_option(HOST_HELP)(decided))


def severity(name: str) -> "Severity | None":
    """The severity of --fail-on; None for never."""
    from kubectl_admin.finding import Severity

    return None if name == NEVER else Severity(name)


def require_combination(output: str, given: dict[str, Any]) -> None:
    """Raises UsageError for options that do not go together, or have a value of no use."""
    for one, excluded in EXCLUDED.items():
        beside = [name_of(other) for other in excluded if given[other]]
        if given[one] and beside:
            together = f"{name_of(one)} and {', '.join(beside)} do not go together"
            raise UsageError(together, HINTS.get(one, ""))
    for option in ("timeout", "sample", "wait"):
        if given[option] == 0:
            raise UsageError(f"{name_of(option)} must be more than 0")
    if (given["timeout"] or 0) > LONGEST_TIMEOUT:
        raise UsageError("--timeout must be at most 1h")
    if given["watching"] and output not in TABLE_FORMATS:
        raise UsageError(f"--watch and -o {output} do not go together", "use -o table or -o wide")
    if given["explained"] and output in ("name", "prometheus"):
        raise UsageError(f"--explain and -o {output} do not go together")
    if given["wait"] and given["fail_on"] == NEVER:
        raise UsageError("--wait and --fail-on never do not go together", "say what is not well: warning")
    if given["force"] and not given["save"]:
        raise UsageError("--force is for the file of --save")


def name_of(parameter: str) -> str:
    """An option as it is written."""
    return NAMES.get(parameter, f"--{parameter}")
