"""Answers of a server, a node or a plugin, understood or refused in a sentence: never a traceback.

Python gives up in three more ways than one expects: on digits by the thousand and on bytes that are not
UTF-8 (both ValueErrors), and on JSON that is nested by the thousand (RecursionError).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubectl_admin.errors import AdminError

DIGITS = 10  # of a number from elsewhere, a size apart; there is none that has more
SHOWN = 80  # characters of what is not understood


def decode_json(data: bytes | str, what: str, hint: str | None = None) -> Any:
    """JSON, decoded. what: names the data in the error («the answer to /version»). Raises AdminError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        text = data[: 4 * SHOWN]
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        raise AdminError(f"{what} is not JSON: {' '.join(shown.split())[:SHOWN]!r}", hint) from None


def decode_object(data: bytes | str, what: str, hint: str | None = None) -> dict[str, Any]:
    """The object in JSON. what, hint: as in `decode_json`. Raises AdminError."""
    document = decode_json(data, what, hint)
    if not isinstance(document, dict):
        raise AdminError(f"{what} is not a JSON object, but a {type(document).__name__}", hint)
    return document


def decode_yaml(text: str, what: str) -> list[Any]:
    """The documents of a YAML text. what: as in `decode_json`. Raises AdminError."""
    import yaml  # loaded here: most of what is asked has no use for it

    try:
        return list(yaml.load_all(text, yaml_loader()))
    # With the errors for values that do not fit their tag: «!!bool x» is a KeyError.
    except (
        yaml.YAMLError,
        ValueError,
        RecursionError,
        LookupError,
        ArithmeticError,
        AttributeError,
        TypeError,
    ):
        raise AdminError(f"{what} is not YAML") from None


def yaml_loader() -> Any:
    """The quickest safe loader that PyYAML has here: libyaml's is 17 times as fast as its own."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def whole_number(said: object, digits: int = DIGITS) -> int | None:
    """A number that was sent as a number or as text, at least 0; None for anything else.

    digits: that it may have; None for more as well.
    """
    if isinstance(said, int) and not isinstance(said, bool):
        return said if 0 <= said < 10**digits else None
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) <= digits:
        return int(said)
    return None


def decode_moment(said: object) -> datetime | None:
    """A time of the API, in UTC; None for anything else."""
    try:
        return datetime.fromisoformat(str(said)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def decode_date(said: str) -> datetime | None:
    """The moment in a header such as «Date»; None for anything else. Source: RFC 9110, section 5.6.7."""
    try:
        return datetime.strptime(said, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    except ValueError:
        return None


def is_text(said: object) -> bool:
    """Whether this is text that can be sent, as UTF-8: JSON and arguments may hold halves of characters."""
    return isinstance(said, str) and not any("\ud800" <= letter <= "\udfff" for letter in said)


def mapping(said: object) -> Mapping[str, Any]:
    """An object of JSON; an empty one for anything else."""
    return said if isinstance(said, dict) else {}
