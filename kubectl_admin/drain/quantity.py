"""Quantities of resources («250m», «64Mi») as numbers. Source: apimachinery pkg/api/resource/quantity.go."""

import re

SUFFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}
QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)")


def number(quantity: str | float) -> float:
    """The number that a quantity stands for; 0.0 for text that is not one, as a server never writes it."""
    found = QUANTITY.fullmatch(str(quantity))
    if found is None or found[2] not in SUFFIXES:
        return 0.0
    try:
        return float(found[1]) * SUFFIXES[found[2]]
    except ValueError:
        return 0.0
