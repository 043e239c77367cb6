import io
import os
import pty
import termios
from dataclasses import replace

import pytest

from kubectl_admin import __version__
from kubectl_admin.frame.environment import Environment
from tests.fakes import program
from tests.fakes.served_api import VERSION, serving
from tests.program import STAND_IN, environ, run, run_on_terminal


class Terminal(io.StringIO):
    """Text in memory that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "colour"),
    [
        (Terminal, {}, True),
        (Terminal, {"TERM": "xterm"}, True),
        (Terminal, {"NO_COLOR": ""}, True),
        (Terminal, {"NO_COLOR": "1"}, False),
        (Terminal, {"NO_COLOR": "false"}, False),
        (Terminal, {"TERM": "dumb"}, False),
        (io.StringIO, {"TERM": "xterm"}, False),
    ],
)
def test_where_colour_is_shown(stream, variables, colour):
    environment = Environment(io.StringIO(), stream(), io.StringIO(), variables)
    assert environment.colour(environment.stdout) is colour


def test_a_real_terminal_has_colour_and_a_pipe_has_none():
    assert "\x1b[31m" in run_on_terminal("act", "show", program=STAND_IN).out
    for changes in [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}]:
        assert "\x1b" not in run_on_terminal("act", "show", program=STAND_IN, env=environ(**changes)).out
    assert "\x1b" not in run("act", "show", program=STAND_IN, env=environ(TERM="xterm")).out


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml", "name"])
def test_no_format_lets_text_of_a_cluster_steer_a_terminal(environment, output):
    environment.output = output
    environment.show(program.report())
    shown = environment.stdout.getvalue()
    assert "w1" in shown
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert "\nerror:" not in shown


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_documents_are_plain_ascii(environment, output):
    environment.output = output
    environment.show(program.report())
    assert environment.stdout.getvalue().isascii()


def test_headers_and_wide_columns_are_a_matter_of_flags(environment):
    environment.show(program.report())
    assert environment.stdout.getvalue().split()[:2] == ["NAME", "VERSION"]
    assert "KERNEL" not in environment.stdout.getvalue()
    environment.stdout.truncate(0)
    environment.output = "wide"
    environment.show(program.report())
    assert "KERNEL" in environment.stdout.getvalue()
    environment.stdout.truncate(0)
    environment.headers = False
    environment.show(program.report())
    assert "KERNEL" not in environment.stdout.getvalue()


def test_names_alone(environment):
    environment.output = "name"
    environment.show(program.report())
    assert environment.stdout.getvalue() == f"node/{program.HARMLESS}\n"


def test_a_format_of_the_reports_own(environment):
    environment.output = "metrics"
    environment.show(replace(program.report(), texts={"metrics": lambda: "up 1\n"}))
    assert environment.stdout.getvalue() == "up 1\n"


@pytest.mark.parametrize(("columns", "width"), [(60, 60), (100, 100), (400, 120), (0, 80)])
def test_the_width_is_the_terminals(monkeypatch, columns, width):
    """A terminal that does not know its width has 80 columns, and nobody reads lines of 400."""
    monkeypatch.delenv("COLUMNS", raising=False)
    terminal, end = pty.openpty()
    with os.fdopen(terminal), os.fdopen(end, "w") as stdout:
        termios.tcsetwinsize(end, (24, columns))
        monkeypatch.setattr("sys.__stdout__", stdout)
        assert Environment(io.StringIO(), stdout, io.StringIO(), {}).width == width


def test_a_file_is_80_columns_wide_wherever_it_is_written(environment, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert environment.width == 80


@pytest.mark.parametrize(
    ("stream", "variables", "shown"),
    [
        (Terminal, {}, "\r\x1b[Kasking 1/2\r\x1b[Kasking 2/2\r\x1b[K"),
        (Terminal, {"NO_COLOR": "1"}, "\r\x1b[Kasking 1/2\r\x1b[Kasking 2/2\r\x1b[K"),
        (Terminal, {"TERM": "dumb"}, ""),
        (io.StringIO, {}, ""),
    ],
)
def test_progress_is_for_a_terminal(stream, variables, shown):
    environment = Environment(io.StringIO(), io.StringIO(), stream(), variables)
    with environment.progress("asking") as progress:
        progress.step(2)
        progress.step(2)
    assert environment.stderr.getvalue() == shown


def test_progress_is_gone_before_an_error_is_told(environment):
    environment.stderr = Terminal()

    def fails():
        with environment.progress("asking") as progress:
            progress.step(2)
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fails()
    assert environment.stderr.getvalue().endswith("asking 1/2\r\x1b[K")


def test_progress_that_has_not_begun_leaves_no_trace():
    environment = Environment(io.StringIO(), io.StringIO(), Terminal(), {})
    with environment.progress("asking"):
        pass
    assert environment.stderr.getvalue() == ""


def test_flags_reach_the_cluster_and_the_program_says_who_it_is(environment, tmp_path):
    with serving({"/version": VERSION}) as server:
        environment.flags = {"kubeconfig": server.kubeconfig(tmp_path), "as_user": "alice"}
        assert environment.cluster().get("/version") == VERSION
        assert environment.cluster(as_user="bob").get("/version") == VERSION
    alice, bob = server.asked
    assert (alice.header("User-Agent"), alice.header("Impersonate-User")) == (
        f"kubectl-admin/{__version__}",
        "alice",
    )
    assert bob.header("Impersonate-User") == "bob"


def test_a_log_line_can_not_steer_a_terminal(environment):
    import logging

    environment.log_requests()
    logging.getLogger("kubectl_admin.cluster").debug("GET %s", "/a\x1b[2J\nb")
    assert environment.stderr.getvalue() == "GET /a\\x1b[2J\\nb\n"
