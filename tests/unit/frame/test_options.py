"""How the values of shared options are written."""

import io

import click
import pytest

from kubectl_admin.frame.environment import Environment
from kubectl_admin.frame.options import DURATION, MINOR, RATE, Word, host_option


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0", 0),
        ("90s", 90),
        ("1h30m", 5400),
        ("30d", 2592000),
        ("1.5d", 129600),
        ("1d12h", 129600),
        ("0d", 0),
    ],
)
def test_durations(text, seconds):
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "d", "1day", "12h1d", "-1d", "1d-1h", "soon"])
def test_what_is_not_a_duration(text):
    with pytest.raises(click.BadParameter, match="is not a duration"):
        DURATION.convert(text, None, None)


@pytest.mark.parametrize(("text", "minor"), [("1.37", 37), ("v1.37.2", 37)])
def test_minors(text, minor):
    assert MINOR.convert(text, None, None) == minor


@pytest.mark.parametrize("text", ["", "37", "newest"])
def test_what_is_not_a_minor(text):
    with pytest.raises(click.BadParameter, match="is not a Kubernetes version"):
        MINOR.convert(text, None, None)


@pytest.mark.parametrize("text", ["", "0", "fast", "10T"])
def test_what_is_not_a_rate(text):
    with pytest.raises(click.BadParameter, match="is not a rate"):
        RATE.convert(text, None, None)


def test_hosts_are_made_with_the_flags_of_debug_pods_where_host_asks_for_them():
    env, made = Environment(io.StringIO(), io.StringIO(), io.StringIO(), {}), []

    @click.command()
    @host_option("Look at disks.")
    @click.pass_obj
    def command(_env, *, hosts):
        made.append(hosts)

    command.main(
        ["--host", "--image", "tools:1"],
        standalone_mode=False,
        obj=env,
    )
    assert made[0](None).options.image == "tools:1"
    command.main([], standalone_mode=False, obj=env)
    assert made[1] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument 'COMPONENT'. It is one of kubelet, etcd."),
        (["kublet"], "'kublet' is not one of 'kubelet', 'etcd'; did you mean 'kubelet'?"),
        (["other"], "'other' is not one of 'kubelet', 'etcd'."),
    ],
)
def test_a_word_that_is_missing_or_misspelled_is_one_line(words, said):
    argument = click.Argument(["component"], type=Word(["kubelet", "etcd"]), metavar="COMPONENT")
    with pytest.raises(click.UsageError) as caught:
        click.Command("c", params=[argument]).make_context("c", words)
    assert caught.value.format_message().endswith(said)
