import contextlib
import io
import os
import pty
import signal
import socket
import subprocess
import sys

import click
import pytest

from kubectl_admin import cli
from kubectl_admin.frame.verb import VerbGroup
from kubectl_admin.verbs import GROUPS, VERBS
from tests.fakes import program
from tests.fakes.served_api import EMPTY, serving
from tests.program import (
    END_TIMEOUT,
    PROGRAM,
    ROOT,
    STAND_IN,
    Child,
    Ended,
    environ,
    run,
    run_on_terminal,
    signalled,
    start,
)

# What `--help` and a TAB must not wait for.
HEAVY = ("kubernetes", "yaml", "tabulate", "cryptography", "urllib3", "requests", "websocket")


def commands(*words, command=cli.program):
    """The words of every verb and subcommand, and its command."""
    for name in command.list_commands(click.Context(command)):
        inner = command.get_command(click.Context(command), name)
        yield (*words, name), inner
        if isinstance(inner, VerbGroup):
            yield from commands(*words, name, command=inner)


COMMANDS = [pytest.param(words, command, id=" ".join(words)) for words, command in commands()]


# Each command line in a child of a process that has loaded no more than both programs do to begin with.
HELPS = [[], ["--help"], ["nosuch"], *([*words, "--help"] for words, _ in commands())]
LOADED = f"""
import os, sys
from kubectl_admin import cli, completion

def tell(args):
    sys.stdout.flush()
    loaded = {{name.partition(".")[0] for name in sys.modules}}
    print(" ".join(["admin", *args]), *loaded, sep=",", file=sys.stderr)

tell([])
for args in {HELPS!r}:
    if os.fork():
        os.wait()
    else:
        cli.run(args, cli.Environment.of_process())
        tell(args)
        os._exit(0)
"""


def test_help_imports_nothing_heavy():
    ended = run("-c", LOADED, program=(sys.executable,))
    assert ended.code == 0
    told = [line.split(",") for line in ended.err.splitlines() if line.startswith("admin")]
    assert len(told) == 1 + len(HELPS)
    for words, *loaded in told:
        assert "click" in loaded
        assert not {*HEAVY} & {*loaded}, words


def in_process(*args):
    """What the program says, without a process of its own."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out):  # which click writes help to
        code = cli.run([*args], cli.Environment(io.StringIO(), out, err, environ()))
    return Ended(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize(
    ("args", "how"), [([], in_process), (["--help"], run), (["--help"], in_process), (["-h"], in_process)]
)
def test_the_program_lists_its_verbs(args, how):
    ended = how(*args)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("Usage: kubectl admin ")
    for verb in VERBS:
        assert f"\n  {verb} " in ended.out


def test_verbs_come_before_all_else_in_groups():
    shown = in_process().out
    titles = [shown.index(f"\n{title}:\n") for title in GROUPS]
    assert titles == sorted(titles)
    assert "\n  -" not in shown  # no option
    assert sorted(verb for verbs in GROUPS.values() for verb in verbs) == sorted(VERBS)


@pytest.mark.parametrize(("words", "command"), COMMANDS)
def test_every_verb_exists_and_explains_itself(words, command):
    name = " ".join(words)
    assert command.name == words[-1]
    ended = in_process(*words, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: kubectl admin {name} ")
    assert "Examples:\n    # " in ended.out
    assert f"\n    kubectl admin {name}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


@pytest.mark.parametrize(("_words", "command"), COMMANDS)
def test_a_verb_says_what_each_option_does(_words, command):
    for param in command.params:
        assert isinstance(param, click.Argument) or param.help.endswith(".")


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        (["nosuch"], 2, "error: No such command 'nosuch'.\n       see \"kubectl admin --help\"\n"),
        (["act"], 2, "error: Missing argument 'WHAT'.\n       see \"kubectl admin act --help\"\n"),
        (["act", "misuse"], 2, "error: no such node: w9\n"),
        (
            ["act", "refuse"],
            1,
            f"error: node {program.HARMLESS}: refused\n       ask {program.HARMLESS}\n",
        ),
        (
            ["act", "fail"],
            1,
            "error: internal error: KeyError: 'w1'\n"
            "       this is a bug in kubectl-admin; run it again with -vv and report what it prints\n",
        ),
        (["act", "fine"], 0, ""),
        (["act", "show"], 0, ""),
        (["act", "violate"], 3, ""),
    ],
)
def test_how_a_run_ends(environment, args, code, what):
    assert cli.run(args, environment) == code
    assert environment.stderr.getvalue() == what


def test_a_connection_that_breaks_is_a_failure_although_a_pipe_that_breaks_is_none():
    ended = run("act", "lose", program=STAND_IN)
    assert ended.code == 1
    assert ended.err.startswith("error: internal error: BrokenPipeError: ")


def test_the_traceback_is_shown_when_asked_for_and_steers_no_terminal():
    ended = run("act", "refuse", "-vv", program=STAND_IN)
    assert ended.code == 1
    assert ended.err.startswith("Traceback (most recent call last):\n")
    assert ended.err.endswith(f"       ask {program.HARMLESS}\n")
    assert all(char.isprintable() or char == "\n" for char in ended.err)


@pytest.mark.parametrize("what", ["flood", "écrire"])
def test_a_reader_who_has_gone_before_is_no_error(what):
    """Little text breaks the pipe only when the program has done all else."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        done = subprocess.run(
            [*STAND_IN, "act", what],
            check=False,
            stdout=pipe,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env=environ(),
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("what", ["violate", "flood_and_violate"])
def test_the_exit_code_is_the_works_whoever_reads(what):
    """A violation stays one where its report's reader has gone."""
    with start("act", what, program=STAND_IN) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 3


def test_what_can_not_be_said_does_not_end_the_work(tmp_path):
    """Nobody reads stderr, nor stdout: the work is done to its end all the same."""
    done = tmp_path / "done"
    speaking = start("act", "speak", program=STAND_IN, env=environ(DONE=str(done)), stdin=subprocess.PIPE)
    with speaking as process:
        assert process.stderr.readline() == "at work\n"
        process.stderr.close()
        process.stdout.close()
        process.stdin.write("go on\n")
        process.stdin.close()
    assert process.returncode == 3
    assert done.read_text() == "done"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_whose_words_can_not_be_said_is_interrupted(number):
    with start("act", "wait", program=STAND_IN) as process:
        assert process.stdout.readline() == "ready\n"
        process.stderr.close()
        process.stdout.close()
        process.send_signal(number)
    assert process.returncode == 128 + number


def test_a_full_disk_behind_stderr_does_not_change_how_a_run_ends(tmp_path):
    done = tmp_path / "done"
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        ended = subprocess.run(
            [*STAND_IN, "act", "speak"],
            check=False,
            input=b"go on",
            stdout=subprocess.PIPE,
            stderr=full,
            cwd=ROOT,
            env=environ(DONE=str(done)),
        )
    assert (ended.returncode, done.read_text()) == (3, "done")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_stream_that_the_shell_has_closed(tmp_path, closed):
    number = tmp_path / "number"
    ended = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *STAND_IN, "act", "open"],
        check=False,
        capture_output=True,
        cwd=ROOT,
        env=environ(DONE=str(number)),
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert int(number.read_text()) > 2


def test_a_question_that_can_not_be_seen_is_not_asked():
    terminal, end = pty.openpty()
    with os.fdopen(terminal), os.fdopen(end) as stdin, open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run([*STAND_IN, "act", "ask"], check=False, stdin=stdin, stderr=full, cwd=ROOT)
    assert done.returncode == 2


def test_a_reader_who_has_seen_enough_is_no_error():
    with start("act", "flood", program=STAND_IN) as process:
        assert process.stdout.readline().split() == ["NAME", "VERSION"]
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


SIGNALS = pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "terminated"),  # the terminal is gone
        (signal.SIGQUIT, 131, "terminated"),  # Ctrl-\\
    ],
)


@SIGNALS
def test_a_signal_ends_the_program_after_it_has_cleaned_up(number, code, said):
    with start("act", "wait", program=STAND_IN) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stderr.read() == f"cleaned up\nerror: {said}\n"
    assert process.returncode == code


@SIGNALS
@pytest.mark.parametrize(("verb", "path"), [("version", "/version"), ("skew", "/api/v1/nodes")])
def test_a_signal_ends_the_waiting_for_an_answer(tmp_path, verb, path, number, code, said):
    """The answer is held back until the program is gone."""
    with serving(EMPTY, holding=path) as server:
        with start(verb, "--kubeconfig", server.kubeconfig(tmp_path)) as process:
            assert server.held.wait(END_TIMEOUT)
            with signalled(process, number):
                assert process.communicate(timeout=END_TIMEOUT) == ("", f"error: {said}\n")
        assert process.returncode == code


def test_on_a_terminal_the_shown_control_c_stays_on_its_line():
    ended = run_on_terminal("act", "interrupt", program=STAND_IN)
    assert (ended.code, ended.out) == (130, "\nerror: interrupted\n")


def test_a_server_that_is_not_there_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = "127.0.0.1:{1}".format(*taken.getsockname())
    ended = run("version", "-s", f"http://{address}", env=environ(HOME=str(tmp_path)))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"error: The connection to the server {address} was refused"
        " - did you specify the right host or port?\n"
    )


def test_output_that_can_not_be_written_is_an_error():
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*PROGRAM, "version", "--client"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
    assert (done.returncode, done.stderr) == (
        1,
        "error: the output can't be written: No space left on device\n",
    )


@pytest.mark.parametrize("words", [["--help"], ["version", "--help"], []])
def test_help_that_can_not_be_written_is_an_error(words):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [*PROGRAM, *words], check=False, stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    assert (done.returncode, done.stderr) == (
        1,
        "error: the output can't be written: No space left on device\n",
    )


def test_ctrl_c_before_the_program_has_begun_is_no_traceback():
    code = (
        "import signal; from kubectl_admin.__main__ import end_quietly; end_quietly(); signal.raise_signal(2)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ([], "       these can be renewed: admin.conf, apiserver, "),
        (["--dry-run"], "       these can be renewed: admin.conf, apiserver, "),
        (["--all", "apiserver"], ""),
    ],
)
def test_whoever_renews_nothing_is_shown_the_names(environment, words, hint):
    assert cli.run(["certs", "renew", *words], environment) == 2
    what, *rest = environment.stderr.getvalue().splitlines()
    assert what == "error: name one or more certificates, or use --all, but not both"
    assert "".join(rest).startswith(hint)
    assert bool(rest) == bool(hint)


def test_a_command_on_a_node_whose_options_are_taken_for_the_verbs_is_put_behind_two_dashes(environment):
    assert cli.run(["node-exec", "cp-1", "uname", "--al"], environment) == 2
    assert environment.stderr.getvalue() == (
        "error: No such option '--al'.\n"
        "       put -- before the command: kubectl admin node-exec NODE -- COMMAND\n"
    )


def test_an_unknown_option_of_node_exec_is_told_like_any_other(environment):
    assert cli.run(["node-exec", "--nosuch", "cp-1", "--", "uname"], environment) == 2
    assert 'see "kubectl admin node-exec --help"' in environment.stderr.getvalue()


@pytest.mark.parametrize("word", ["json", "yaml", "table", "wide", "name"])
def test_a_snapshot_is_not_saved_under_the_name_of_an_output_format(environment, word):
    assert cli.run(["etcd-snapshot", "-o", word], environment) == 2
    assert environment.stderr.getvalue() == (
        f"error: -o names the file of the snapshot, not an output format: {word}\n"
        f"       for a report as JSON use --json; for a file of that name, -o ./{word}\n"
    )


def test_a_snapshot_is_not_sent_to_an_output_that_the_shell_has_closed():
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM, "etcd-snapshot", "-o", "-"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environ(),
    )
    assert (ended.returncode, ended.stderr.partition("\n")[0]) == (2, "error: standard output is closed")


def test_a_slow_reader_of_a_pipe_that_does_not_block_gets_everything():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with Child([*STAND_IN, "act", "flood"], stdout=writer, cwd=ROOT, env=environ()) as process:
        os.close(writer)
        with os.fdopen(reader) as pipe:
            lines = sum(1 for _ in pipe)
    assert process.returncode == 0
    assert lines > program.FLOOD


def test_characters_that_the_locale_does_not_have_are_shown_as_escapes():
    ended = run("act", "écrire", program=STAND_IN, env=environ(PYTHONIOENCODING="ascii"))
    assert (ended.code, ended.out) == (0, "\\xe9crire\n")
