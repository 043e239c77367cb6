"""The second look at metrics: what it can't see has no rate, and that is said."""

from types import SimpleNamespace

from kubectl_admin.health.asking import second_look
from kubectl_admin.health.asking.ask import Asked
from kubectl_admin.health.asking.listed import Listed
from kubectl_admin.health.facts import NoReply, Why
from tests.unit.health import made
from tests.unit.health.made import ETCD, KUBELET, process

METRICS = made.metrics(failed=1.0)


def taken(asked, later):
    """What comes of the second look. asked: of the first. later: metrics, by component."""
    listed = Listed(plans={name: [] for name in asked})
    on = SimpleNamespace(metrics=lambda _way, _plans: later)
    return second_look.take(None, lambda _name: on, listed, asked, 600.0)


def test_what_only_the_host_leads_to_has_no_rate_and_that_is_said():
    found = taken(
        {
            "cp-1": Asked(NoReply(Why.NODE), (process(ETCD, metrics=METRICS),), host="kubectl-admin-1"),
            "w1": Asked("kube-proxy-w1", (process(KUBELET, "w1", metrics=METRICS),)),
        },
        {KUBELET: METRICS},
    )
    assert [(gap.what, gap.why) for gap in found.gaps] == [
        ("rates of etcd on cp-1", "its metrics were not read at the second look")
    ]
    assert found.asked["cp-1"].processes[0].earlier is None
    assert found.asked["w1"].processes[0].earlier == METRICS
