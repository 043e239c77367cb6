import dataclasses
from shlex import split

import click
import pytest

from kubectl_admin import cli
from kubectl_admin.cluster.kubeconfig import Overrides
from kubectl_admin.frame.verb import TEXT_FLAGS, global_options, spelled_out
from tests.fakes.served_api import VERSION, serving
from tests.program import run


def flags(environment, *args):
    """The global flags that a command line comes to, with `{}` where the verb stands."""
    words = [word for arg in args for word in (["act", "flags"] if arg == "{}" else [arg])]
    assert cli.run(words, environment) == 0, environment.stderr.getvalue()
    return environment.flags


@pytest.mark.parametrize("flag", [name for names, *_ in TEXT_FLAGS for name in names.split(",")])
def test_a_flag_stands_before_or_behind_the_verb_and_the_later_wins(environment, flag):
    (field,) = (field for names, _, field, _ in TEXT_FLAGS if flag in names.split(","))
    first, second = ("5s", "1m") if field == "request_timeout" else ("a", "b")
    wanted = {field: 60.0 if field == "request_timeout" else "b"}
    for words in [("{}", flag, second), (flag, second, "{}"), (flag, first, "{}", flag, second)]:
        environment.flags.clear()
        assert flags(environment, *words) == wanted


def test_every_flag_has_its_place_in_the_overrides():
    fields = {field.name for field in dataclasses.fields(Overrides)}
    assert {field for *_, field, _ in TEXT_FLAGS} | {"as_groups", "insecure_skip_tls_verify"} == fields


def test_groups_are_gathered_and_the_later_side_wins(environment):
    assert flags(environment, "--as-group=a", "{}") == {"as_groups": ("a",)}
    assert flags(environment, "--as-group=a", "{}", "--as-group=b", "--as-group", "c") == {
        "as_groups": ("b", "c")
    }


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("{}", {}),
        ("{} --insecure-skip-tls-verify", {"insecure_skip_tls_verify": True}),
        ("{} --insecure-skip-tls-verify=true", {"insecure_skip_tls_verify": True}),
        ("{} --insecure-skip-tls-verify=false", {"insecure_skip_tls_verify": False}),
        ("--insecure-skip-tls-verify {} --insecure-skip-tls-verify=F", {"insecure_skip_tls_verify": False}),
        ("--insecure-skip-tls-verify=0 {} --insecure-skip-tls-verify=1", {"insecure_skip_tls_verify": True}),
        ("-n=kube-system {}", {"namespace": "kube-system"}),
        ("{} -s=https://a:6443/?b=c", {"server": "https://a:6443/?b=c"}),
        ("{} -nkube-system", {"namespace": "kube-system"}),
    ],
)
def test_kubectls_spellings_of_a_flag(environment, words, wanted):
    assert flags(environment, *split(words)) == wanted


@pytest.mark.parametrize(
    ("words", "verbosity"),
    [
        ("{}", 0),
        ("{} -v", 1),
        ("-v {}", 1),
        ("-vv {} -v", 2),
        ("-v {} -vv", 2),
        ("{} -v=6", 6),
        ("{} --v=6", 6),
        ("{} -v6", 6),
        ("{} -v 6", 6),
        ("-v 6 {}", 6),
        ("-v=3 {} --verbosity=10", 10),
        ("{} -v=0", 0),
    ],
)
def test_how_much_is_said(environment, words, verbosity):
    flags(environment, *split(words))
    assert environment.verbosity == verbosity


@pytest.mark.parametrize(
    ("words", "careful"),
    [
        ("", None),
        ("--careful", True),
        ("--careful=true", True),
        ("--careful=false", False),
        ("--careless", False),
    ],
)
def test_a_switch_of_a_verb_takes_a_value_as_well(environment, words, careful):
    flags(environment, "{}", *split(words))
    assert environment.stdout.getvalue().endswith(f" {careful}\n")


def test_what_follows_two_dashes_is_left_alone():
    switch = click.Option(["--client"], is_flag=True)
    assert spelled_out(["--client=true", "--", "-v=6", "--client=true", "-o=json"], [switch]) == [
        "--client",
        "--",
        "-v=6",
        "--client=true",
        "-o=json",
    ]


def test_a_number_behind_the_spelled_out_verbosity_is_an_argument():
    """The program spells out what stands in front of the verb, the verb does so again with the rest."""
    once = spelled_out(["-v=2", "5"], [])
    assert spelled_out(once, []) == ["--verbosity", "--verbosity", "5"]


def test_a_switch_without_an_opposite_is_left_out_where_it_is_false():
    assert spelled_out(["--client=false"], [click.Option(["--client"], is_flag=True)]) == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("--request-timeout=soon", 'invalid timeout "soon"\n'),
        ("-o=xml", "'xml' is not one of 'table', 'wide', 'json', 'yaml', 'name'."),
        ("-v=loud", "No such option '-='."),
        ("--careful=perhaps", "Option '--careful' does not take a value."),
        ("--context", "Option '--context' requires an argument."),
    ],
)
def test_a_flag_that_makes_no_sense_is_wrong_usage(environment, words, error):
    assert cli.run(["act", "flags", *split(words)], environment) == 2
    said = environment.stderr.getvalue()
    assert said.startswith("error: ")
    assert error in said


@pytest.mark.parametrize(
    ("words", "output", "headers"),
    [
        ("", "table", True),
        ("-o json", "json", True),
        ("-ojson", "json", True),
        ("-o=json", "json", True),
        ("--output json", "json", True),
        ("--output=json", "json", True),
        ("--no-headers", "table", False),
        ("--no-headers=true", "table", False),
        ("--no-headers=false", "table", True),
    ],
)
def test_formats(environment, words, output, headers):
    flags(environment, "{}", *split(words))
    assert (environment.output, environment.headers) == (output, headers)


def test_global_flags_are_explained_once():
    """By a verb of their own, as kubectl does; every other help names that one."""
    for shown in (run("version", "--help").out, run("--help").out, run().out):
        assert "--kubeconfig" not in shown
        assert '"kubectl admin options"' in shown
    listed = run("options").out
    for option in global_options(hidden=False):
        assert option.help.endswith(".")
        assert f"  {option.opts[0]}" in listed or f", {option.opts[-2]}" in listed


@pytest.mark.parametrize("words", ["-v version", "version -v"])
def test_requests_are_shown_on_demand(tmp_path, words):
    with serving({"/version": VERSION}) as server:
        ended = run(*split(words), "--kubeconfig", server.kubeconfig(tmp_path))
    assert ended.code == 0
    assert ended.err.startswith(f"GET {server.stand_in.url}/version 200 in ")
    assert ended.err.count("\n") == 1
