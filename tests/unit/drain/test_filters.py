"""The filters one by one; all together, beside kubectl: tests/apiserver/drain/test_filters.py."""

from datetime import timedelta

import pytest

from kubectl_admin.drain.facts import Owner
from kubectl_admin.drain.filters import Action, Context, Flags, judge
from tests.unit.drain.samples import AGENT, NOW, pod

GONE = Owner("DaemonSet", "gone", "uid-gone")
LONG_AGO, JUST_NOW = NOW - timedelta(seconds=61), NOW - timedelta(seconds=60)


def judged(what, **flags):
    return judge(what, Context(Flags(**flags), frozenset({("shop", "agent")}), NOW))


@pytest.mark.parametrize(
    ("name", "what", "flags", "action", "why", "flag"),
    [
        ("a controller makes it anew", {}, {}, Action.EVICT, "ReplicaSet", ""),
        ("deleted where evictions are off", {}, {"disable_eviction": True}, Action.DELETE, "ReplicaSet", ""),
        ("it is ending already", {"deleted": NOW}, {}, Action.EVICT, "terminating", ""),
        ("it has run", {"phase": "Succeeded"}, {}, Action.DELETE, "finished", ""),
        ("it has failed", {"phase": "Failed", "controller": None}, {}, Action.DELETE, "finished", ""),
        ("no controller", {"controller": None}, {}, Action.REFUSE, "no controller", "--force"),
        ("forced", {"controller": None}, {"force": True}, Action.EVICT, "no controller", ""),
        ("a DaemonSet's", {"controller": AGENT}, {}, Action.REFUSE, "DaemonSet", "--ignore-daemonsets"),
        ("left", {"controller": AGENT}, {"ignore_daemonsets": True}, Action.LEAVE, "DaemonSet", ""),
        ("force leaves it", {"controller": AGENT}, {"force": True}, Action.REFUSE, "DaemonSet",
         "--ignore-daemonsets"),
        ("its DaemonSet is gone", {"controller": GONE}, {"ignore_daemonsets": True}, Action.REFUSE,
         "DaemonSet gone", "--force"),
        ("gone and forced", {"controller": GONE}, {"force": True}, Action.EVICT, "DaemonSet", ""),
        ("a static pod", {"mirror": True, "controller": None}, {}, Action.LEAVE, "static pod", ""),
        ("local data", {"empty_dirs": ("a",)}, {}, Action.REFUSE, "emptyDir", "--delete-emptydir-data"),
        ("data is given up", {"empty_dirs": ("a",)}, {"delete_emptydir_data": True}, Action.EVICT,
         "ReplicaSet", ""),
        ("data first, then the controller", {"empty_dirs": ("a",), "controller": None},
         {"delete_emptydir_data": True}, Action.REFUSE, "no controller", "--force"),
        ("ended long ago", {"deleted": LONG_AGO}, {"skip_wait_for_delete_timeout": 60}, Action.LEAVE,
         "overdue", ""),
        ("not so long", {"deleted": JUST_NOW}, {"skip_wait_for_delete_timeout": 60}, Action.EVICT,
         "terminating", ""),
        ("0 waits for all", {"deleted": LONG_AGO}, {}, Action.EVICT, "terminating", ""),
        ("this program's own", {"labels": {"app": "kubectl-admin", "x": "y"}, "controller": None},
         {"own": {"app": "kubectl-admin"}}, Action.LEAVE, "kubectl-admin", ""),
        ("the running command's", {"labels": {"app": "kubectl-admin", "x": "y"}, "controller": None},
         {"own": {"app": "kubectl-admin"}, "this_run": {"x": "y"}}, Action.LEAVE, "this run's own", ""),
        ("another run's", {"labels": {"app": "kubectl-admin", "x": "z"}, "controller": None},
         {"own": {"app": "kubectl-admin"}, "this_run": {"x": "y"}}, Action.LEAVE, "kubectl-admin", ""),
        ("not its own", {"controller": None}, {"own": {"app": "kubectl-admin"}}, Action.REFUSE,
         "no controller", "--force"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_pod(name, what, flags, action, why, flag):
    verdict = judged(pod(**what), **flags)
    assert (verdict.action, verdict.why, verdict.flag) == (action, why, flag), name


def test_all_that_is_lost_is_told():
    """kubectl tells of the last alone."""
    verdict = judged(pod(empty_dirs=("a",), controller=None), delete_emptydir_data=True, force=True)
    assert verdict.losses == (
        "the data in their emptyDir volumes",
        "no controller: nothing recreates them",
    )


def test_a_finished_pod_loses_nothing():
    assert judged(pod(empty_dirs=("a",), controller=None, phase="Failed")).losses == ()
