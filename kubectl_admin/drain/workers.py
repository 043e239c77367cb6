"""Requests carried out by a few threads beside the one that decides, so that a slow one holds nobody up."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Task = TypeVar("Task")


class Workers(Generic[Task]):
    """A bounded number of threads that do one kind of work.

    Unlike `pool.ask_all` it never waits for a round to be complete: a webhook may take half a minute with one
    pod while others are asked again. The threads are daemons, so that an interrupted program ends at once.

    work: does a task; it must not raise.
    """

    def __init__(self, number: int, work: Callable[[Task], None]) -> None:
        self._tasks = queue.SimpleQueue[Task | None]()
        self._work = work
        self._lock = threading.Lock()
        self._free = number
        self._number = number
        for _ in range(number):
            threading.Thread(target=self._run, daemon=True).start()

    @property
    def free(self) -> int:
        """How many tasks would be begun at once."""
        with self._lock:
            return self._free

    def do(self, task: Task) -> None:
        """Has a task done."""
        with self._lock:
            self._free -= 1
        self._tasks.put(task)

    def close(self) -> None:
        """The threads end when they have done what they are at."""
        for _ in range(self._number):
            self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                self._work(task)
            finally:
                with self._lock:
                    self._free += 1
