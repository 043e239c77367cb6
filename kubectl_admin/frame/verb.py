"""A verb on the command line: it takes kubectl's global flags, before and after its name.

kubectl refuses flags in front of a plugin's name, so `kubectl admin --context c skew` and
`kubectl admin skew --context c` must mean the same; the later flag wins.
"""

import functools
import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import click
from click.core import ParameterSource

from kubectl_admin.errors import UsageError
from kubectl_admin.frame import candidates
from kubectl_admin.frame.environment import Environment

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# kubectl's name, how it is shown, the field of cluster.kubeconfig.Overrides, kubectl's meaning.
TEXT_FLAGS = (
    ("--kubeconfig", "FILE", "kubeconfig", "Kubeconfig file to use instead of $KUBECONFIG."),
    ("--context", "NAME", "context", "Context of the kubeconfig to use."),
    ("--cluster", "NAME", "cluster", "Cluster of the kubeconfig to use."),
    ("--user", "NAME", "user", "User of the kubeconfig to use."),
    ("--namespace,-n", "NAME", "namespace", "Namespace for what this command looks up in one."),
    ("--as", "USER", "as_user", "User to impersonate for the operation."),
    ("--as-uid", "UID", "as_uid", "UID to impersonate for the operation."),
    (
        "--request-timeout",
        "DURATION",
        "request_timeout",
        "Time limit of one request (5s, 2m); 0: no limit.",
    ),
    ("--server,-s", "URL", "server", "Address of the API server."),
    ("--token", "TOKEN", "token", "Bearer token for the API server."),
    ("--certificate-authority", "FILE", "certificate_authority", "Certificate authority of the API server."),
    ("--client-certificate", "FILE", "client_certificate", "Client certificate for TLS."),
    ("--client-key", "FILE", "client_key", "Client key for TLS."),
    ("--tls-server-name", "NAME", "tls_server_name", "Name to expect in the server's certificate."),
    ("--proxy-url", "URL", "proxy_url", "Proxy for requests to the API server."),
)
VERBOSITY = re.compile(r"(?:-v=?|--v=|--verbosity=)(\d{1,2})")
SWITCHED = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


class Verb(click.Command):
    """A command that takes the global flags as well and says only its own in its help."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        # The shell offers them behind the verb, too; only the help leaves them out.
        return [*super().get_params(ctx), *global_options(hidden=not ctx.resilient_parsing)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spelled_out(args, self.get_params(ctx)))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text('Global options: see "kubectl admin options".')


class CommandVerb(Verb):
    """A verb with the command line of another program behind `--`. before: the word in front of that."""

    before = ""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if "--" in args:
                raise
            # Click would offer an option of this program instead, which means something else.
            raise UsageError(
                error.message, f"put -- before the command: {ctx.command_path} {self.before} -- COMMAND"
            ) from error


class VerbGroup(Verb, click.Group):
    """A verb that does something by itself and has subcommands, which are listed without loading any.

    subcommands: name -> where its command is, as «certs_csr:command» (a module of `verbs` and the name in
    it), and its line in the help. A subcommand is a `Verb` or such a group itself.
    """

    def __init__(
        self,
        name: str | None,
        *,
        subcommands: Mapping[str, tuple[str, str]],
        callback: Callable[..., Any],
        **attributes: Any,
    ) -> None:
        super().__init__(
            name,
            callback=_unless_subcommand(callback),
            invoke_without_command=True,
            subcommand_metavar="[COMMAND]",
            **attributes,
        )
        self.subcommands = subcommands

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(self.subcommands)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.subcommands:
            return None
        module, _, name = self.subcommands[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"kubectl_admin.verbs.{module}"), name)
        return cast(click.Command, command)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.subcommands:
            with formatter.section("Commands"):
                formatter.write_dl([(name, line) for name, (_, line) in self.subcommands.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        offered = candidates.beginning(
            incomplete, ((name, line) for name, (_, line) in self.subcommands.items())
        )
        return offered + click.Command.shell_complete(self, ctx, incomplete)


def _unless_subcommand(callback: Callable[..., Any]) -> Callable[..., Any]:
    """The group's own callback where no subcommand is named; options in front of one are refused."""

    @functools.wraps(callback)
    def alone(*arguments: Any, **options: Any) -> Any:
        ctx = click.get_current_context()
        if ctx.invoked_subcommand is None:
            return callback(*arguments, **options)
        for param in ctx.command.params:
            if param.name and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(
                    f"{param.opts[-1]} is in front of {ctx.invoked_subcommand!r}: put the options of a"
                    " command behind its name"
                )
        return None

    return alone


def global_options(*, hidden: bool) -> list[click.Parameter]:
    """The global flags as options that land in the environment's `flags`, not in the verb's arguments."""

    def option(*names: str, field: str, **attributes: Any) -> click.Option:
        return click.Option(
            [*names, f"global_{field}"],
            hidden=hidden,
            expose_value=False,
            callback=keep(field),
            shell_complete=candidates.OF_FLAG.get(field),
            **attributes,
        )

    return [
        *(
            option(
                *names.split(","),
                field=field,
                type=click.Path() if metavar == "FILE" else str,
                metavar=metavar,
                help=text,
            )
            for names, metavar, field, text in TEXT_FLAGS
        ),
        option(
            "--as-group",
            field="as_groups",
            metavar="GROUP",
            multiple=True,
            help="Group to impersonate; may be repeated.",
        ),
        option(
            "--insecure-skip-tls-verify/--no-insecure-skip-tls-verify",
            field="insecure_skip_tls_verify",
            default=None,
            help="Do not check the server's certificate: unsafe.",
        ),
        click.Option(
            ["-v", "--verbosity"],
            hidden=hidden,
            expose_value=False,
            callback=keep_verbosity,
            count=True,
            help="Say what is requested (-v), and show tracebacks (-vv); -v=N works, too.",
        ),
    ]


def keep(field: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """A callback that stores a flag's value in the environment, if the flag was given."""

    def store(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        if value is None or value == ():
            return
        if field == "request_timeout":
            from kubectl_admin.cluster.kubeconfig import parse_duration

            value = parse_duration(value)
        ctx.ensure_object(Environment).flags[field] = value

    return store


def keep_verbosity(ctx: click.Context, _parameter: click.Parameter, value: int) -> None:
    """Stores the highest verbosity asked for on either side of the verb."""
    environment = ctx.ensure_object(Environment)
    if value > environment.verbosity:
        environment.verbosity = value
        environment.log_requests()


def spelled_out(args: list[str], params: Sequence[click.Parameter]) -> list[str]:
    """kubectl's `-v=6`, `-v 6`, `--v=6`, `-o=json` and `--client=true` in click's spelling.

    params: the command's, which say what is a switch and what takes a value.
    Words after `--` are left alone: they belong to somebody else's command.
    """
    end = args.index("--") if "--" in args else len(args)
    options = [param for param in params if isinstance(param, click.Option) and not param.count]
    switches = {name: option for option in options if option.is_flag for name in option.opts}
    short = {name for option in options if not option.is_flag for name in option.opts if len(name) == 2}
    spelled: list[str] = []
    for arg in args[:end]:
        name, given, value = arg.partition("=")
        if spelled[-1:] == ["-v"] and (level := VERBOSITY.fullmatch(f"-v{arg}")):
            spelled[-1:] = ["--verbosity"] * int(level[1])
        elif level := VERBOSITY.fullmatch(arg):
            spelled += ["--verbosity"] * int(level[1])
        elif name in switches and value.lower() in SWITCHED:
            spelled += [name] if SWITCHED[value.lower()] else switches[name].secondary_opts
        elif name in short and given:
            spelled += [name, value]
        else:
            spelled.append(arg)
    return spelled + args[end:]
