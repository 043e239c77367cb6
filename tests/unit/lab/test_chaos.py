"""What tells a good end of a broken restore from a bad one: it must find what is wrong."""

import pytest

from tests.cluster.restore import table
from tests.cluster.restore.cases import CASES
from tests.cluster.restore.clients import Read, wrong_of_reads
from tests.cluster.restore.objects import NOW, THEN
from tests.cluster.restore.watch import are_over, end_of


def read(began, names, took=1.0, server="cp-1"):
    return Read(server, began, began + took, frozenset(names), 1)


def test_readers_may_have_the_future_until_the_past_was_read():
    reads = [read(0, NOW), read(1.5, NOW, took=9, server="cp-2"), read(2, THEN), read(5, THEN, server="cp-2")]
    assert list(wrong_of_reads(reads)) == []


def test_the_future_after_the_past_is_wrong_at_any_server():
    reads = [read(0, NOW), read(2, THEN), read(3.5, NOW, server="cp-2")]
    assert list(wrong_of_reads(reads)) == ["cp-2 had the future 0.5 s after cp-1 had the past"]


def test_a_mixture_is_wrong():
    assert len(list(wrong_of_reads([read(0, THEN | NOW)]))) == 1


@pytest.mark.parametrize(
    ("words", "over", "end"),
    [
        (("restored", "restored"), True, "restored"),
        (("restored", "as-before"), True, "as before and restored"),
        (("restored", "going"), False, "not over and restored"),
        (("disarmed", None), True, "as before"),
    ],
)
def test_an_end_is_that_of_all_nodes(words, over, end):
    journals = {f"cp-{at}": word and ("armed", word) for at, word in enumerate(words)}
    assert (are_over(journals), end_of(journals)) == (over, end)


def test_a_run_replaces_its_rows_and_leaves_the_others():
    first, second = CASES[0], CASES[1]
    page = table.merged(f"before\n\n{table.HEAD}\n\nafter\n", {})
    page = table.merged(page, {table.key(line): line for line in [table.row(first, "", "restored", 3.4)]})
    page = table.merged(page, {table.key(line): line for line in [table.row(second, "told", "a|b")]})
    assert page.startswith(f"before\n\n{table.HEAD}\n")
    assert page.endswith("|\n\nafter\n")
    rows = page.splitlines()[4:-2]
    assert rows[0] == "| nothing | told |  | restored | 3 |  |  |  |"
    assert rows[1] == "| power of one cut | armed | told | a/b |  |  |  |  |"
    assert len(rows) == len(CASES)
    assert all(" not run " in line for line in rows[2:])


def test_a_page_without_a_table_is_not_written_to():
    with pytest.raises(ValueError, match="no table"):
        table.merged("text\n", {})
