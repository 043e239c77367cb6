"""How a channel comes about."""

import pytest

from kubectl_admin.cluster.dial import for_dialing


@pytest.mark.parametrize(("patience", "seconds"), [(30.0, 5.0), (10.0, 5.0), (3.0, 1.5)])
def test_another_try_to_connect_has_time(patience: float, seconds: float) -> None:
    assert for_dialing(patience) == seconds
