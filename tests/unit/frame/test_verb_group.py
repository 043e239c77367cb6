"""A verb with a subcommand: `crew` lists by itself, and the stand-in's `act` is a subcommand of it."""

import sys
import types
from shlex import split

import click
import pytest

from kubectl_admin import cli, completion
from kubectl_admin.frame.options import output
from kubectl_admin.frame.verb import VerbGroup
from kubectl_admin.verbs import VERBS


def crew():
    @click.command("crew", cls=VerbGroup, subcommands={"act": ("act:command", "Do what a test asks for.")})
    @click.option("--quick", is_flag=True, help="Be quick.")
    @output("table", "json")
    @click.pass_obj
    def command(env, quick):
        """Show the crew."""
        env.stdout.write(f"listing {quick} {env.output} {env.flags}\n")

    return command


@pytest.fixture
def environment(environment, monkeypatch):
    module = types.ModuleType("crew")
    module.command = crew()
    monkeypatch.setitem(VERBS, "crew", "Show the crew.")
    monkeypatch.setitem(sys.modules, "kubectl_admin.verbs.crew", module)
    return environment


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("crew", "listing False table {}\n"),
        ("crew --quick -o=json --as me", "listing True json {'as_user': 'me'}\n"),
        ("--as me crew", "listing False table {'as_user': 'me'}\n"),
        ("crew act flags", "{} 0 None None\n"),
        ("crew act --as me flags -v=2 --node w1", "{'as_user': 'me'} 2 w1 None\n"),
        ("crew --as you act flags --as me --careful", "{'as_user': 'me'} 0 None True\n"),
        ("-v --as you crew -v --as me act flags -v", "{'as_user': 'me'} 1 None None\n"),
    ],
)
def test_by_itself_and_with_a_subcommand(environment, words, said):
    assert cli.run(split(words), environment) == 0, environment.stderr.getvalue()
    assert environment.stdout.getvalue() == said


def test_what_a_subcommand_finds_is_the_exit_code(environment):
    assert cli.run(["crew", "act", "violate"], environment) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("crew nosuch", "No such command 'nosuch'.\n       see \"kubectl admin crew --help\"\n"),
        ("crew act", "Missing argument 'WHAT'.\n       see \"kubectl admin crew act --help\"\n"),
        (
            "crew --quick act fine",
            "--quick is in front of 'act': put the options of a command behind its name\n"
            '       see "kubectl admin crew --help"\n',
        ),
        (
            "crew -o table act fine",
            "--output is in front of 'act': put the options of a command behind its name\n"
            '       see "kubectl admin crew --help"\n',
        ),
    ],
)
def test_wrong_usage_names_the_command_that_explains_it(environment, words, said):
    assert cli.run(split(words), environment) == 2
    assert environment.stderr.getvalue() == f"error: {said}"


def test_help_lists_the_subcommands(environment, capsys):
    assert cli.run(["crew", "--help"], environment) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Usage: kubectl admin crew [OPTIONS] [COMMAND]\n\n  Show the crew.\n")
    assert "\nCommands:\n  act  Do what a test asks for.\n" in shown
    assert shown.endswith('Global options: see "kubectl admin options".\n')


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["crew", ""], ["act\tDo what a test asks for.", ":4"]),
        (["crew", "--as", "me", "a"], ["act\tDo what a test asks for.", ":4"]),
        (["crew", "x"], [":4"]),
        (["crew", "--qu"], ["--quick\tBe quick.", ":4"]),
        (["crew", "act", "--care"], ["--careful\tHow to act.", "--careless\tHow to act.", ":4"]),
        (["crew", "act", "-o", "n"], ["name", ":4"]),
        (["crew", "act", "--kubec"], ["--kubeconfig\tKubeconfig file to use instead of $KUBECONFIG.", ":4"]),
    ],
)
def test_completion(environment, words, offered):
    assert completion.candidates(words, environment) == offered
