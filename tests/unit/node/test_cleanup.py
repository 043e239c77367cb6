"""What is said of a cluster in which nothing was found."""

from contextlib import nullcontext

from kubectl_admin.errors import AdminError
from kubectl_admin.node import cleanup
from kubectl_admin.node.leftovers import LeftDirectory, LeftPod


def test_a_cluster_that_was_looked_at_whole_has_nothing_left():
    assert cleanup.report([], []).paragraphs == ["nothing is left in the cluster"]


def test_of_a_host_that_was_not_looked_at_nobody_says_that_nothing_is_left():
    unseen = cleanup.unseen("w1", AdminError("pod x has ended: rejected", "the node is full"), ())
    shown = cleanup.report([], [unseen])
    assert shown.paragraphs == ["nothing was found, but not every host could be looked at"]
    assert list(shown.findings) == [unseen]


def leftover(name, state=cleanup.ABANDONED):
    return cleanup.Leftover(LeftPod("kube-system", name, "w1", "today", True, None), state)


def test_what_was_removed_is_said_and_what_was_not_is_left_to_do():
    left = [leftover("a"), leftover("b"), leftover("c", cleanup.IN_USE)]
    shown = cleanup.outcome({left[0].name: "", left[1].name: "its node is down"}, left, [])
    assert [(item["removed"], item["problem"]) for item in shown.items()] == [
        (True, None),
        (False, "its node is down"),
        (False, None),
    ]
    assert list(shown.names()) == ["pod/kube-system/a"]
    assert shown.violated
    assert shown.findings[0].objects == ("pod/kube-system/b",)


def test_a_cleanup_that_was_interrupted_says_what_it_has_removed():
    left = [leftover("a"), leftover("b"), leftover("c", cleanup.IN_USE)]
    shown = cleanup.outcome(cleanup.so_far(left[:2], {left[0].name: ""}), left, [])
    assert [(item["removed"], item["problem"]) for item in shown.items()] == [
        (True, None),
        (False, "the run ended before"),
        (False, None),
    ]
    assert list(shown.names()) == ["pod/kube-system/a"]


class Api:
    """An API server whose pods go away at once."""

    def delete(self, *_args, **_more):
        return {}

    def get(self, _path, _query):
        return {"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": []}


def test_a_pod_counts_as_removed_once_it_is_gone():
    outcomes = {}
    pod = leftover("a")
    cleanup.remove_pod(Api(), pod.what, pod.name, outcomes)
    assert outcomes == {"pod/kube-system/a": ""}


def test_where_all_is_gone_nothing_is_left_to_do():
    left = [leftover("a")]
    assert not cleanup.outcome({left[0].name: ""}, left, []).violated


class Busy:
    """The hosts of a cluster; the directory «b» of each can't be removed."""

    def open(self, _node):
        return nullcontext(self)

    def script(self, _script, _state, name, **_):
        if name == "b":
            raise AdminError("its job can't be stopped")


def test_each_directory_of_a_host_has_an_outcome_of_its_own():
    outcomes = {}
    left = {f"w1:{name}": LeftDirectory("w1", name, False, None) for name in "abc"}
    cleanup.discard_all(Busy(), "w1", left, outcomes)
    assert outcomes == {"w1:a": "", "w1:b": "its job can't be stopped", "w1:c": ""}
