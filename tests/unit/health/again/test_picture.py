from datetime import timedelta

import pytest

from kubectl_admin.cluster.errors import Unreachable
from kubectl_admin.errors import AdminError
from kubectl_admin.finding import Rule
from kubectl_admin.health.again.picture import picture
from kubectl_admin.health.again.watch import Seen
from kubectl_admin.health.look import look
from tests.unit.health import made
from tests.unit.health.made import AT, ETCD, KUBELET, facts, node, process

RULE = Rule("slow-disk", "etcd writes quickly")


def found(*findings, nodes=()):
    return look(facts(*nodes), findings)


def slow(number):
    return RULE.warning(subject=f"disk {number}", evidence="slow", since=AT - timedelta(minutes=5))


def seen(*looks):
    one = Seen()
    for number, each in enumerate(looks):
        one.take_in(each, AT + timedelta(seconds=number))
    return one


def shown(one, columns=80, lines=24, colour=False, later=0):
    drawn = picture(one, "next look in 4 s", (columns, lines), AT + timedelta(seconds=later), colour=colour)
    assert len(drawn) <= lines
    if not colour:
        assert max(map(len, drawn)) <= columns
    return drawn


def test_a_picture():
    cp1 = node("cp-1", [process(ETCD, replies=made.no_reply("silent"))])
    one = seen(found(), found(slow(1), nodes=(cp1, node("w1"))))
    assert "\n".join(shown(one, later=2)) == (
        "03:00:02  1 warning  (next look in 4 s)                                  q quits\n"
        "NODE  STATUS  APISERVER  ETCD     KUBELET  PROXY  MANAGER  SCHEDULER\n"
        "cp-1  Ready   ok         hangs!~  ok       ok     ok*      ok*\n"
        "w1    Ready   -          -        ok       ok     -        -\n"
        "\n"
        "context admin@lab, https://10.0.0.10:6443: not asked\n"
        "leaders (*): controller-manager cp-1, scheduler cp-1\n"
        "DNS: no pod of CoreDNS was asked\n"
        "\n"
        "warning: disk 1 for 5 minutes: slow\n"
        "\n"
        "03:00:01 worse: etcd on node/cp-1: well -> hanging\n"
        "03:00:01 new: warning slow-disk on disk 1"
    )


def test_before_the_first_look():
    assert shown(Seen()) == [f"{'03:00:00  next look in 4 s':73}q quits"]


REFUSED = Unreachable(
    "The connection to the server 10.0.0.10:6443 was refused - did you specify the right host or port?"
)


def test_a_look_that_failed_is_the_first_thing_that_is_said():
    one = seen(found())
    one.fail(REFUSED, AT + timedelta(seconds=5))
    one.fail(REFUSED, AT + timedelta(seconds=10))
    drawn = shown(one, later=12, columns=100)
    assert drawn[0].startswith(
        "03:00:12  THE API SERVER DOES NOT ANSWER since 03:00:05  (next look in 4 s)  "
    )
    assert drawn[1] == "below: as seen at 03:00:00; 10.0.0.10:6443: connection refused"
    assert any(line.startswith("cp-1 ") for line in drawn)


def test_what_an_earlier_look_has_seen_is_dim_while_the_server_is_away():
    one = seen(found(slow(1), nodes=(node("cp-1", [process(ETCD, replies=made.bad())]),)))
    assert "\x1b[33mwarning:\x1b[0m disk 1" in "\n".join(shown(one, colour=True))
    one.fail(REFUSED, AT)
    drawn = shown(one, colour=True)
    assert all(line.startswith("\x1b[31m") for line in drawn[:2])
    assert all(line.startswith("\x1b[2m") for line in drawn[2:9] if line)
    one.take_in(found(), AT)
    assert shown(one)[0].startswith("03:00:00  no findings  (next look in 4 s)")


def test_an_answer_that_is_an_error_is_not_called_silence():
    one = seen(found())
    one.fail(AdminError("Error from server (InternalError): etcdserver: leader changed"), AT)
    drawn = shown(one, columns=100)
    assert drawn[0].startswith("03:00:00  THE CLUSTER CAN'T BE LOOKED AT since 03:00:00  ")
    assert drawn[1].endswith("; Error from server (InternalError): etcdserver: leader changed")


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 50), (40, 10), (20, 5), (1, 1), (80, 6)])
def test_a_picture_fits_whatever_the_terminal_and_the_cluster(columns, lines):
    bad = [node(f"w{number}", [process(KUBELET, f"w{number}", made.bad())]) for number in range(100)]
    one = seen(found(nodes=bad), found(*map(slow, range(100)), nodes=bad[:50]))
    for colour in (False, True):
        assert shown(one, columns, lines, colour)


def test_what_does_not_fit_is_counted_and_each_part_has_its_lines():
    bad = [node(f"w{number}", [process(KUBELET, f"w{number}", made.bad())]) for number in range(100)]
    one = seen(found(nodes=bad[:50]), found(*map(slow, range(100)), nodes=bad))
    text = "\n".join(shown(one))
    assert "… and 91 more rows" in text
    assert "… and 97 more findings" in text
    assert text.count("\n03:00:01 ") == 2


def test_colours_are_laid_over_the_same_text():
    cp1 = node("cp-1", [process(ETCD, replies=made.no_reply("silent"))])
    one = seen(found(), found(slow(1), nodes=(cp1,)))
    coloured = "\n".join(shown(one, colour=True))
    for code in ("\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == "\n".join(shown(one))


def test_no_word_of_a_cluster_moves_the_cursor():
    nasty = RULE.warning(subject="a\x1b[2J", evidence="b\nc", objects=["node/\r"])
    one = seen(found(), found(nasty))
    text = "".join(shown(one))
    assert text.isprintable()
