"""`kubectl admin options`."""

import click

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.verb import Verb, global_options


@click.command("options", cls=Verb)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the global options, which every verb takes, before and after its name.

    They are kubectl's own, with the same meaning.

    \b
    Examples:
      # All of them
      kubectl admin options
    """
    formatter = ctx.make_formatter()
    records = [option.get_help_record(ctx) for option in global_options(hidden=False)]
    with formatter.section("Global options"):
        formatter.write_dl([record for record in records if record])
    ctx.ensure_object(Environment).write(formatter.getvalue())
