"""Metrics that are judged, out of all that a process says."""

from kubectl_admin.health.asking.reading import reduced
from kubectl_admin.health.facts import Sample

TEXT = """\
# HELP etcd_server_has_leader Whether
# TYPE etcd_server_has_leader gauge
etcd_server_has_leader 1
etcd_server_has_leader_seconds 7
rtt_bucket{To="a\\"b",le="+Inf"} 1.5e+09
rtt_bucket{To="c",le="0.1"} +Inf
odd NaN
odd 1e+308
odd -Inf
broken x
broken{a="b"} 2
apiserver_request_total{code="200",verb="GET",resource="pods"} 3
apiserver_request_total{code="200",verb="LIST",resource="pods"} 4
apiserver_request_total{code="500",verb="LIST",resource="pods"} 1
apiserver_request_total{verb="LIST"} 9
"""


def test_only_what_is_judged_is_kept():
    assert reduced(TEXT, ["etcd_server_has_leader", "etcd_server_id"]) == {
        "etcd_server_has_leader": (Sample({}, 1.0),)
    }


def test_labels_and_values_are_as_they_are_meant():
    found = reduced(TEXT, ["rtt_bucket", "odd", "broken"])
    assert found["rtt_bucket"] == (Sample({"To": 'a"b', "le": "+Inf"}, 1.5e9),)
    assert "odd" not in found  # no finite number
    assert found["broken"] == (Sample({"a": "b"}, 2.0),)


def test_of_thousands_of_series_the_sums_are_kept():
    assert reduced(TEXT, ["apiserver_request_total"]) == {
        "apiserver_request_total": (
            Sample({"code": "200"}, 7.0),
            Sample({"code": "500"}, 1.0),
            Sample({"code": ""}, 9.0),
        )
    }
