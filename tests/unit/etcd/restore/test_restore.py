"""The word to begin, as the run takes its answer."""

import pytest

from kubectl_admin.errors import AdminError
from kubectl_admin.etcd.restore.go import Answer, FullError
from kubectl_admin.etcd.restore.restore import give


class Word:
    """The stand-in of a Go with these answers: first of `give`, then of `settle`."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)

    def give(self) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    settle = give


@pytest.mark.parametrize(
    "answers", [[Answer.YES], [Answer.UNKNOWN, Answer.YES], [Answer.UNKNOWN, Answer.UNKNOWN]]
)
def test_a_word_that_nodes_may_have_is_no_error(answers):
    word = Word(*answers)
    give(word)
    assert word.answers == []


@pytest.mark.parametrize("answers", [[Answer.NO], [Answer.UNKNOWN, Answer.NO], [FullError("full")]])
def test_a_word_that_no_node_has_is_an_error(answers):
    with pytest.raises(AdminError):
        give(Word(*answers))
