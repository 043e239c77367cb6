"""What is said of a cluster in which nothing was found."""

from kubectl_admin.errors import AdminError
from kubectl_admin.node import cleanup


def test_a_cluster_that_was_looked_at_whole_has_nothing_left():
    assert cleanup.report([], []).paragraphs == ["nothing is left in the cluster"]


def test_of_a_host_that_was_not_looked_at_nobody_says_that_nothing_is_left():
    unseen = cleanup.unseen("w1", AdminError("pod x has ended: rejected", "the node is full"), ())
    shown = cleanup.report([], [unseen])
    assert shown.paragraphs == ["nothing was found, but not every host could be looked at"]
    assert list(shown.findings) == [unseen]
