"""Many questions at once: a bounded number of threads, one deadline, and no slow answer that holds the others."""

import queue
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

from kubectl_admin.errors import AdminError

WORKERS = 16

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Late(AdminError):
    """A question whose answer had not come at the deadline."""


def ask_all(
    questions: Mapping[Key, Callable[[], Answer]],
    *,
    deadline: float,
    workers: int = WORKERS,
    answered: Callable[[int], None] | None = None,
) -> dict[Key, Answer | AdminError]:
    """Asks all questions, `workers` at a time, and returns each one's answer or its AdminError, in their order.

    deadline: seconds for all together; what has not answered by then is Late.
    answered: called with the number of questions after each answer, for progress.

    The threads are daemons, so that an interrupted program ends at once instead of waiting for a slow server.
    """
    waiting = queue.SimpleQueue[tuple[Key, Callable[[], Answer]]]()
    done = queue.SimpleQueue[tuple[Key, Answer | BaseException]]()
    for question in questions.items():
        waiting.put(question)

    def work() -> None:
        while True:
            try:
                key, question = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((key, question()))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked
                done.put((key, error))

    for _ in range(min(workers, len(questions))):
        threading.Thread(target=work, daemon=True).start()
    answers: dict[Key, Answer | AdminError] = {
        key: Late(f"no answer within {deadline:.0f} s") for key in questions
    }
    end = time.monotonic() + deadline
    for _ in questions:
        try:
            key, answer = done.get(timeout=max(end - time.monotonic(), 0))
        except queue.Empty:
            break
        if isinstance(answer, BaseException) and not isinstance(answer, AdminError):
            raise answer
        answers[key] = answer
        if answered:
            answered(len(questions))
    # What has not begun by now never does.
    while not waiting.empty():
        try:
            waiting.get_nowait()
        except queue.Empty:
            break
    return answers
