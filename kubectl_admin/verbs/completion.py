"""`kubectl admin completion`."""

import os
import shutil
import sys
from pathlib import Path

import click

from kubectl_admin.errors import AdminError
from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.verb import Verb

PROGRAM = "kubectl-admin"
COMPLETER = "kubectl_complete-admin"

# The shape of kubectl's own example (kubernetes/sample-cli-plugin, «Shell completion»).
SCRIPT = f"""\
#!/bin/sh
# kubectl runs this to complete the command line of "kubectl admin".
exec {PROGRAM} __complete "$@"
"""
MISSING = f"""\
kubectl completes "kubectl admin" by running {COMPLETER}, which is not on PATH yet.
To put it beside {PROGRAM} in {{directory}}:
  kubectl admin completion --install
To put it anywhere else on PATH:
  kubectl admin completion --print > {COMPLETER} && chmod +x {COMPLETER}
"""
PRESENT = """\
kubectl completes "kubectl admin" by running {completer}.
"""
KUBECTL = """\
The shell must know kubectl's own completion as well: see "kubectl completion --help".
"""


@click.command("completion", cls=Verb)
@click.option("--install", is_flag=True, help=f"Put {COMPLETER} beside {PROGRAM}, as a link to it.")
@click.option("--print", "script", is_flag=True, help=f"Print {COMPLETER} as a script.")
@click.pass_obj
def command(env: Environment, install: bool, script: bool) -> None:
    """Set up completion in the shell: verbs, options, contexts, nodes.

    kubectl completes a plugin's command line by running a program named after the plugin. This verb says
    whether that program is on PATH, and how to put it there; --install does it.

    \b
    Examples:
      # Is it set up, and what is left to do?
      kubectl admin completion
      # Set it up
      kubectl admin completion --install
    """
    if script:
        text = SCRIPT
    elif install:
        text = PRESENT.format(completer=install_completer(env, running(env))) + KUBECTL
    elif completer := found(env, COMPLETER):
        text = PRESENT.format(completer=completer) + KUBECTL
    else:
        text = MISSING.format(directory=running(env).parent) + KUBECTL
    env.write(text)


def install_completer(env: Environment, program: Path) -> Path:
    """Links the completer beside the program, unless it is there; returns its path or raises AdminError.

    The link is relative and names the program's own link: Krew replaces that one with every upgrade.
    """
    completer = program.with_name(COMPLETER)
    if found(env, str(completer)):
        return completer
    try:
        completer.unlink(missing_ok=True)
        completer.symlink_to(program.name)
    except OSError as error:
        hint = f'put "kubectl admin completion --print" into another directory of PATH as {COMPLETER}'
        raise AdminError(f"{completer}: no link could be made: {error.strerror}", hint) from error
    return completer


def running(env: Environment) -> Path:
    """Where the running program is found, links not followed; raises AdminError."""
    # A shell gives a program the bare name that was typed, kubectl and interpreters its path.
    if program := found(env, sys.argv[0]) or found(env, PROGRAM):
        return program
    raise AdminError(f"{PROGRAM} is not on PATH", "install it where kubectl finds it, as a plugin")


def found(env: Environment, program: str) -> Path | None:
    """The absolute path of a program, given by its name or its path."""
    path = shutil.which(program, path=env.environ.get("PATH", os.defpath))
    return Path(path).absolute() if path else None
