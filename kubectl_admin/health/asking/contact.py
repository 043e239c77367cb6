"""Connections that answer, before anything is listed: a balancer may lead some to an API server that hangs.

Its own checks take seconds to find that out, and a listing that waits there costs all that depends on it.
"""

from contextlib import suppress
from functools import partial

from kubectl_admin.cluster.connection import Cluster
from kubectl_admin.cluster.errors import ApiError
from kubectl_admin.health.asking.exchange import Patience
from kubectl_admin.pool import ask_all

ROUNDS = 3
ANSWER = 1 / 3  # of the time for one answer: /readyz is quick where anything is


def make(cluster: Cluster, number: int, patience: Patience) -> int:
    """Opens so many connections that answer, as far as they can be had; how many there are.

    The listings use them again. Where nobody answers at all it is not tried again: what is listed next says
    why. Raises nothing.
    """
    there = 0
    for _ in range(ROUNDS):
        seconds = min(patience.each * ANSWER, patience.left)
        ask = partial(_answer, cluster, seconds)
        found = ask_all(dict.fromkeys(range(number - there), ask), deadline=seconds, workers=number)
        more = sum(one is None for one in found.values())
        there += more
        if there == number or not more:
            break
    return there


def _answer(cluster: Cluster, seconds: float) -> None:
    """Waits for an answer, whatever it says; raises Unreachable for none."""
    with suppress(ApiError):
        cluster.get_text("/readyz", timeout=seconds)
