"""Families by the beginning of their names, and the quantiles of histograms."""

import math

import pytest

from kubectl_admin.running.metrics import Family, Histogram, families, histograms, number_of, values

TEXT = """\
# HELP etcd_disk_wal_fsync_duration_seconds how long
# TYPE etcd_disk_wal_fsync_duration_seconds histogram
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 50
etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 90
etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 100
etcd_disk_wal_fsync_duration_seconds_sum 0.2
etcd_disk_wal_fsync_duration_seconds_count 100
# TYPE etcd_server_has_leader gauge
etcd_server_has_leader 1
# TYPE rpc summary
rpc{quantile="0.5"} 3
rpc_sum 6
rpc_count 2
not # TYPE etcd_fake gauge
"""


def test_families_are_chosen_by_the_beginning_of_their_names():
    assert [one.name for one in families(TEXT, ("etcd_",))] == [
        "etcd_disk_wal_fsync_duration_seconds",
        "etcd_server_has_leader",
    ]
    assert len(families(TEXT, ("",))) == 3
    assert families(TEXT, ("nothing",)) == []


def test_a_summary_has_its_sum_and_count():
    assert [one.name for one in values(TEXT, Family("rpc", "summary"))] == ["rpc", "rpc_sum", "rpc_count"]


def test_quantiles_lie_within_their_buckets():
    (one,) = histograms(TEXT, families(TEXT, ("etcd_disk",))[0])
    assert (one.count, one.sum) == (100, 0.2)
    assert one.quantile(0.25) == pytest.approx(0.0005)
    assert one.quantile(0.5) == pytest.approx(0.001)
    assert one.quantile(0.7) == pytest.approx(0.0015)
    assert one.quantile(0.99) == 0.002  # beyond the last finite bound nothing is known


def test_an_empty_histogram_has_no_quantiles():
    assert math.isnan(Histogram("h", {}, 0, 0, {}).quantile(0.5))
    assert math.isnan(Histogram("h", {}, 0, 0, {1.0: 0.0, math.inf: 0.0}).quantile(0.5))


def test_a_histogram_whose_counts_fall_gives_no_nonsense():
    quantile = Histogram("h", {}, 5, 1, {1.0: 5.0, 2.0: 3.0, math.inf: 5.0}).quantile(0.9)
    assert 0 <= quantile <= 2


@pytest.mark.parametrize(
    ("said", "number"), [("1.5e+06", 1.5e6), ("+Inf", math.inf), ("NaN", None), ("x", None), ("1_0", None)]
)
def test_numbers_are_those_of_metrics(said, number):
    assert number_of(said) == number
