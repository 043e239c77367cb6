"""Many questions at once: a bounded number of threads, one deadline, no slow answer that holds the others."""

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable, Generator, Hashable, Mapping
from contextlib import closing
from typing import Generic, TypeVar

from kubectl_admin.errors import AdminError

log = logging.getLogger("kubectl_admin.pool")

WORKERS = 16
SHOWN = 80  # characters of what Python says of an answer that is not understood
# Errors of data that is not as it should be, when it is read as if it were.
ODD = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, OSError)

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class LateError(AdminError):
    """A question's answer had not come at the deadline."""


class OddError(AdminError):
    """A question's answer is not understood: it is not as its reader took for granted."""


def ask_all(
    questions: Mapping[Key, Callable[[], Answer]],
    *,
    deadline: float,
    workers: int = WORKERS,
    answered: Callable[[int], None] | None = None,
) -> dict[Key, Answer | AdminError]:
    """Asks all questions, `workers` at a time, and returns each one's answer or AdminError, in their order.

    deadline: seconds for all together; a question without an answer by then is a LateError.
    An answer that makes something go wrong is an OddError of its question, named by its key, and of that
    alone: no node must be able to end the look at all others. Its traceback is logged.
    answered: called with the number of questions after each answer, for progress.

    The threads are daemons, so that an interrupted program ends at once instead of waiting for a slow server.
    """
    answers: dict[Key, Answer | AdminError] = {
        key: LateError(f"no answer within {deadline:.0f}s") for key in questions
    }
    with closing(_answers(questions, time.monotonic() + deadline, workers)) as coming:
        for key, answer in coming:
            if isinstance(answer, BaseException) and not isinstance(answer, AdminError):
                raise answer
            answers[key] = answer
            if answered:
                answered(len(questions))
    return answers


def _answers(
    questions: Mapping[Key, Callable[[], Answer]], end: float, workers: int
) -> Generator[tuple[Key, Answer | BaseException]]:
    """The answers as they come, until all are there or the time `end` has come.

    No question is begun after that, nor when this was closed: the asking thread was interrupted.
    """
    waiting = queue.SimpleQueue[tuple[Key, Callable[[], Answer]]]()
    over = threading.Event()
    done = queue.SimpleQueue[tuple[Key, Answer | BaseException]]()
    for question in questions.items():
        waiting.put(question)

    def work() -> None:
        while time.monotonic() < end and not over.is_set():
            try:
                key, question = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((key, _answer(key, question)))

    try:
        for _ in range(min(workers, len(questions))):
            threading.Thread(target=work, daemon=True).start()
        for _ in questions:
            try:
                yield done.get(timeout=max(end - time.monotonic(), 0))
            except queue.Empty:
                return
    finally:
        over.set()


def _answer(key: Key, question: Callable[[], Answer]) -> Answer | BaseException:
    try:
        return question()
    except ODD as error:
        for line in traceback.format_exc().splitlines():
            log.debug(line)
        return OddError(f"{key}: unexpected answer ({odd_words(error)})")
    except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
        return error


def odd_words(error: Exception) -> str:
    """Python's error about data that is not as it should be, in a short line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:SHOWN]


class Once(Generic[Answer]):
    """A question that is asked once, however many wait for its answer."""

    def __init__(self, question: Callable[[], Answer]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._answer: Answer | AdminError | None = None

    def __call__(self) -> Answer:
        """The answer; raises the AdminError that it was."""
        with self._lock:
            if self._answer is None:
                try:
                    self._answer = self._question()
                except AdminError as error:
                    self._answer = error
        if isinstance(self._answer, AdminError):
            raise self._answer
        return self._answer
