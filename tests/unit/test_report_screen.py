import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading

import pytest

from kubectl_admin.report import screen
from kubectl_admin.report.screen import cut, frame, opened
from kubectl_admin.streams import ReaderGone
from tests.program import ROOT, Child, environ, read_terminal, signalled

RED = "\x1b[31mno\x1b[0m"


@pytest.mark.parametrize(
    ("line", "columns", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "abc"),
        (f"{RED} ab", 4, f"{RED} a\x1b[0m"),
        (f"{RED}", 2, RED),
        ("節点", 3, "節"),
        ("e\u0301a", 1, "e\u0301"),
        ("", 0, ""),
    ],
)
def test_a_line_is_cut_at_the_edge(line, columns, shown):
    assert cut(line, columns) == shown


def test_a_picture_begins_in_the_corner_and_clears_what_stood_there():
    assert frame(["a", "b"], 10, 3) == "\x1b[H\x1b[Ka\r\n\x1b[Kb\r\n\x1b[J"


def test_a_picture_that_fills_the_screen_does_not_scroll_it():
    assert frame(["a", "b", "c"], 10, 2) == "\x1b[H\x1b[Ka\r\n\x1b[Kb"


@pytest.fixture
def terminal():
    """Both ends of a terminal of 40 columns and 5 lines: a person's, and the program's."""
    person, program = pty.openpty()
    resize(program, 40, 5)
    yield person, program
    for end in (person, program):
        os.close(end)


def resize(end, columns, lines):
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def test_the_terminal_is_left_as_it_was_found(terminal):
    person, program = terminal
    before = termios.tcgetattr(program)
    with opened(program, program):
        assert not termios.tcgetattr(program)[3] & (termios.ECHO | termios.ICANON)
        assert termios.tcgetattr(program)[3] & termios.ISIG, "Ctrl-C must end it"
        assert os.read(person, 100).decode() == screen.ENTER
    assert termios.tcgetattr(program) == before
    assert os.read(person, 100).decode() == screen.LEAVE


def test_the_terminal_is_left_as_it_was_found_after_an_error(terminal):
    _, program = terminal
    before = termios.tcgetattr(program)
    with pytest.raises(ZeroDivisionError), opened(program, program):
        raise ZeroDivisionError
    assert termios.tcgetattr(program) == before
    assert signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL


def test_it_is_drawn_for_the_size_that_it_has_just_now(terminal):
    person, program = terminal
    with opened(program, program) as shown:
        os.read(person, 100)
        assert shown.is_stale
        shown.draw(["x" * 60])
        assert not shown.is_stale
        assert os.read(person, 200).decode().count("x") == 40
        resize(program, 20, 5)
        assert shown.is_stale
        shown.draw(["x" * 60])
        assert os.read(person, 200).decode().count("x") == 20


def test_keys_are_read_one_by_one_and_not_shown(terminal):
    person, program = terminal
    with opened(program, program) as shown:
        assert not shown.key(0)
        os.write(person, b"q")
        assert shown.key(10) == "q"
    assert b"q" not in os.read(person, 200)


def test_a_terminal_without_keys(terminal):
    _, program = terminal
    before = termios.tcgetattr(program)
    with opened(program, None) as shown:
        assert termios.tcgetattr(program) == before
        assert not shown.key(0)


def test_a_terminal_that_does_not_tell_its_size(terminal):
    _, program = terminal
    resize(program, 0, 0)
    with opened(program, program) as shown:
        assert shown.size == (80, 24)


def test_a_terminal_that_is_gone_has_no_reader():
    person, program = pty.openpty()
    with opened(program, program) as shown:
        os.close(person)
        with pytest.raises(ReaderGone):
            shown.draw(["x"])
        assert not shown.key(0)
        assert not shown.key(0)
    os.close(program)


def test_a_picture_amid_which_the_terminal_is_taken_again_is_drawn_once_more(terminal):
    person, program = terminal
    resize(program, 200, 100)  # more than a terminal holds that nobody reads

    def interrupt():
        select.select([person], [], [])
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        drawn = 0
        while drawn < 200 * 100:
            drawn += os.read(person, 65536).count(b"x")

    with opened(program, None) as shown:
        os.read(person, 100)
        taken = signal.signal(signal.SIGUSR1, lambda *_: shown.take())  # as Ctrl-Z and `fg` do
        other = threading.Thread(target=interrupt)
        other.start()
        try:
            shown.draw(["x" * 200] * 100)
            other.join()
        finally:
            signal.signal(signal.SIGUSR1, taken)
        assert shown.is_stale


SHOWING = """
import sys
from kubectl_admin.report.screen import opened
from kubectl_admin.signals import install
install()
with opened(1, 0) as screen:
    while screen.key(0.05) != "q":
        if screen.is_stale:
            screen.draw(["here"])
"""


class Shown:
    """A process that shows a picture on a terminal of its own, and all that the terminal was given."""

    def __init__(self):
        self.person, self.program = pty.openpty()
        resize(self.program, 40, 5)
        self.before = termios.tcgetattr(self.program)
        self.text = b""
        self._came = threading.Condition()

    def __enter__(self):
        self.process = Child[bytes](
            [sys.executable, "-c", SHOWING],
            stdin=self.program,
            stdout=self.program,
            stderr=subprocess.PIPE,
            env=environ(TERM="xterm"),
            cwd=ROOT,
            # The system stops nobody whose group is orphaned, as that of all tests may be.
            process_group=0,
        )
        self.process.__enter__()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.wait_for("here", 1)
        return self

    def __exit__(self, *ending):
        self.process.__exit__(*ending)
        os.close(self.program)
        self.reader.join()
        os.close(self.person)

    def _read(self):
        while chunk := read_terminal(self.person):
            with self._came:
                self.text += chunk
                self._came.notify_all()

    def wait_for(self, text, times):
        with self._came:
            assert self._came.wait_for(lambda: self.text.count(text.encode()) >= times, 60), self.text


def test_ctrl_c_leaves_the_terminal_as_it_was():
    with Shown() as shown:
        with signalled(shown.process, signal.SIGINT):
            shown.process.wait(60)
        shown.wait_for(screen.LEAVE, 1)
        assert termios.tcgetattr(shown.program) == shown.before


def test_q_ends_it():
    with Shown() as shown:
        os.write(shown.person, b"q")
        assert shown.process.wait(60) == 0
        shown.wait_for(screen.LEAVE, 1)
        assert termios.tcgetattr(shown.program) == shown.before


def test_ctrl_z_gives_the_terminal_back_and_a_resumed_run_takes_it_again():
    with Shown() as shown:
        os.kill(shown.process.pid, signal.SIGTSTP)
        shown.wait_for(screen.LEAVE, 1)
        assert os.WIFSTOPPED(os.waitpid(shown.process.pid, os.WUNTRACED)[1])
        assert termios.tcgetattr(shown.program) == shown.before
        os.kill(shown.process.pid, signal.SIGCONT)
        shown.wait_for(screen.ENTER, 2)
        shown.wait_for("here", 2)
        os.write(shown.person, b"q")
        assert shown.process.wait(60) == 0
