"""Connections that answer, before anything else is asked."""

import pytest

from kubectl_admin.clock import Deadline
from kubectl_admin.cluster.errors import ApiError, NothingSent
from kubectl_admin.health.asking import contact
from kubectl_admin.health.asking.exchange import Patience
from tests.fakes.clock import Clock

FINE = "ok"
HANGS = NothingSent("Unable to connect to the server: dial 10.0.0.10:6443: i/o timeout")
NOT_READY = ApiError(500, "InternalError", "no")


class Cluster:
    """Answers one after another as it is told to, whoever asks."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def get_text(self, path, *, timeout):
        assert (path, timeout) == ("/readyz", 1.0)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("answers", "there", "left"),
    [
        ([FINE, FINE, FINE], 3, 0),
        ([NOT_READY, FINE, FINE], 3, 0),
        # What hangs is given up, and another connection leads elsewhere.
        ([FINE, FINE, HANGS, FINE], 3, 0),
        ([FINE, HANGS, HANGS, FINE, HANGS, FINE], 3, 0),
        # Nobody answers: it is for the listings to say why.
        ([HANGS, HANGS, HANGS, FINE], 0, 1),
        ([FINE, HANGS, HANGS, HANGS, HANGS, FINE], 1, 1),
    ],
)
def test_connections_are_made_as_long_as_somebody_answers(answers, there, left):
    cluster = Cluster(*answers)
    assert contact.make(cluster, 3, Patience(Deadline.after(9.0, Clock()), 3.0, 1)) == there
    assert len(cluster.answers) == left
