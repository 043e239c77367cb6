"""The address of a server or a proxy: whether it is one, and how it is shown.

Libraries that are given what is none tell all of it in their errors, a password in it included.
"""

from urllib.parse import urlsplit

LONGEST_NAME = 253  # characters of a host's name (RFC 1035)


def fault_of(address: str) -> str | None:
    """The fault of an address with a scheme, in words that show nothing of it; None if it has none."""
    if not address.isprintable() or " " in address:
        return "it has white space or control characters in it"
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return "its host makes no sense"
    try:
        port = parts.port
    except ValueError:
        escaped = "; /, ? and # of a password are written %2F, %3F and %23" if "@" in address else ""
        return f"its port is not a number up to 65535{escaped}"
    if port == 0:
        return "its port is 0"
    if not host or not is_host_name(host):
        return "its host makes no sense" if host else "it has no host"
    return None


def is_host_name(name: str) -> bool:
    """Whether this can be looked up, and be asked for in TLS: a name or an IP address."""
    try:
        encoded = name.encode("idna")
    except UnicodeError:
        return False
    return bool(encoded) and not name.startswith(".") and len(encoded) <= LONGEST_NAME


def shown(address: str) -> str:
    """The address without user, password, query and fragment, whatever characters these have."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "", address
    rest = rest.rpartition("@")[2].partition("?")[0].partition("#")[0]
    return f"{scheme}{separator}{rest}"
