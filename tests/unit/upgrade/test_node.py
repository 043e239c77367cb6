"""What a job's log says went wrong."""

import pytest

from kubectl_admin.upgrade.node import last_words


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("E: Unable to locate package kubeadm\nDone\n", "E: Unable to locate package kubeadm"),
        (
            "[preflight] Some fatal errors occurred:\n\t[ERROR SystemVerification]: cgroup v1\n"
            "\t[ERROR Swap]: swap\n"
            "error: error execution phase preflight: preflight checks failed\nTo see the stack trace\n",
            "[ERROR SystemVerification]: cgroup v1; [ERROR Swap]: swap",
        ),
        ("error: first\nerror: second\nlast\n", "error: second"),
        ("x" * 1000, "x" * 500),
    ],
)
def test_last_words(log, words):
    assert last_words(log) == words
