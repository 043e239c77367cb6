"""What must be finished once begun: signals wait for it."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from kubectl_admin.shelter import sheltered

PROCESS = """
import signal, sys
from kubectl_admin.shelter import sheltered

class Terminated(BaseException): ...

def terminate(*_):
    raise Terminated

signal.signal(signal.SIGTERM, terminate)
try:
    try:
        print("working", flush=True)
        signal.pause()
    finally:
        with sheltered():
            print("cleaning", flush=True)
            sys.stdin.readline()
            print("clean", flush=True)
    print("not here")
except BaseException as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_a_process_that_cleans_up_is_not_cut_short(first, second):
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
        # The later one takes effect when the cleaning is over.
        assert (
            process.stdout.read() == {"SIGINT": "KeyboardInterrupt\n", "SIGTERM": "Terminated\n"}[second.name]
        )


def test_without_a_signal_nothing_happens():
    before = signal.getsignal(signal.SIGINT)
    with sheltered():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_inside_takes_effect_at_the_end():
    reached = []

    def work() -> None:
        with sheltered():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("end")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_inside_puts_the_handlers_back():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pytest.raises(RuntimeError), sheltered():
        raise RuntimeError("a disk is full")
    assert {number: signal.getsignal(number) for number in before} == before


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


def test_other_threads_get_no_signals_and_need_no_shelter():
    done = []

    def work() -> None:
        with sheltered():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [signal.default_int_handler]
