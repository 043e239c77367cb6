import io

from kubectl_admin.report.live import Live
from tests.fakes.clock import Clock


def view(*, steers, clock=None):
    stream = io.StringIO()
    return stream, Live(stream, steers=steers, clock=clock or Clock())


def test_on_a_terminal_what_holds_just_now_stands_below_the_lines_that_stay():
    stream, live = view(steers=True)
    live.block(["waits for a", "waits for b"])
    live.line("a is gone")
    live.block(["waits for b"])
    live.close()
    assert stream.getvalue() == (
        "waits for a\nwaits for b\n"
        "\r\x1b[2A\x1b[Ja is gone\nwaits for a\nwaits for b\n"
        "\r\x1b[2A\x1b[Jwaits for b\n"
        "\r\x1b[1A\x1b[J"
    )


def test_what_has_not_changed_is_not_written_again():
    stream, live = view(steers=True)
    live.block(["waits"])
    live.block(["waits"])
    assert stream.getvalue() == "waits\n"


def test_a_line_is_cut_at_the_edge_of_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    stream, live = view(steers=True)
    live.block(["x" * 20])
    assert stream.getvalue() == "x" * 9 + "\n"


def test_elsewhere_what_holds_is_said_again_from_time_to_time():
    clock = Clock(0.0)
    stream, live = view(steers=False, clock=clock)
    live.line("cordoned")
    live.block(["waits 1s"])
    clock.now = 30.0
    live.block(["waits 31s"])
    clock.now = 31.0
    live.block(["waits 32s"])
    live.close()
    assert stream.getvalue() == "cordoned\nwaits 31s\n"


def test_text_of_a_cluster_is_never_written_raw():
    for steers in (True, False):
        clock = Clock(0.0)
        stream, live = view(steers=steers, clock=clock)
        live.line("a\x1b[2J")
        clock.now = 99.0
        live.block(["b\x1b[2J"])
        assert "\x1b[2J" not in stream.getvalue()
        assert r"a\x1b[2J" in stream.getvalue()
        assert r"b\x1b[2J" in stream.getvalue()
