import pytest

from kubectl_admin.drain.quantity import number


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("1", 1.0),
        (2, 2.0),
        ("250m", 0.25),
        ("1.5", 1.5),
        ("64Mi", 64 * 2**20),
        ("1Ki", 1024.0),
        ("2G", 2e9),
        ("1e3", 1000.0),
        ("12E", 12e18),
        ("0", 0.0),
        ("100n", 1e-7),
        ("much", 0.0),
        ("1.2.3", 0.0),
        ("5Zi", 0.0),
    ],
)
def test_a_quantity_is_a_number(quantity, value):
    assert number(quantity) == pytest.approx(value)
