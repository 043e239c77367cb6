"""How what runs is shown."""

from kubectl_admin.running.report import on_terminal


def test_a_node_does_not_steer_the_terminal():
    text = 'one{a="\x1b]0;title\x07"} 1\ntwo 2\n'
    assert on_terminal(text) == 'one{a="\\x1b]0;title\\x07"} 1\ntwo 2\n'
