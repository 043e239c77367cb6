"""Options that verbs share, and how their values are written."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from kubectl_admin.frame import candidates
from kubectl_admin.frame.change import ChangeOptions
from kubectl_admin.frame.environment import Environment

if TYPE_CHECKING:
    from kubectl_admin.cluster.connection import Cluster
    from kubectl_admin.node.hosts import Hosts

DAYS = re.compile(r"(\d+(?:\.\d+)?)d")  # which kubectl's durations don't know
DAY = 86400.0  # seconds
LONGEST = 36_500 * DAY  # that is waited; the machine's own timers end at three times that


class Word(click.Choice[str]):
    """One of some words, as an argument; an error offers the word that was probably meant."""

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        return f"It is one of {', '.join(self.choices)}."

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        import difflib

        near = difflib.get_close_matches(str(value), self.choices, 1)
        said = super().get_invalid_choice_message(value, ctx)
        return f"{said.rstrip('.')}; did you mean {near[0]!r}?" if near else said


class Duration(click.ParamType[float]):
    """Seconds of «30», «90s», «5m», «1h30m», «30d», «1d12h»; 0: no limit. More than LONGEST is refused."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        from kubectl_admin.cluster.kubeconfig import parse_duration
        from kubectl_admin.errors import UsageError

        days = DAYS.match(value)
        rest = value[days.end() :] if days else value
        try:
            seconds = (float(days[1]) * DAY if days else 0) + (
                parse_duration(rest) if rest or not days else 0
            )
        except UsageError as error:
            self.fail(f"{value!r} is not a duration: {error.hint}", param, ctx)
        if seconds > LONGEST:
            self.fail(f"{value!r} is too long: {LONGEST / DAY:,.0f}d at most", param, ctx)
        return seconds


class Rate(click.ParamType[float]):
    """Bytes a second of «500k», «10M», «1.5G», as curl's --limit-rate has it."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgG]?)[bB]?", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is not a rate (examples: 500k, 10M)", param, ctx)
        return float(match[1]) * {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}[match[2].lower()]


class Minor(click.ParamType[int]):
    """The minor of «1.37» or «v1.37.2»."""

    name = "minor"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from kubectl_admin.versions.version import Version, not_a_kubernetes_version

        try:
            return Version.parse(str(value)).minor
        except ValueError:
            self.fail(not_a_kubernetes_version(str(value)), param, ctx)


DURATION, RATE, MINOR = Duration(), Rate(), Minor()


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def in_order(decorators: Sequence[Decorator], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with these options, which its help lists in this order."""
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def change_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for `--dry-run` and `--yes`, handed over as `how`, a ChangeOptions."""

    @functools.wraps(function)
    def decided(*arguments: Any, dry_run: bool, yes: bool, **others: Any) -> Any:
        return function(*arguments, how=ChangeOptions(dry_run=dry_run, yes=yes), **others)

    decided = click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")(decided)
    return click.option("--dry-run", is_flag=True, help="Show the plan, and change nothing.")(decided)


def debug_pod_flags(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for the flags about debug pods, `debug_namespace`, `image` and `debug_critical`."""
    function = click.option(
        "--debug-critical",
        is_flag=True,
        help="Start the debug pod on a full node, too: the kubelet kills another pod for it.",
    )(function)
    function = click.option(
        "--image",
        metavar="IMAGE",
        help="Image of the debug pod, one that you trust, instead of one that the node holds.",
    )(function)
    return click.option(
        "--debug-namespace",
        default="kube-system",
        show_default=True,
        metavar="NAME",
        shell_complete=candidates.namespaces,
        help="Namespace of the debug pod; it must allow privileged pods.",
    )(function)


def debug_pod(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for the same, handed over as `pods`, a node Options."""

    @functools.wraps(function)
    def decided(
        *arguments: Any, debug_namespace: str, image: str | None, debug_critical: bool, **others: Any
    ) -> Any:
        from kubectl_admin.node.debug_pod import Options

        pods = Options(namespace=debug_namespace, image=image, critical=debug_critical)
        return function(*arguments, pods=pods, **others)

    return debug_pod_flags(decided)


def host_option(text: str) -> "Decorator":
    """The decorator for `--host` and the flags about debug pods, handed over as `hosts`.

    text: its help. hosts: makes the Hosts of a cluster; None without --host. It is imported then.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decided(
            *arguments: Any,
            host: bool,
            debug_namespace: str,
            image: str | None,
            debug_critical: bool,
            **others: Any,
        ) -> Any:
            env = click.get_current_context().ensure_object(Environment)

            def hosts(cluster: "Cluster") -> "Hosts":
                from kubectl_admin.node.debug_pod import Options
                from kubectl_admin.node.hosts import Hosts
                from kubectl_admin.node.operation import Operation

                options = Options(namespace=debug_namespace, image=image, critical=debug_critical)
                return Hosts(cluster, Operation.begin(), options, env.note)

            return function(*arguments, hosts=hosts if host else None, **others)

        return click.option("--host", is_flag=True, help=text)(debug_pod_flags(decided))

    return decorate


def skip_host(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for `--skip-host`, handed over as `skipped`, of what changes a control plane."""
    return click.option(
        "--skip-host",
        "skipped",
        multiple=True,
        metavar="NODE",
        shell_complete=candidates.nodes,
        help="Do not ask this control-plane host, which is down, for running work; may be repeated.",
    )(function)


def only_nodes(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for `--node`, handed over as `nodes`, of what may be limited to some."""
    return click.option(
        "--node",
        "nodes",
        multiple=True,
        metavar="NODE",
        shell_complete=candidates.nodes,
        help="Only on this node; may be repeated.",
    )(function)


def max_duration(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for `--max-duration`, handed over as `longest`, whole seconds."""

    def limit(_ctx: click.Context, _parameter: click.Parameter, value: float) -> int:
        return int(value) or 1 << 31  # no limit: more than the API can say

    return click.option(
        "--max-duration",
        "longest",
        type=DURATION,
        default="8784h",
        show_default=True,
        metavar="DURATION",
        callback=limit,
        help="Refuse requests for longer than this (0: no limit); the signer has its own limit.",
    )(function)


DRAIN_OPTIONS = (
    click.option("--delete-emptydir-data", is_flag=True, help="Move pods whose emptyDir data is lost by it."),
    click.option("--force", is_flag=True, help="Move pods without a controller, which nothing recreates."),
    click.option("--disable-eviction", is_flag=True, help="Delete pods, past their disruption budgets."),
    click.option(
        "--timeout",
        type=DURATION,
        default="0",
        show_default=True,
        metavar="DURATION",
        help="Time for the drain (30s, 10m); 0: no limit.",
    ),
    click.option(
        "--primary-timeout",
        type=DURATION,
        default="3m",
        show_default=True,
        metavar="DURATION",
        help="Time for operators to move primaries of databases; 0 does not wait.",
    ),
    click.option(
        "--wait-for-budgets",
        is_flag=True,
        help="Proceed although a budget can't be met as it is.",
    ),
)


def drain_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator for what all drains of a node take, handed over as `draining`, a drain's Options."""

    @functools.wraps(function)
    def decided(
        *arguments: Any,
        delete_emptydir_data: bool,
        force: bool,
        disable_eviction: bool,
        timeout: float,
        primary_timeout: float,
        wait_for_budgets: bool,
        **others: Any,
    ) -> Any:
        from kubectl_admin.drain.drain import Options
        from kubectl_admin.drain.filters import Flags

        flags = Flags(
            delete_emptydir_data=delete_emptydir_data, force=force, disable_eviction=disable_eviction
        )
        draining = Options(
            flags=flags,
            timeout=timeout,
            primary_timeout=primary_timeout,
            wait_for_budgets=wait_for_budgets,
        )
        return function(*arguments, draining=draining, **others)

    return in_order(DRAIN_OPTIONS, decided)


def output(*formats: str) -> Decorator:
    """The decorator for `-o` with these formats, the first being the default, and `--no-headers`."""

    def keep_format(ctx: click.Context, _parameter: click.Parameter, value: str) -> None:
        ctx.ensure_object(Environment).output = value

    def keep_headers(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        ctx.ensure_object(Environment).headers = not value

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function = click.option(
            "--no-headers",
            is_flag=True,
            expose_value=False,
            callback=keep_headers,
            help="Leave the tables' headers out.",
        )(function)
        return click.option(
            "-o",
            "--output",
            type=click.Choice(formats),
            default=formats[0],
            show_default=True,
            expose_value=False,
            callback=keep_format,
            help="How the result is shown.",
        )(function)

    return decorate
