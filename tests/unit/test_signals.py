"""What must be finished once begun: later signals wait for it."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from kubectl_admin import signals
from kubectl_admin.signals import SIGNALS, Terminated, install, sheltered
from tests.program import Child
from tests.unit.interrupted import at_every_moment

PROCESS = """
import signal, sys, time
from kubectl_admin.signals import install, sheltered

install()
try:
    try:
        print("working", flush=True)
        while True:
            time.sleep(0.05)
    finally:
        {between}
        with sheltered():
            print("cleaning", flush=True)
            sys.stdin.readline()
            print("clean", flush=True)
    print("not here")
except BaseException as error:
    print(type(error).__name__)
"""
# A second signal before the clean-up has begun, as a terminal that is closed sends it.
AT_ONCE = "signal.raise_signal(signal.SIGHUP)"


@pytest.fixture
def installed():
    """The handlers, in this process."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    hook = sys.unraisablehook
    signals._ending.__init__()
    install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    sys.unraisablehook = hook
    signals._ending.__init__()


@pytest.mark.parametrize("between", ["pass", AT_ONCE])
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_cleans_up_is_not_cut_short(first, second, between):
    with Child(
        [sys.executable, "-c", PROCESS.format(between=between)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "working\n"
        process.send_signal(first)
        assert process.stdout.readline() == "cleaning\n"
        for _ in range(3):
            process.send_signal(second)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "clean\n"
        # The first one says how the run ends.
        assert process.stdout.read() == ("KeyboardInterrupt\n" if first == signal.SIGINT else "Terminated\n")


@pytest.mark.usefixtures("installed")
def test_a_signal_inside_takes_effect_at_the_end():
    reached = []

    def work() -> None:
        with sheltered():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("end")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["end"]


@pytest.mark.usefixtures("installed")
def test_an_error_inside_ends_the_shelter():
    with pytest.raises(RuntimeError), sheltered():
        raise RuntimeError("a disk is full")
    with pytest.raises(Terminated):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("installed")
def test_shelters_may_be_nested():
    reached = []

    def work() -> None:
        with sheltered():
            with sheltered():
                os.kill(os.getpid(), signal.SIGINT)
                reached.append("inner")
            reached.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["inner", "outer"]


@pytest.mark.usefixtures("installed")
def test_only_the_first_signal_is_raised():
    with pytest.raises(Terminated) as first:
        signal.raise_signal(signal.SIGHUP)
    assert first.value.number == signal.SIGHUP
    for number in SIGNALS:
        signal.raise_signal(number)


def test_what_the_process_was_started_to_ignore_stays_ignored():
    """As a shell has it for what it puts into the background, and nohup for a hangup."""
    code = "import signal; from kubectl_admin.signals import install; install(); signal.raise_signal(1)"
    done = subprocess.run(["nohup", sys.executable, "-c", code], check=False, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.usefixtures("installed")
def test_a_signal_that_a_destructor_swallows_is_not_lost():
    class Doomed:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGTERM)

    def work() -> None:
        doomed = Doomed()
        del doomed
        while True:  # until it comes once more
            time.sleep(0.01)

    with pytest.raises(Terminated):
        work()


@pytest.mark.usefixtures("installed")
def test_other_threads_get_no_signals_and_need_no_shelter():
    depth = []

    def work() -> None:
        with sheltered():
            depth.append(signals._ending.shelters)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert depth == [0]


@pytest.mark.usefixtures("installed")
def test_a_signal_that_waited_ends_the_main_thread_whoever_ends_the_shelter():
    ended = []

    def work() -> None:
        shelter = sheltered().__enter__()
        os.kill(os.getpid(), signal.SIGINT)
        thread = threading.Thread(target=lambda: ended.append(shelter.__exit__()))
        thread.start()
        thread.join(60)
        while True:  # until it comes once more
            time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert ended == [None]


class World:
    """Something that is made, worked with, and removed again."""

    def __init__(self):
        self.made = self.removed = self.worked = 0

    @contextmanager
    def thing(self):
        with sheltered() as shelter:
            try:
                with shelter.exposed():
                    self.make()
                    yield self
            finally:
                self.remove()

    def make(self):
        self.made += 1

    def remove(self):
        self.removed += 1

    def work(self):
        self.worked += 1


@pytest.mark.parametrize("deep", [1, 3])
def test_what_was_made_is_removed_whenever_a_signal_comes(monkeypatch, deep):
    interrupted = []

    def run():
        world = World()
        try:
            with ExitStack() as stack:
                for _ in range(deep):
                    stack.enter_context(world.thing())
                world.work()
        finally:
            interrupted.append(world.made != deep or not world.worked)
            assert world.removed >= world.made
            assert signals._ending.shelters == 0 or signals._ending.raised

    assert at_every_moment(monkeypatch, run) > 20 * deep
    assert any(interrupted)
    assert not all(interrupted)


@pytest.mark.usefixtures("installed")
def test_what_is_exposed_is_ended_at_once_and_cleaned_up_in_peace():
    reached = []

    def work():
        with sheltered() as shelter:
            try:
                with shelter.exposed():
                    signal.raise_signal(signal.SIGINT)
                    reached.append("not here")
            finally:
                signal.raise_signal(signal.SIGTERM)
                reached.append("clean")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["clean"]


@pytest.mark.usefixtures("installed")
def test_what_is_exposed_stays_sheltered_by_the_shelter_around():
    reached = []

    def work():
        with sheltered():
            with sheltered() as shelter, shelter.exposed():
                signal.raise_signal(signal.SIGINT)
                reached.append("inner")
            reached.append("outer")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["inner", "outer"]


@pytest.mark.usefixtures("installed")
def test_a_clean_up_stays_sheltered_where_an_outer_shelter_ends_and_another_begins_inside_it():
    """As a debug pod that is gone is replaced, to remove a directory on its host."""
    removed = []

    @contextmanager
    def pod():
        with sheltered() as shelter, shelter.exposed():
            yield

    def work():
        with ExitStack() as pods:
            pods.enter_context(pod())
            with sheltered():
                signal.raise_signal(signal.SIGINT)
                pods.close()
                pods.enter_context(pod())
                removed.append("the directory")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert removed == ["the directory"]


@pytest.mark.usefixtures("installed")
def test_a_signal_that_came_before_is_raised_where_it_is_exposed():
    reached = []

    def work():
        with sheltered() as shelter:
            signal.raise_signal(signal.SIGINT)
            reached.append("sheltered")
            with shelter.exposed():
                reached.append("not here")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["sheltered"]


@pytest.mark.usefixtures("installed")
def test_a_signal_at_the_end_of_a_with_block_comes_a_moment_later():
    left = []

    class Held:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            signal.raise_signal(signal.SIGTERM)
            left.append(True)

    def work():
        with Held():
            pass
        while True:
            time.sleep(0.01)

    with pytest.raises(Terminated):
        work()
    assert left == [True]
