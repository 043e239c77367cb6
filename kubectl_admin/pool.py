"""Many questions at once: a bounded number of threads, one deadline, no slow answer that holds the others."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Hashable, Mapping
from contextlib import closing
from typing import TypeVar

from kubectl_admin.errors import AdminError

WORKERS = 16

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class LateError(AdminError):
    """A question's answer had not come at the deadline."""


def ask_all(
    questions: Mapping[Key, Callable[[], Answer]],
    *,
    deadline: float,
    workers: int = WORKERS,
    answered: Callable[[int], None] | None = None,
) -> dict[Key, Answer | AdminError]:
    """Asks all questions, `workers` at a time, and returns each one's answer or AdminError, in their order.

    deadline: seconds for all together; what has not answered by then is a LateError.
    answered: called with the number of questions after each answer, for progress.

    The threads are daemons, so that an interrupted program ends at once instead of waiting for a slow server.
    """
    answers: dict[Key, Answer | AdminError] = {
        key: LateError(f"no answer within {deadline:.0f} s") for key in questions
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

    No question is begun after that, nor when this was closed: whoever asked was interrupted.
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
            try:
                done.put((key, question()))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                done.put((key, error))

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
