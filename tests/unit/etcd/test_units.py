import pytest

from kubectl_admin.etcd.units import size


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (102_348, "99.9KiB"),
        (102_400, "100KiB"),
        (1024, "1.0KiB"),
        (1 << 20, "1.0MiB"),
        ((1 << 20) - 1, "1.0MiB"),
        (19841024, "18.9MiB"),
        (2 << 30, "2.0GiB"),
        (5 << 50, "5120TiB"),
    ],
)
def test_sizes(count, expected):
    assert size(count) == expected
