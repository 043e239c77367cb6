"""How a number of bytes is written."""

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def size(count: int) -> str:
    """Bytes for a person, in powers of 1024, as etcd's quota is thought of: «2.3MiB», «512MiB», «2.0GiB»."""
    number, unit = float(count), 0
    while number >= 1023.5 and unit < len(UNITS) - 1:
        number, unit = number / 1024, unit + 1
    return f"{number:.{0 if not unit or number >= 99.95 else 1}f}{UNITS[unit]}"
